//! The waist between policies and whoever holds the frames.

use core::fmt;

/// One page-sized slot of physical memory: a dense index into the core map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FrameNo(pub u32);

/// One page's worth of contents, resident or not. Numbers are dense and used again after [`Policy::forget`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PageNo(pub u32);

impl FrameNo {
    /// As an index into the core map.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl PageNo {
    /// As an index into a table of pages.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for FrameNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PageNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a policy must be told to do its work; with it, where it can run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Observes {
    /// Nothing but the faults themselves: runs everywhere.
    Faults,
    /// Reference bits, set by hardware or emulated by traps: runs on every machine.
    ReferenceBits,
    /// Every single access: simulator only.
    EveryAccess,
    /// The accesses still to come: simulator only.
    Future,
}

/// Why a frame left the policy's care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// It was the victim: its page may come back, and a ghost history may want to know.
    Evicted,
    /// Its page was dropped or pinned; the policy did not choose this.
    Freed,
}

/// A page-replacement policy over frames `0..frames`.
///
/// Laws, checked by [`crate::laws`]: a victim is a frame that was admitted, has not been removed since and is
/// [`Frames::evictable`]; `None` only if there is no such frame; the same calls give the same victims.
pub trait Policy {
    /// What this policy must be told.
    fn needs(&self) -> Observes;

    /// `frame` became resident with the contents of `page`, just now referenced.
    fn admit(&mut self, frame: FrameNo, page: PageNo);

    /// `frame` is no longer this policy's: it was evicted or freed. Must have been admitted.
    fn remove(&mut self, frame: FrameNo, why: Gone);

    /// `page` is gone for good; its number will be used again for other contents.
    fn forget(&mut self, page: PageNo) {
        let _ = page;
    }

    /// `frame` was touched; called only where [`Policy::needs`] says [`Observes::EveryAccess`] or more.
    fn touched(&mut self, frame: FrameNo) {
        let _ = frame;
    }

    /// The page in `frame` will be touched next at time `next` (`u64::MAX`: never again); called after every
    /// [`Policy::admit`] and [`Policy::touched`], only where [`Policy::needs`] says [`Observes::Future`].
    fn foretold(&mut self, frame: FrameNo, next: u64) {
        let _ = (frame, next);
    }

    /// From here on so many frames are to hold pages; the others are withheld, or kept free. At the start all are. Shares
    /// of the frames that a policy keeps follow.
    fn resize(&mut self, frames: u32) {
        let _ = frames;
    }

    /// Time passed: a chance to age.
    fn tick(&mut self) {}

    /// Proposes a victim for `incoming` (`None`: contents never seen before). The frame stays the policy's until
    /// [`Policy::remove`]; if it is kept after all (its write failed), it counts as just passed by.
    fn victim(&mut self, incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo>;

    /// Looks ahead, for who gathers reference bits before they are needed: `spare` is asked about the frames that so many
    /// victims will be taken from, in that order, and says whether this one will be spared, for a reference or because it
    /// cannot be taken; and about frames that will lose their references meanwhile, whatever it says. `false`: this
    /// policy cannot tell, and nothing was asked.
    fn upcoming(&self, victims: u32, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        let _ = (victims, spare);
        false
    }

    /// Visits every admitted frame, the next candidate first: for faces that show the policy's state.
    fn order(&self, visit: &mut dyn FnMut(FrameNo));
}

/// What a policy may ask of the core map while it looks for a victim.
pub trait Frames {
    /// Resident, not pinned, not in flight.
    fn evictable(&self, frame: FrameNo) -> bool;
    /// Contents newer than their home: evicting costs a write.
    fn dirty(&self, frame: FrameNo) -> bool;
    /// Touched since it was last unreferenced.
    fn referenced(&self, frame: FrameNo) -> bool;
    /// Takes the second chance away; where reference bits are emulated, the next touch will trap.
    fn unreference(&mut self, frame: FrameNo);
}
