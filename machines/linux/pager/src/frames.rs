//! Where the bytes of each frame are: the machine's own side of the core map.
//!
//! A frame has no fixed memory here. A private page's bytes lie in its arena's memory file at the page's own offset, a
//! file page's in the object's; on the way there they are in a staging buffer.
//!
//! ```text
//! Nowhere -> Zeros | Buffer -> Filling -> Placed -> Nowhere
//! ```

use crate::rewrites::Expected;
use crate::tickets::MOST_ARENAS;
use mager_pager::{Access, ArenaId, FrameNo, Home, ObjectNo, Site, VirtPage};
use mager_stores::BufferNo;
use std::ops::{Index, IndexMut};

/// The memory file and the page of it that a frame's bytes belong to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Place {
    None,
    /// An arena's memory file.
    Private(Site),
    /// An object's memory file.
    Object(ObjectNo, u32),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::None => f.write_str("a page"),
            Place::Private(site) => write!(f, "page {site}"),
            Place::Object(object, block) => write!(f, "block {block} of object {object}"),
        }
    }
}

impl Place {
    pub(crate) fn of(home: Home, at: Site) -> Self {
        match home {
            Home::Swap(_) => Place::Private(at),
            Home::Object(object, block) => Place::Object(object, block.0),
        }
    }

    /// The page's index in its memory file.
    pub(crate) fn index(self) -> u32 {
        match self {
            Place::None => unreachable!("frames: a frame without a place has no bytes"),
            Place::Private(Site { page: VirtPage(page), .. }) => page,
            Place::Object(_, block) => block,
        }
    }
}

/// Where the bytes are now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bytes {
    Nowhere,
    /// All zero, and nowhere yet.
    Zeros,
    /// In a staging buffer only.
    Buffer(BufferNo),
    /// On its way into the memory file, with others: see `fills`.
    Filling,
    /// In the memory file.
    Placed,
}

/// The input or output a frame is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum InFlight {
    No,
    Reading(BufferNo),
    /// `BufferNo` has a copy of the bytes, taken when they were made read-only.
    Writing(BufferNo),
    /// Asked for, and waiting for a staging buffer.
    Queued,
    /// Done, but the core has not been told.
    Answered,
}

/// What is known of a frame, in 16 bytes: there are as many as there is memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// The arena's slot, or one of `OBJECT` and `NO_PLACE`; then its generation and the page, or the object and the block.
    kind: u16,
    file: u32,
    index: u32,
    bytes: u16,
    in_flight: u16,
    /// Of a private page: what its one site was last let do.
    pub(crate) shown: Option<Access>,
    flags: u8,
}

/// Read on a guess whose outcome is of interest: it is not shown before it is touched.
const FAINT: u8 = 1;
/// The agent has been asked to take its entry away, and may not have done so yet.
const CLEARING: u8 = 2;
/// The page was read, and is expected to be written to.
const EXPECTED: u8 = 4;
/// The page was read; whether it is written to decides about others.
const PROBE: u8 = 8;

const _: () = assert!(size_of::<Frame>() == 16);

const OBJECT: u16 = u16::MAX;
const NO_PLACE: u16 = u16::MAX - 1;

const NOWHERE: u16 = u16::MAX;
const ZEROS: u16 = u16::MAX - 1;
const FILLING: u16 = u16::MAX - 2;
const PLACED: u16 = u16::MAX - 3;

const NO: u16 = u16::MAX;
const QUEUED: u16 = u16::MAX - 1;
const ANSWERED: u16 = u16::MAX - 2;
/// Beside the number of a buffer: it is written from, not read into.
const WRITING: u16 = 1 << 15;

/// So many staging buffers can be numbered, and told from what is not a buffer.
pub(crate) const MOST_BUFFERS: u16 = WRITING / 2;

const _: () = assert!(MOST_ARENAS <= NO_PLACE as u32);

fn short(buffer: BufferNo) -> u16 {
    let short = u16::try_from(buffer.0).ok().filter(|&short| short < MOST_BUFFERS);
    short.expect("frames: there are at most MOST_BUFFERS staging buffers")
}

fn buffer(bits: u16) -> BufferNo {
    BufferNo(bits.into())
}

impl Frame {
    pub(crate) const EMPTY: Frame =
        Frame { kind: NO_PLACE, file: 0, index: 0, bytes: NOWHERE, in_flight: NO, shown: None, flags: 0 };

    /// A frame whose bytes belong to `place`.
    pub(crate) fn new(place: Place, bytes: Bytes) -> Self {
        let mut frame = Frame::EMPTY;
        frame.set_place(place);
        frame.set_bytes(bytes);
        frame
    }

    pub(crate) fn place(&self) -> Place {
        match self.kind {
            NO_PLACE => Place::None,
            OBJECT => Place::Object(ObjectNo(self.file), self.index),
            slot => Place::Private(Site {
                arena: ArenaId { slot: slot.into(), generation: self.file },
                page: VirtPage(self.index),
            }),
        }
    }

    pub(crate) fn set_place(&mut self, place: Place) {
        (self.kind, self.file, self.index) = match place {
            Place::None => (NO_PLACE, 0, 0),
            Place::Object(object, block) => (OBJECT, object.0, block),
            Place::Private(Site { arena: ArenaId { slot, generation }, page }) => {
                let slot = u16::try_from(slot).ok().filter(|&slot| slot < NO_PLACE);
                (slot.expect("frames: there are at most MOST_ARENAS arenas"), generation, page.0)
            }
        };
    }

    pub(crate) fn bytes(&self) -> Bytes {
        match self.bytes {
            NOWHERE => Bytes::Nowhere,
            ZEROS => Bytes::Zeros,
            FILLING => Bytes::Filling,
            PLACED => Bytes::Placed,
            bits => Bytes::Buffer(buffer(bits)),
        }
    }

    pub(crate) fn set_bytes(&mut self, bytes: Bytes) {
        self.bytes = match bytes {
            Bytes::Nowhere => NOWHERE,
            Bytes::Zeros => ZEROS,
            Bytes::Filling => FILLING,
            Bytes::Placed => PLACED,
            Bytes::Buffer(buffer) => short(buffer),
        };
    }

    fn flag(&mut self, flag: u8, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }

    pub(crate) fn is_faint(&self) -> bool {
        self.flags & FAINT != 0
    }

    pub(crate) fn set_faint(&mut self, faint: bool) {
        self.flag(FAINT, faint);
    }

    pub(crate) fn is_clearing(&self) -> bool {
        self.flags & CLEARING != 0
    }

    pub(crate) fn set_clearing(&mut self, clearing: bool) {
        self.flag(CLEARING, clearing);
    }

    pub(crate) fn expect(&mut self, expected: Expected) {
        self.flag(EXPECTED, expected == Expected::Write);
        self.flag(PROBE, expected == Expected::Probe);
    }

    /// Whether it is expected to be written to. Asked once.
    pub(crate) fn take_expected(&mut self) -> bool {
        let expected = self.flags & EXPECTED != 0;
        self.flag(EXPECTED, false);
        expected
    }

    /// Whether its outcome is of interest. Asked once.
    pub(crate) fn take_probe(&mut self) -> bool {
        let probe = self.flags & PROBE != 0;
        self.flag(PROBE, false);
        probe
    }

    pub(crate) fn in_flight(&self) -> InFlight {
        match self.in_flight {
            NO => InFlight::No,
            QUEUED => InFlight::Queued,
            ANSWERED => InFlight::Answered,
            bits if bits & WRITING != 0 => InFlight::Writing(buffer(bits & !WRITING)),
            bits => InFlight::Reading(buffer(bits)),
        }
    }

    pub(crate) fn set_in_flight(&mut self, in_flight: InFlight) {
        self.in_flight = match in_flight {
            InFlight::No => NO,
            InFlight::Queued => QUEUED,
            InFlight::Answered => ANSWERED,
            InFlight::Reading(buffer) => short(buffer),
            InFlight::Writing(buffer) => short(buffer) | WRITING,
        };
    }
}

#[derive(Debug)]
pub(crate) struct Frames(Box<[Frame]>);

impl Frames {
    pub(crate) fn new(count: u32) -> Self {
        Frames(vec![Frame::EMPTY; count as usize].into_boxed_slice())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.0.iter()
    }
}

impl Index<FrameNo> for Frames {
    type Output = Frame;
    fn index(&self, frame: FrameNo) -> &Frame {
        &self.0[frame.index()]
    }
}

impl IndexMut<FrameNo> for Frames {
    fn index_mut(&mut self, frame: FrameNo) -> &mut Frame {
        &mut self.0[frame.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: BufferNo = BufferNo(MOST_BUFFERS as u32 - 1);

    #[test]
    fn what_was_put_into_a_frame_comes_back() {
        let arena = ArenaId { slot: MOST_ARENAS - 1, generation: u32::MAX };
        let mut frame = Frame::EMPTY;
        for place in [
            Place::Private(Site { arena, page: VirtPage(u32::MAX) }),
            Place::Private(Site { arena: ArenaId { slot: 0, generation: 0 }, page: VirtPage(0) }),
            Place::Object(ObjectNo(u32::MAX), u32::MAX),
            Place::None,
        ] {
            frame.set_place(place);
            assert_eq!(frame.place(), place);
        }
        let buffers = [BufferNo(0), LAST].map(Bytes::Buffer);
        for bytes in buffers.into_iter().chain([Bytes::Nowhere, Bytes::Zeros, Bytes::Filling, Bytes::Placed])
        {
            frame.set_bytes(bytes);
            assert_eq!(frame.bytes(), bytes);
        }
        let buffers = [BufferNo(0), LAST].into_iter();
        let ios = buffers.flat_map(|buffer| [InFlight::Reading(buffer), InFlight::Writing(buffer)]);
        for io in ios.chain([InFlight::No, InFlight::Queued, InFlight::Answered]) {
            frame.set_in_flight(io);
            assert_eq!(frame.in_flight(), io);
        }
    }

    #[test]
    #[should_panic(expected = "at most MOST_BUFFERS")]
    fn a_buffer_beyond_the_last_is_refused() {
        Frame::new(Place::None, Bytes::Buffer(BufferNo(LAST.0 + 1)));
    }
}
