//! LRU: the frame that was touched longest ago goes first.
//!
//! Source: R. L. Mattson and others, "Evaluation Techniques for Storage Hierarchies", 1970 (the stack algorithms).
//! Observes every access, so it runs in simulators only; O(1) a touch and a fault, 9 bytes a frame. Shines on
//! plain locality; one scan larger than memory washes everything out, and a loop one page too long always misses.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};

/// Least recently used.
#[derive(Clone, Debug)]
pub struct Lru {
    queue: Queues<1>,
}

impl Lru {
    /// An empty queue over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Lru { queue: Queues::new(frames, 0) }
    }
}

impl Policy for Lru {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    #[inline]
    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.queue.push(0, frame.0);
    }

    #[inline]
    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.queue.unlink(frame.0);
    }

    #[inline]
    fn touched(&mut self, frame: FrameNo) {
        self.queue.pass(frame.0);
    }

    #[inline]
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let oldest = self.queue.evictable(0, frames)?;
        self.queue.pass(oldest);
        Some(FrameNo(oldest))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queue.visit(0, visit);
    }
}
