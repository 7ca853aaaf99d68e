//! ARC: recency and frequency, each with a memory of what it lost, share the frames between them.
//!
//! Source: N. Megiddo and D. Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003. T1 holds pages
//! touched once lately, T2 those touched again; B1 and B2 are their ghosts. A hit in B1 says T1 was too small, one
//! in B2 that T2 was; the target `p` for T1 moves accordingly, by a real number as in the paper.
//!
//! Observes every access: simulator only. O(1); 13 bytes a frame, twice that in ghosts, 4 a page ever evicted.
//! Shines where the best balance of recency and frequency changes; resists scans; loops still defeat it.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};

const T1: usize = 0;
const T2: usize = 1;
const B1: usize = 2;
const B2: usize = 3;

/// Adaptive replacement cache.
#[derive(Clone, Debug)]
pub struct Arc {
    queues: Queues<4>,
    frames: u32,
    target: f64,
    /// The incoming page whose ghost hit has moved the target already: a second proposal must not move it again.
    counted: Option<PageNo>,
}

impl Arc {
    /// Over frames `0..frames`, as in the paper.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        let queues = Queues::new(frames, frames.saturating_mul(2));
        Arc { queues, frames, target: 0.0, counted: None }
    }

    /// Moves the target for a hit on the ghost of `page`, once.
    fn adapt(&mut self, page: PageNo, hit: usize) {
        if self.counted == Some(page) {
            return;
        }
        self.counted = Some(page);
        let (b1, b2) = (f64::from(self.queues.len(B1)), f64::from(self.queues.len(B2)));
        let by = if hit == B1 { b2 / b1 } else { b1 / b2 }.max(1.0);
        let moved = if hit == B1 { self.target + by } else { self.target - by };
        self.target = moved.clamp(0.0, f64::from(self.frames));
    }

    fn ghost_queue(&self, page: Option<PageNo>) -> Option<usize> {
        self.queues.ghost(page?).and_then(|ghost| self.queues.queue_of(ghost))
    }

    /// Keeps the history as long as the paper does, before a page without history comes in.
    fn trim(&mut self) {
        let room = self.frames.saturating_sub(1 + self.queues.len(T1));
        self.queues.trim(B1, room);
        let others = self.queues.len(T1) + self.queues.len(T2) + self.queues.len(B1);
        self.queues.trim(B2, (2 * self.frames).saturating_sub(1 + others));
    }
}

impl Policy for Arc {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let to = match self.queues.ghost(page) {
            Some(ghost) => {
                self.adapt(page, self.queues.queue_of(ghost).unwrap_or(B1));
                self.queues.exhume(ghost);
                T2
            }
            None => {
                self.trim();
                T1
            }
        };
        self.counted = None;
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

    #[inline]
    fn touched(&mut self, frame: FrameNo) {
        self.queues.move_to(T2, frame.0);
    }

    /// The paper's REPLACE.
    fn victim(&mut self, incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let hit = self.ghost_queue(incoming);
        if let (Some(page), Some(queue)) = (incoming, hit) {
            self.adapt(page, queue);
        }
        let recent = f64::from(self.queues.len(T1));
        let from_recent = recent > self.target || (hit == Some(B2) && recent >= self.target);
        let (first, second) = if from_recent { (T1, T2) } else { (T2, T1) };
        let found = self.queues.evictable(first, frames).or_else(|| self.queues.evictable(second, frames))?;
        self.queues.pass(found);
        Some(FrameNo(found))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queues.visit(T1, visit);
        self.queues.visit(T2, visit);
    }
}
