//! Frames in a circle with a hand: the one structure under FIFO, Clock and their kin.

use crate::FrameNo;
use alloc::{boxed::Box, vec};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    next: u32,
    prev: u32,
}

/// A circular list over frames `0..frames`, 8 bytes a frame, every operation O(1).
///
/// ```text
///        hand
///         v
///   ... [tail] [head] [ ] [ ] ...        the frame just behind the hand is the tail
/// ```
#[derive(Clone, Debug)]
pub struct Ring {
    links: Box<[Link]>,
    hand: u32,
    len: u32,
}

impl Ring {
    /// An empty ring with room for `frames` frames.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        let unlinked = Link { next: NONE, prev: NONE };
        Ring { links: vec![unlinked; frames as usize].into_boxed_slice(), hand: NONE, len: 0 }
    }

    /// Number of frames in the ring.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether no frame is in the ring.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `frame` is in the ring.
    #[must_use]
    pub fn contains(&self, frame: FrameNo) -> bool {
        self.links.get(frame.index()).is_some_and(|link| link.next != NONE)
    }

    /// The frame at the hand.
    #[must_use]
    pub fn head(&self) -> Option<FrameNo> {
        (self.hand != NONE).then_some(FrameNo(self.hand))
    }

    /// The frame after `frame`, round the circle. `frame` must be in the ring.
    #[must_use]
    pub fn after(&self, frame: FrameNo) -> FrameNo {
        FrameNo(self.links[frame.index()].next)
    }

    /// Moves the hand on by one: the head becomes the tail.
    pub fn rotate(&mut self) {
        if self.hand != NONE {
            self.hand = self.links[self.hand as usize].next;
        }
    }

    /// Puts `frame` at the tail. It must not be in the ring.
    pub fn push_tail(&mut self, frame: FrameNo) {
        assert!(!self.contains(frame), "ring: frame {frame} admitted twice");
        let new = frame.0;
        if self.hand == NONE {
            self.links[frame.index()] = Link { next: new, prev: new };
            self.hand = new;
        } else {
            let tail = self.links[self.hand as usize].prev;
            self.links[frame.index()] = Link { next: self.hand, prev: tail };
            self.links[tail as usize].next = new;
            self.links[self.hand as usize].prev = new;
        }
        self.len += 1;
    }

    /// Takes `frame` out; the order of the others stays. It must be in the ring.
    pub fn unlink(&mut self, frame: FrameNo) {
        assert!(self.contains(frame), "ring: frame {frame} removed but never admitted");
        let Link { next, prev } = self.links[frame.index()];
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
        self.links[frame.index()] = Link { next: NONE, prev: NONE };
        self.len -= 1;
        if self.hand == frame.0 {
            self.hand = if self.len == 0 { NONE } else { next };
        }
    }

    /// Visits every frame once, from the hand on.
    pub fn visit(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.visit_while(&mut |frame| {
            visit(frame);
            true
        });
    }

    /// Visits frames from the hand on, as long as `visit` says so.
    pub fn visit_while(&self, visit: &mut dyn FnMut(FrameNo) -> bool) {
        let mut at = self.hand;
        for _ in 0..self.len {
            if !visit(FrameNo(at)) {
                return;
            }
            at = self.links[at as usize].next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn order(ring: &Ring) -> Vec<u32> {
        let mut seen = Vec::new();
        ring.visit(&mut |frame| seen.push(frame.0));
        seen
    }

    #[test]
    fn tail_is_just_behind_the_hand() {
        let mut ring = Ring::new(4);
        for frame in [2, 0, 3] {
            ring.push_tail(FrameNo(frame));
        }
        ring.rotate();
        ring.push_tail(FrameNo(1));
        assert_eq!(order(&ring), [0, 3, 2, 1]);
    }

    #[test]
    fn unlinking_keeps_the_order_of_the_others() {
        let mut ring = Ring::new(4);
        (0..4).for_each(|frame| ring.push_tail(FrameNo(frame)));
        ring.unlink(FrameNo(0));
        ring.unlink(FrameNo(2));
        assert_eq!(order(&ring), [1, 3]);
        ring.unlink(FrameNo(3));
        ring.unlink(FrameNo(1));
        assert!(ring.is_empty() && ring.head().is_none());
    }
}
