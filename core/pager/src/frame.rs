//! The core map: one record of 8 bytes for each frame, the FIFO of free ones, and those withheld from circulation.

use crate::page::NONE;
use crate::wait::List;
use alloc::{boxed::Box, collections::VecDeque, vec, vec::Vec};
use core::ops::{Index, IndexMut};
use mager_policies::{FrameNo, PageNo};

const PINNED: u32 = 1 << 31;
const REFERENCED: u32 = 1 << 30;
const FLIGHT: u32 = 3 << List::BITS;

/// ```text
///                      31       30       29 28 27               0
/// +----------------+ +--------+------------+--------+----------------+
/// |      page      | | pinned | referenced | flight | who waits      |
/// +----------------+ +--------+------------+--------+----------------+
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    page: u32,
    word: u32,
}

const _: () = assert!(size_of::<Frame>() == 8);

/// What is special about an I/O under way.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Flight {
    #[default]
    Plain,
    /// Only where frames live at sites: the site it lived at went away meanwhile.
    Displaced,
    /// The page is read in on a mere guess that it will be touched.
    Guessed,
}

impl Frame {
    const EMPTY: Frame = Frame { page: NONE, word: List::EMPTY.bits() };

    /// The page in it; `None` for a free frame and for the zero page.
    #[inline]
    pub(crate) fn page(self) -> Option<PageNo> {
        (self.page != NONE).then_some(PageNo(self.page))
    }

    /// Whether the page in it is pinned; how often is for `pin` to know.
    #[inline]
    pub(crate) fn pinned(self) -> bool {
        self.word & PINNED != 0
    }

    pub(crate) fn set_pinned(&mut self, pinned: bool) {
        self.set(PINNED, if pinned { PINNED } else { 0 });
    }

    /// Touched since the hand passed.
    #[inline]
    pub(crate) fn referenced(self) -> bool {
        self.word & REFERENCED != 0
    }

    #[inline]
    pub(crate) fn set_referenced(&mut self, referenced: bool) {
        self.set(REFERENCED, if referenced { REFERENCED } else { 0 });
    }

    /// What is to be known of it as long as it is in flight.
    #[inline]
    pub(crate) fn flight(self) -> Flight {
        match (self.word & FLIGHT) >> List::BITS {
            0 => Flight::Plain,
            1 => Flight::Displaced,
            _ => Flight::Guessed,
        }
    }

    #[inline]
    pub(crate) fn set_flight(&mut self, flight: Flight) {
        self.set(FLIGHT, (flight as u32) << List::BITS);
    }

    /// The site it lived at went away while it was in flight.
    #[inline]
    pub(crate) fn displaced(self) -> bool {
        self.flight() == Flight::Displaced
    }

    /// Who waits for it, as long as it is in flight.
    #[inline]
    pub(crate) fn waiting(self) -> List {
        List::from_bits(self.word)
    }

    #[inline]
    pub(crate) fn set_waiting(&mut self, waiting: List) {
        self.set(List::MASK, waiting.bits());
    }

    #[inline]
    fn set(&mut self, field: u32, bits: u32) {
        self.word = self.word & !field | bits;
    }
}

#[derive(Debug)]
pub(crate) struct Frames {
    frames: Box<[Frame]>,
    free: VecDeque<FrameNo>,
    /// Out of circulation: they hold no page, and nobody is given one of them.
    withheld: Vec<FrameNo>,
    /// Frames a policy may propose: resident, not pinned, not in flight.
    pub(crate) evictable: u32,
    pub(crate) pinned: u32,
}

impl Frames {
    pub(crate) fn new(first: u32, count: u32) -> Self {
        Frames {
            frames: vec![Frame::EMPTY; count as usize].into_boxed_slice(),
            free: (first..count).map(FrameNo).collect(),
            withheld: Vec::new(),
            evictable: 0,
            pinned: 0,
        }
    }

    pub(crate) fn free_count(&self) -> usize {
        self.free.len()
    }

    pub(crate) fn free_list(&self) -> impl Iterator<Item = FrameNo> {
        self.free.iter().copied()
    }

    #[inline]
    pub(crate) fn take_free(&mut self) -> Option<FrameNo> {
        self.free.pop_front()
    }

    /// Puts `frame`, which is empty, at the end of the free list.
    pub(crate) fn put_free(&mut self, frame: FrameNo) {
        assert!(self[frame].page == NONE, "core map: a frame in use is not free");
        self.free.push_back(frame);
    }

    pub(crate) fn withheld(&self) -> u32 {
        u32::try_from(self.withheld.len()).expect("core map: frames are counted in 32 bits")
    }

    pub(crate) fn withheld_list(&self) -> impl Iterator<Item = FrameNo> {
        self.withheld.iter().copied()
    }

    /// Takes the free frame that would be used last out of circulation. Whether there was one.
    pub(crate) fn withhold(&mut self) -> bool {
        let last = self.free.pop_back();
        self.withheld.extend(last);
        last.is_some()
    }

    /// Makes the frame that was withheld last a free one. Whether there was one.
    pub(crate) fn restore(&mut self) -> bool {
        let last = self.withheld.pop();
        last.into_iter().for_each(|frame| self.put_free(frame));
        last.is_some()
    }

    /// `frame` is nobody's: free in a moment, or its next page's.
    #[inline]
    pub(crate) fn empty(&mut self, frame: FrameNo) {
        assert!(self[frame].page != NONE, "core map: frame {frame} emptied twice");
        assert!(!self[frame].pinned(), "core map: pinned frame {frame} emptied");
        assert!(
            self[frame].waiting().is_empty(),
            "core map: frame {frame} emptied, and who waits for it forgotten"
        );
        self[frame] = Frame::EMPTY;
    }

    #[inline]
    pub(crate) fn hold(&mut self, frame: FrameNo, page: PageNo) {
        assert!(self[frame].page == NONE, "core map: frame {frame} given away twice");
        self[frame].page = page.0;
    }

    /// The frame's contents stay, but are another page's from now on.
    pub(crate) fn rename(&mut self, frame: FrameNo, page: PageNo) {
        assert!(self[frame].page != NONE, "core map: free frame {frame} renamed");
        self[frame].page = page.0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (FrameNo, &Frame)> {
        (0u32..).map(FrameNo).zip(self.frames.iter())
    }
}

impl Index<FrameNo> for Frames {
    type Output = Frame;
    #[inline]
    fn index(&self, frame: FrameNo) -> &Frame {
        &self.frames[frame.index()]
    }
}

impl IndexMut<FrameNo> for Frames {
    #[inline]
    fn index_mut(&mut self, frame: FrameNo) -> &mut Frame {
        &mut self.frames[frame.index()]
    }
}
