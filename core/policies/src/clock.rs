//! Clock, or second chance.
//!
//! Source: F. J. Corbató, "A Paging Experiment with the Multics System", 1969. Frames stand in a circle in the
//! order in which they came; the hand passes a referenced frame by, taking its reference away, and proposes the
//! first one that nobody touched since the hand's last visit.
//!
//! Observes reference bits. O(1) amortised: each step of the hand undoes one reference. Shines on skewed and
//! phased access; on a loop larger than memory it degrades to FIFO, as every policy of its kind.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, Ring};

/// Second chance over a circular list; the hand's position persists.
#[derive(Clone, Debug)]
pub struct Clock {
    ring: Ring,
}

impl Clock {
    /// A clock over frames `0..frames`, at first empty.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Clock { ring: Ring::new(frames) }
    }
}

impl Policy for Clock {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.ring.push_tail(frame);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.ring.unlink(frame);
    }

    /// One full sweep clears every reference, so the second finds a victim if there is one.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        for _ in 0..2 * u64::from(self.ring.len()) {
            let head = self.ring.head()?;
            self.ring.rotate();
            if !frames.evictable(head) {
                continue;
            }
            if !frames.referenced(head) {
                return Some(head);
            }
            frames.unreference(head);
        }
        None
    }

    fn upcoming(&self, victims: u32, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        let mut left = victims;
        self.ring.visit_while(&mut |frame| {
            if left > 0 && !spare(frame) {
                left -= 1;
            }
            left > 0
        });
        true
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.ring.visit(visit);
    }
}
