//! LFU: the frame that was touched least often goes first; among equals, the one touched longest ago.
//!
//! Source: E. Coffman and P. Denning, "Operating Systems Theory", 1973; in O(1) after D. Matani and others, "An
//! O(1) Algorithm for Implementing the LFU Cache Eviction Scheme", 2010. The count starts again when a page comes
//! back (in-memory LFU).
//!
//! Observes every access: simulator only. O(1) a touch and a fault; 21 bytes a frame. Shines on a skew that never
//! changes; pages that were hot once stay for ever.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};
use alloc::{boxed::Box, vec, vec::Vec};

/// All frames with the same count: a stretch of the one queue.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    count: u32,
    last: u32,
}

/// Least frequently used.
#[derive(Clone, Debug)]
pub struct Lfu {
    /// By count, then by last touch.
    queue: Queues<1>,
    stretches: Vec<Stretch>,
    stretch_of: Box<[u32]>,
    free: Vec<u32>,
}

impl Lfu {
    /// An empty queue over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        let empty = Stretch { count: 0, last: 0 };
        Lfu {
            queue: Queues::new(frames, 0),
            stretches: vec![empty; frames as usize + 1],
            stretch_of: vec![0; frames as usize].into_boxed_slice(),
            free: (0..=frames).rev().collect(),
        }
    }

    fn stretch(&self, frame: u32) -> Stretch {
        self.stretches[self.stretch_of[frame as usize] as usize]
    }

    /// The stretch that `node` is in, if its count is `count`.
    fn with_count(&self, node: Option<u32>, count: u32) -> Option<u32> {
        node.filter(|&n| self.stretch(n).count == count).map(|n| self.stretch_of[n as usize])
    }

    /// Takes `frame` out of its stretch and of the queue.
    fn leave(&mut self, frame: u32) {
        let own = self.stretch_of[frame as usize];
        if self.stretches[own as usize].last == frame {
            match self.queue.before(frame).filter(|&n| self.stretch_of[n as usize] == own) {
                Some(before) => self.stretches[own as usize].last = before,
                None => self.free.push(own),
            }
        }
        self.queue.unlink(frame);
    }

    /// Puts `frame` at the end of the stretch of `count`, which follows `behind`.
    fn join(&mut self, frame: u32, count: u32, behind: Option<u32>) {
        let next = match behind {
            Some(node) => self.queue.after(node),
            None => self.queue.head(0),
        };
        let (stretch, behind) = match self.with_count(next, count) {
            Some(found) => (found, Some(self.stretches[found as usize].last)),
            None => (self.free.pop().expect("lfu: no more stretches than frames"), behind),
        };
        self.queue.push_behind(behind, 0, frame);
        self.stretches[stretch as usize] = Stretch { count, last: frame };
        self.stretch_of[frame as usize] = stretch;
    }

    fn raise(&mut self, frame: u32) {
        let Stretch { count, last } = self.stretch(frame);
        let behind = if last == frame { self.queue.before(frame) } else { Some(last) };
        self.leave(frame);
        self.join(frame, count.saturating_add(1), behind);
    }
}

impl Policy for Lfu {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.join(frame.0, 1, None);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.leave(frame.0);
    }

    fn touched(&mut self, frame: FrameNo) {
        self.raise(frame.0);
    }

    /// A victim that is kept after all has one touch more, so that others get their turn.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let least = self.queue.evictable(0, frames)?;
        self.raise(least);
        Some(FrameNo(least))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queue.visit(0, visit);
    }
}
