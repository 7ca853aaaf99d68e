//! Queues of resident frames and of ghosts, threaded through one array of nodes.
//!
//! A node below the number of frames is that frame; the nodes above are ghosts: pages that were evicted and are
//! remembered for a while. A node is in at most one of the `N` queues; each queue is a circle through a sentinel,
//! so that linking never branches. Every operation is O(1); a ghost is found by page number in a table, no hashing.
//! The tables of nodes begin as zeros, which the system provides as they are touched: ghosts that never were cost no
//! memory.

use crate::{FrameNo, Frames, PageNo};
use alloc::{boxed::Box, vec, vec::Vec};

const NONE: u32 = u32::MAX;
/// In no queue; the queues are numbered from one here.
const OUT: u8 = 0;

/// The nodes on both sides of one.
type Link = [u32; 2];
const NEXT: usize = 0;
const PREV: usize = 1;

/// `N` queues over frames and ghosts; the head is the end that leaves first.
#[derive(Clone, Debug)]
pub(crate) struct Queues<const N: usize> {
    links: Box<[Link]>,
    queue_of: Box<[u8]>,
    lens: [u32; N],
    frames: u32,
    nodes: u32,
    /// The page of each node; empty where no ghosts are kept.
    pages: Box<[u32]>,
    /// The ghost of each page, if it has one.
    ghost_of: Vec<u32>,
    /// Ghosts that are free, the last one first; linked to the next.
    free: u32,
    /// From here on nodes have never been used.
    unused: u32,
}

/// Of a node in `queue`.
fn mark(queue: usize) -> u8 {
    u8::try_from(queue + 1).expect("a few queues")
}

impl<const N: usize> Queues<N> {
    /// Empty queues over `frames` frames and at most `ghosts` ghosts.
    pub(crate) fn new(frames: u32, ghosts: u32) -> Self {
        let nodes = frames.checked_add(ghosts).expect("frames and ghosts together fit 32 bits");
        let all = nodes as usize + N;
        let mut links: Box<[Link]> = vec![[0; 2]; all].into_boxed_slice();
        for (at, link) in (nodes..).zip(&mut links[nodes as usize..]) {
            *link = [at; 2];
        }
        let pages = if ghosts == 0 { 0 } else { nodes as usize };
        Queues {
            links,
            queue_of: vec![OUT; nodes as usize].into_boxed_slice(),
            lens: [0; N],
            frames,
            nodes,
            pages: vec![0; pages].into_boxed_slice(),
            ghost_of: Vec::new(),
            free: NONE,
            unused: frames,
        }
    }

    #[inline]
    fn sentinel(&self, queue: usize) -> u32 {
        self.nodes + u32::try_from(queue).expect("few queues")
    }

    #[inline]
    pub(crate) fn len(&self, queue: usize) -> u32 {
        self.lens[queue]
    }

    /// The node that leaves `queue` first.
    #[inline]
    pub(crate) fn head(&self, queue: usize) -> Option<u32> {
        let node = self.links[self.sentinel(queue) as usize][NEXT];
        (node < self.nodes).then_some(node)
    }

    /// The node behind `node` in its queue, towards the tail.
    #[inline]
    pub(crate) fn after(&self, node: u32) -> Option<u32> {
        let next = self.links[node as usize][NEXT];
        (next < self.nodes).then_some(next)
    }

    /// The node before `node` in its queue, towards the head.
    #[inline]
    pub(crate) fn before(&self, node: u32) -> Option<u32> {
        let prev = self.links[node as usize][PREV];
        (prev < self.nodes).then_some(prev)
    }

    /// The queue `node` is in.
    #[inline]
    pub(crate) fn queue_of(&self, node: u32) -> Option<usize> {
        let queue = self.queue_of[node as usize];
        (queue != OUT).then(|| usize::from(queue - 1))
    }

    /// The number of frames there are.
    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    /// Whether `node` is a frame and not a ghost.
    #[inline]
    pub(crate) fn is_frame(&self, node: u32) -> bool {
        node < self.frames
    }

    /// Puts `node`, which is in no queue, at the tail of `queue`.
    #[inline]
    pub(crate) fn push(&mut self, queue: usize, node: u32) {
        assert!(self.queue_of[node as usize] == OUT, "queues: frame {node} admitted twice");
        let end = self.sentinel(queue);
        self.insert_before(end, queue, node);
    }

    /// Puts `node` between `at` and the one before it.
    #[inline]
    fn insert_before(&mut self, at: u32, queue: usize, node: u32) {
        let prev = self.links[at as usize][PREV];
        self.links[node as usize] = [at, prev];
        self.links[prev as usize][NEXT] = node;
        self.links[at as usize][PREV] = node;
        self.queue_of[node as usize] = mark(queue);
        self.lens[queue] += 1;
    }

    /// Puts `node`, which is in no queue, behind `at`, or at the head of `queue`.
    pub(crate) fn push_behind(&mut self, at: Option<u32>, queue: usize, node: u32) {
        assert!(self.queue_of[node as usize] == OUT, "queues: frame {node} admitted twice");
        let at = at.unwrap_or(self.sentinel(queue));
        self.insert_before(self.links[at as usize][NEXT], queue, node);
    }

    /// Takes `node` out of its queue, and says which that was.
    #[inline]
    pub(crate) fn unlink(&mut self, node: u32) -> usize {
        let queue = self.queue_of(node).expect("queues: frame removed but never admitted");
        let [next, prev] = self.links[node as usize];
        self.links[prev as usize][NEXT] = next;
        self.links[next as usize][PREV] = prev;
        self.queue_of[node as usize] = OUT;
        self.lens[queue] -= 1;
        queue
    }

    /// Moves `node` to the tail of `queue`.
    #[inline]
    pub(crate) fn move_to(&mut self, queue: usize, node: u32) {
        let from = self.queue_of(node).expect("queues: only admitted frames are moved");
        self.relink(queue, node);
        if from != queue {
            self.queue_of[node as usize] = mark(queue);
            self.lens[from] -= 1;
            self.lens[queue] += 1;
        }
    }

    /// Lets `node` be passed by: to the tail of the queue it is in.
    #[inline]
    pub(crate) fn pass(&mut self, node: u32) {
        let queue =
            if N == 1 { 0 } else { self.queue_of(node).expect("queues: only admitted frames are passed") };
        self.relink(queue, node);
    }

    /// Changes the links alone: out of where `node` is, to the tail of `queue`.
    #[inline]
    fn relink(&mut self, queue: usize, node: u32) {
        let [next, prev] = self.links[node as usize];
        self.links[prev as usize][NEXT] = next;
        self.links[next as usize][PREV] = prev;
        let end = self.sentinel(queue);
        let tail = self.links[end as usize][PREV];
        self.links[node as usize] = [end, tail];
        self.links[tail as usize][NEXT] = node;
        self.links[end as usize][PREV] = node;
    }

    /// The first frame of `queue`, from the head, that may be evicted.
    #[inline]
    pub(crate) fn evictable(&self, queue: usize, frames: &impl Frames) -> Option<u32> {
        let mut at = self.head(queue);
        while let Some(node) = at {
            if self.is_frame(node) && frames.evictable(FrameNo(node)) {
                return at;
            }
            at = self.after(node);
        }
        None
    }

    /// Remembers which page is in `frame`, so that its eviction can leave a ghost.
    #[inline]
    pub(crate) fn set_page(&mut self, frame: FrameNo, page: PageNo) {
        self.pages[frame.index()] = page.0;
    }

    /// The page of `node`.
    #[inline]
    pub(crate) fn page(&self, node: u32) -> PageNo {
        PageNo(self.pages[node as usize])
    }

    /// The ghost of `page`.
    #[inline]
    pub(crate) fn ghost(&self, page: PageNo) -> Option<u32> {
        self.ghost_of.get(page.index()).copied().filter(|&node| node != NONE)
    }

    /// Puts a ghost of the page that was in `frame` at the tail of `queue`.
    pub(crate) fn bury(&mut self, queue: usize, frame: FrameNo) -> u32 {
        let ghost = self.new_ghost(frame);
        self.push(queue, ghost);
        ghost
    }

    /// Puts a ghost in the place of `frame`, in the same queue.
    pub(crate) fn bury_in_place(&mut self, frame: FrameNo) -> u32 {
        let ghost = self.new_ghost(frame);
        let next = self.links[frame.index()][NEXT];
        let queue = self.unlink(frame.0);
        self.insert_before(next, queue, ghost);
        ghost
    }

    fn new_ghost(&mut self, frame: FrameNo) -> u32 {
        let page = self.page(frame.0);
        let ghost = self.free_node();
        if self.ghost_of.len() <= page.index() {
            self.ghost_of.resize((page.index() + 1).next_power_of_two(), NONE);
        }
        self.ghost_of[page.index()] = ghost;
        self.pages[ghost as usize] = page.0;
        ghost
    }

    fn free_node(&mut self) -> u32 {
        if self.free == NONE {
            assert!(self.unused < self.nodes, "queues: ghosts are trimmed before there are too many");
            self.unused += 1;
            return self.unused - 1;
        }
        let node = self.free;
        self.free = self.links[node as usize][NEXT];
        node
    }

    /// Forgets a ghost, and says which queue it was in.
    pub(crate) fn exhume(&mut self, ghost: u32) -> usize {
        assert!(!self.is_frame(ghost), "queues: only ghosts are forgotten");
        self.ghost_of[self.pages[ghost as usize] as usize] = NONE;
        let queue = self.unlink(ghost);
        self.links[ghost as usize][NEXT] = self.free;
        self.free = ghost;
        queue
    }

    /// Forgets the oldest ghosts of `queue` until at most `most` are left.
    #[inline]
    pub(crate) fn trim(&mut self, queue: usize, most: u32) {
        while self.len(queue) > most {
            let oldest = self.head(queue).expect("a queue longer than nothing has a head");
            self.exhume(oldest);
        }
    }

    /// Visits the frames of `queue` from the head on, ghosts left out.
    pub(crate) fn visit(&self, queue: usize, visit: &mut dyn FnMut(FrameNo)) {
        let mut at = self.head(queue);
        while let Some(node) = at {
            if self.is_frame(node) {
                visit(FrameNo(node));
            }
            at = self.after(node);
        }
    }
}
