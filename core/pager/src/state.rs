//! The states of a page, and how each is packed into 32 bits.
//!
//! ```text
//!  31  29 28                                                       0
//! +------+----------------------------------------------------------+
//! | kind | frame number, or who waits while there is no frame       |
//! +------+----------------------------------------------------------+
//! ```
//! A page has waiters only while it is wanted, or in a frame and in flight. Then the frame's record knows them.

use crate::wait::List;
use mager_policies::FrameNo;

/// The whole state of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The number is not in use.
    Free,
    /// At home only.
    Absent,
    /// Faults wait for it, and a demand for a frame is queued.
    Wanted,
    /// Being read into a frame.
    PagingIn(FrameNo),
    /// In a frame.
    Resident {
        /// Which.
        frame: FrameNo,
        /// Contents newer than home.
        dirty: bool,
    },
    /// In a frame and being written home; dirty until that is answered.
    WritingBack {
        /// Which.
        frame: FrameNo,
        /// The frame is spoken for: it is surrendered when the write is answered.
        promised: bool,
    },
}

impl State {
    /// The frame that holds the contents, for every state in which they can be read.
    pub(crate) fn readable_frame(self) -> Option<FrameNo> {
        match self {
            State::Resident { frame, .. } | State::WritingBack { frame, .. } => Some(frame),
            State::Free | State::Absent | State::Wanted | State::PagingIn(_) => None,
        }
    }

    /// Whether freeing has to wait for a grant or an answer.
    pub(crate) fn busy(self) -> bool {
        match self {
            State::Wanted | State::PagingIn(_) | State::WritingBack { .. } => true,
            State::Free | State::Absent | State::Resident { .. } => false,
        }
    }
}

/// A state in a word; with [`State::Wanted`], also the list of who waits for the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word(u32);

const BITS: u32 = 29;
const LOW: u32 = (1 << BITS) - 1;

/// The most frames whose numbers fit.
pub(crate) const MAX_FRAMES: u32 = 1 << BITS;

/// The kinds. The last bit of the last four is their flag: dirty, or promised.
const FREE: u32 = 0;
const ABSENT: u32 = 1;
const WANTED: u32 = 2;
const PAGING_IN: u32 = 3;
const RESIDENT: u32 = 4;
const WRITING_BACK: u32 = 6;

const _: () = assert!(List::BITS <= BITS);

impl Word {
    #[inline]
    pub(crate) const fn of(state: State) -> Self {
        match state {
            State::Free => Word::pack(FREE, 0),
            State::Absent => Word::pack(ABSENT, 0),
            State::Wanted => Word::wanted(List::EMPTY),
            State::PagingIn(frame) => Word::pack(PAGING_IN, frame.0),
            State::Resident { frame, dirty } => Word::pack(RESIDENT | dirty as u32, frame.0),
            State::WritingBack { frame, promised } => Word::pack(WRITING_BACK | promised as u32, frame.0),
        }
    }

    #[inline]
    pub(crate) const fn wanted(waiting: List) -> Self {
        Word::pack(WANTED, waiting.bits())
    }

    #[inline]
    const fn pack(kind: u32, low: u32) -> Self {
        Word(kind << BITS | low)
    }

    #[inline]
    pub(crate) fn state(self) -> State {
        let (frame, flag) = (FrameNo(self.0 & LOW), self.0 >> BITS & 1 != 0);
        match self.0 >> BITS {
            WRITING_BACK.. => State::WritingBack { frame, promised: flag },
            RESIDENT.. => State::Resident { frame, dirty: flag },
            PAGING_IN => State::PagingIn(frame),
            WANTED => State::Wanted,
            ABSENT => State::Absent,
            _ => State::Free,
        }
    }

    /// Who waits for the page, if it is wanted.
    #[inline]
    pub(crate) fn wanted_by(self) -> List {
        if self.0 >> BITS == WANTED { List::from_bits(self.0) } else { List::EMPTY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_comes_back_out_of_its_word() {
        for frame in [FrameNo(0), FrameNo(5), FrameNo(MAX_FRAMES - 1)] {
            let flags = [false, true].into_iter();
            let in_frame = flags.flat_map(|flag| {
                [State::Resident { frame, dirty: flag }, State::WritingBack { frame, promised: flag }]
            });
            let others = [State::Free, State::Absent, State::Wanted, State::PagingIn(frame)];
            for state in in_frame.chain(others) {
                assert_eq!(Word::of(state).state(), state);
                assert!(Word::of(state).wanted_by().is_empty());
            }
        }
    }

    #[test]
    fn a_wanted_page_knows_who_waits() {
        for list in [List::from_bits(0), List::from_bits(List::MASK - 1), List::EMPTY] {
            assert_eq!(Word::wanted(list).state(), State::Wanted);
            assert_eq!(Word::wanted(list).wanted_by(), list);
        }
    }
}
