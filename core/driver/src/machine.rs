//! What a machine has to do.

use mager_pager::{Access, Denied, Event, FrameNo, Home, Site, SwapBlock, Ticket};

/// The instant side: mappings and bytes. Nothing here can fail, and all of it is done when the call returns.
///
/// What each effect means, and what `from == to` says in [`Hardware::copy`], stands at
/// [`Effect`](mager_pager::Effect).
pub trait Hardware {
    /// Installs or changes a mapping.
    fn map(&mut self, at: Site, frame: FrameNo, access: Access);
    /// Takes the reference bit of a mapping away; a machine whose bits go when they are harvested does nothing.
    fn clear(&mut self, at: Site, frame: FrameNo) {
        let _ = (at, frame);
    }
    /// Takes a mapping away.
    fn unmap(&mut self, at: Site, frame: FrameNo);
    /// Fills a frame with zeros.
    fn zero(&mut self, frame: FrameNo, at: Site);
    /// Copies a frame's bytes.
    fn copy(&mut self, from: FrameNo, to: FrameNo, at: Site);
    /// The bytes of a frame are not needed any more; a machine that could not give the memory back does nothing.
    fn empty(&mut self, frame: FrameNo) {
        let _ = frame;
    }
    /// Lets a faulter, or whoever asked for a flush, go on.
    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>);
}

/// One input or output, known by its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Io {
    /// Fill a frame from a page's home.
    Read {
        /// The frame to fill.
        frame: FrameNo,
        /// Where the contents are.
        home: Home,
        /// The site it is for.
        at: Site,
    },
    /// Write a frame's contents home.
    Write {
        /// The frame to write.
        frame: FrameNo,
        /// Where to.
        home: Home,
    },
}

/// The slow side: reads and writes. Each one started is answered exactly once.
pub trait Paging {
    /// Starts an input or output. It may well be finished when the call returns.
    fn start(&mut self, io: Io);
    /// The contents of a swap block are not needed any more; a store that could not give the room back does nothing.
    fn release(&mut self, block: SwapBlock) {
        let _ = block;
    }
    /// The next answer, if one is there: [`Event::Read`] or [`Event::Written`].
    fn finished(&mut self) -> Option<Event>;
}
