//! CAR: ARC with two clocks in the place of two LRU lists.
//!
//! Source: S. Bansal and D. Modha, "CAR: Clock with Adaptive Replacement", FAST 2004. T1 and T2 are clocks, B1 and
//! B2 LRU lists of their ghosts. The hand of T1 moves a referenced frame to T2; the hand of T2 gives it another
//! round. The target `p` for T1 follows the ghost hits as in ARC.
//!
//! Observes reference bits, so it runs on every machine. O(1) amortised; 13 bytes a frame, twice that in ghosts,
//! 4 a page ever evicted. Shines as ARC does, without having to see every access.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};

const T1: usize = 0;
const T2: usize = 1;
const B1: usize = 2;
const B2: usize = 3;

/// Clock with adaptive replacement.
#[derive(Clone, Debug)]
pub struct Car {
    queues: Queues<4>,
    /// Those in circulation.
    frames: u32,
    target: f64,
}

impl Car {
    /// Over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Car { queues: Queues::new(frames, frames.saturating_mul(2)), frames, target: 0.0 }
    }

    fn adapt(&mut self, hit: usize) {
        let (b1, b2) = (f64::from(self.queues.len(B1)), f64::from(self.queues.len(B2)));
        let moved =
            if hit == B1 { self.target + (b2 / b1).max(1.0) } else { self.target - (b1 / b2).max(1.0) };
        self.target = moved.clamp(0.0, f64::from(self.frames));
    }

    /// Before a page without history comes in: one ghost leaves if the history is full.
    fn trim(&mut self) {
        let room = self.frames.saturating_sub(1 + self.queues.len(T1));
        self.queues.trim(B1, room);
        let others = self.queues.len(T1) + self.queues.len(T2) + self.queues.len(B1);
        self.queues.trim(B2, (2 * self.frames).saturating_sub(1 + others));
    }

    /// The hand passes the head of `clock`: the victim, if it is one.
    fn pass(&mut self, clock: usize, frames: &mut impl Frames) -> Option<FrameNo> {
        let frame = FrameNo(self.queues.head(clock)?);
        if !frames.evictable(frame) {
            self.queues.pass(frame.0);
            return None;
        }
        if frames.referenced(frame) {
            frames.unreference(frame);
            self.queues.move_to(T2, frame.0);
            return None;
        }
        self.queues.pass(frame.0);
        Some(frame)
    }
}

impl Policy for Car {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let to = match self.queues.ghost(page) {
            Some(ghost) => {
                self.adapt(self.queues.queue_of(ghost).unwrap_or(B1));
                self.queues.exhume(ghost);
                T2
            }
            None => {
                self.trim();
                T1
            }
        };
        self.queues.set_page(frame, page);
        self.queues.push(to, frame.0);
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        let from = self.queues.unlink(frame.0);
        if why == Gone::Evicted {
            self.queues.bury(if from == T1 { B1 } else { B2 }, frame);
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.queues.ghost(page) {
            self.queues.exhume(ghost);
        }
    }

    fn resize(&mut self, frames: u32) {
        self.frames = frames;
        self.target = self.target.min(f64::from(frames));
    }

    /// Three rounds find a victim unless the clock they stay in holds only frames that cannot go.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        for _ in 0..3 * u64::from(self.queues.len(T1) + self.queues.len(T2)) {
            let recent = self.queues.len(T1);
            let clock = if f64::from(recent) >= self.target.max(1.0) { T1 } else { T2 };
            let clock = if self.queues.len(clock) == 0 { T1 } else { clock };
            if let Some(victim) = self.pass(clock, frames) {
                return Some(victim);
            }
        }
        let left = self.queues.evictable(T1, frames).or_else(|| self.queues.evictable(T2, frames));
        left.map(FrameNo)
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queues.visit(T1, visit);
        self.queues.visit(T2, visit);
    }
}
