//! Where the bytes of each frame are: the machine's own side of the core map.
//!
//! A frame has no fixed memory here. A private page's bytes lie in its arena's memory file at the page's own offset, a
//! file page's in the object's; on the way there they are in a staging buffer.
//!
//! ```text
//! Nowhere -> Zeros | Buffer -> Filling -> Placed -> Nowhere
//! ```

use mager_pager::{Access, FrameNo, Home, ObjectNo, Site, VirtPage};
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

#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) place: Place,
    pub(crate) bytes: Bytes,
    pub(crate) in_flight: InFlight,
    /// Of a private page: what its one site was last let do.
    pub(crate) shown: Option<Access>,
}

impl Frame {
    pub(crate) const EMPTY: Frame =
        Frame { place: Place::None, bytes: Bytes::Nowhere, in_flight: InFlight::No, shown: None };
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
