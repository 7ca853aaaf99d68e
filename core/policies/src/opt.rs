//! OPT: the frame whose next touch lies farthest ahead goes first.
//!
//! Source: L. A. Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer", 1966: no policy has
//! fewer faults. It must be told the future ([`Policy::foretold`]), so it runs in simulators only: the yardstick the
//! others are held against.
//!
//! O(log frames) a fault; a touch costs less, since pages touched often lie at the bottom of the heap. 16 bytes a
//! frame. A frame that may not be evicted at the top of the heap costs a search through all.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy};
use alloc::{boxed::Box, vec, vec::Vec};

const NONE: u32 = u32::MAX;
/// Children of a node of the heap: four, so that it is half as deep as with two.
const WIDTH: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Entry {
    next: u64,
    frame: u32,
}

/// Belady's optimum, by a heap of the next touches.
#[derive(Clone, Debug)]
pub struct Opt {
    heap: Vec<Entry>,
    place: Box<[u32]>,
}

impl Opt {
    /// An empty heap over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Opt {
            heap: Vec::with_capacity(frames as usize),
            place: vec![NONE; frames as usize].into_boxed_slice(),
        }
    }

    fn set(&mut self, at: usize, entry: Entry) {
        self.heap[at] = entry;
        self.place[entry.frame as usize] = u32::try_from(at).expect("no more entries than frames");
    }

    /// Moves the entry at `at` up to where none above is nearer.
    fn up(&mut self, mut at: usize) -> usize {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / WIDTH;
            if self.heap[parent].next >= entry.next {
                break;
            }
            self.set(at, self.heap[parent]);
            at = parent;
        }
        self.set(at, entry);
        at
    }

    /// Moves the entry at `at` down to where none below is farther.
    fn down(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while let Some(child) = self.farthest_child(at) {
            if self.heap[child].next <= entry.next {
                break;
            }
            self.set(at, self.heap[child]);
            at = child;
        }
        self.set(at, entry);
    }

    fn farthest_child(&self, at: usize) -> Option<usize> {
        let first = at * WIDTH + 1;
        let last = (first + WIDTH).min(self.heap.len());
        (first..last).max_by_key(|&child| self.heap[child].next)
    }

    fn foretell(&mut self, frame: u32, next: u64) {
        let at = self.place[frame as usize] as usize;
        self.heap[at].next = next;
        let at = self.up(at);
        self.down(at);
    }

    /// The farthest frame that may be evicted.
    fn farthest(&self, frames: &impl Frames) -> Option<u32> {
        let top =
            self.heap.first().map(|entry| entry.frame).filter(|&frame| frames.evictable(FrameNo(frame)));
        top.or_else(|| {
            let free = self.heap.iter().filter(|entry| frames.evictable(FrameNo(entry.frame)));
            free.max_by_key(|entry| entry.next).map(|entry| entry.frame)
        })
    }
}

impl Policy for Opt {
    fn needs(&self) -> Observes {
        Observes::Future
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        assert!(self.place[frame.index()] == NONE, "opt: frame {frame} admitted twice");
        self.heap.push(Entry { next: 0, frame: frame.0 });
        self.place[frame.index()] = u32::try_from(self.heap.len() - 1).expect("no more entries than frames");
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        let at = core::mem::replace(&mut self.place[frame.index()], NONE);
        assert!(at != NONE, "opt: frame {frame} removed but never admitted");
        let last = self.heap.pop().expect("it has an entry");
        if last.frame != frame.0 {
            self.set(at as usize, last);
            let at = self.up(at as usize);
            self.down(at);
        }
    }

    fn foretold(&mut self, frame: FrameNo, next: u64) {
        self.foretell(frame.0, next);
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let frame = self.farthest(frames)?;
        Some(FrameNo(frame))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        let mut sorted = self.heap.clone();
        sorted.sort_by_key(|entry| core::cmp::Reverse(entry.next));
        sorted.iter().for_each(|entry| visit(FrameNo(entry.frame)));
    }
}
