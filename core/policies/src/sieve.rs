//! SIEVE: a hand that sweeps a queue nobody is ever moved in.
//!
//! Source: Y. Zhang and others, "SIEVE is Simpler than LRU", NSDI 2024. Pages enter at the tail and stay where they
//! are. The hand goes from the oldest towards the newest, takes references away and proposes the first frame
//! without one; from the newest it goes back to the oldest. A page that came after the hand passed is met early:
//! quick demotion of what is never touched again.
//!
//! Observes reference bits. O(1) amortised, 9 bytes a frame. Shines on skewed access; scans pass through it without
//! much harm, but on strong phases it keeps the old phase longer than Clock does.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};

/// Lazy promotion, quick demotion.
#[derive(Clone, Debug)]
pub struct Sieve {
    queue: Queues<1>,
    /// The frame looked at next; none: the oldest.
    hand: Option<u32>,
}

impl Sieve {
    /// An empty queue over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Sieve { queue: Queues::new(frames, 0), hand: None }
    }
}

impl Policy for Sieve {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    #[inline]
    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.queue.push(0, frame.0);
    }

    #[inline]
    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        if self.hand == Some(frame.0) {
            self.hand = self.queue.after(frame.0);
        }
        self.queue.unlink(frame.0);
    }

    #[inline]
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        for _ in 0..2 * u64::from(self.queue.len(0)) {
            let node = self.hand.or(self.queue.head(0))?;
            self.hand = self.queue.after(node);
            let frame = FrameNo(node);
            if !frames.evictable(frame) {
                continue;
            }
            if !frames.referenced(frame) {
                return Some(frame);
            }
            frames.unreference(frame);
        }
        None
    }

    fn upcoming(&self, victims: u32, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        let (mut left, mut at) = (victims, self.hand.or(self.queue.head(0)));
        for _ in 0..self.queue.len(0) {
            let Some(node) = at.filter(|_| left > 0) else { break };
            left -= u32::from(!spare(FrameNo(node)));
            at = self.queue.after(node).or(self.queue.head(0));
        }
        true
    }

    /// From the hand to the newest, then from the oldest to the hand.
    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        let mut at = self.hand.or(self.queue.head(0));
        for _ in 0..self.queue.len(0) {
            let Some(node) = at else { return };
            visit(FrameNo(node));
            at = self.queue.after(node).or(self.queue.head(0));
        }
    }
}
