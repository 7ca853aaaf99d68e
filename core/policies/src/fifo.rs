//! FIFO: the frame that came first goes first.
//!
//! Source: L. A. Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer", 1966. Observes
//! faults only; O(1). The yardstick: cheap, blind to use, and subject to Belady's anomaly (more frames can mean
//! more faults).

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, Ring};

/// First in, first out.
#[derive(Clone, Debug)]
pub struct Fifo {
    ring: Ring,
}

impl Fifo {
    /// A queue over frames `0..frames`, at first empty.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Fifo { ring: Ring::new(frames) }
    }
}

impl Policy for Fifo {
    fn needs(&self) -> Observes {
        Observes::Faults
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.ring.push_tail(frame);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.ring.unlink(frame);
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        for _ in 0..self.ring.len() {
            let head = self.ring.head()?;
            self.ring.rotate();
            if frames.evictable(head) {
                return Some(head);
            }
        }
        None
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.ring.visit(visit);
    }
}
