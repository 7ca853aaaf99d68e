//! Generations, in the style of Linux's multi-generational LRU.
//!
//! Source: Yu Zhao, "Multi-Gen LRU", Linux 6.1 (`Documentation/mm/multigen_lru.rst`). Frames are of two to four
//! generations. Newcomers join the youngest. *Aging*, after every `period` admissions (a quarter of the frames) and
//! after a tick, begins a new generation, looks at all frames and moves the touched ones to it. Victims come from
//! the oldest generation; one that was touched meanwhile joins the youngest instead. Of Linux's machinery the
//! generations are here; tiers and their feedback, which are about file descriptors, are not.
//!
//! Observes reference bits. Aging costs O(frames), shared by the faults between two: O(1) amortised; 9 bytes a
//! frame. Shines on phases: a whole generation is let go together.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    looks::Looks,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};

const MOST: usize = 4;

/// Up to four generations; generation `g` is queue `g % 4`.
#[derive(Clone, Debug)]
pub struct Mglru {
    queues: Queues<MOST>,
    oldest: usize,
    youngest: usize,
    looks: Looks,
}

impl Mglru {
    /// Over frames `0..frames`, aging after every quarter of them was admitted.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Mglru::aging_every(frames, part(frames, 0.25))
    }

    /// Over frames `0..frames`, aging after every `period` admissions.
    #[must_use]
    pub fn aging_every(frames: u32, period: u32) -> Self {
        Mglru { queues: Queues::new(frames, 0), oldest: 0, youngest: 1, looks: Looks::every(period) }
    }

    fn generations(&self) -> impl Iterator<Item = usize> + use<> {
        (self.oldest..=self.youngest).map(|generation| generation % MOST)
    }

    /// A new generation of all frames touched lately, unless there are four already: then they join the youngest.
    fn age(&mut self, frames: &mut impl Frames) {
        let older = self.generations();
        let lens = [0, 1, 2, 3].map(|queue| self.queues.len(queue));
        if self.youngest - self.oldest + 1 < MOST {
            self.youngest += 1;
        }
        for queue in older {
            for _ in 0..lens[queue] {
                let node = self.queues.head(queue).expect("as many as were counted");
                self.renew(node, queue, frames);
            }
        }
    }

    /// A touched frame joins the youngest generation, another stays in its own. Whether it was touched.
    fn renew(&mut self, node: u32, queue: usize, frames: &mut impl Frames) -> bool {
        let touched = frames.referenced(FrameNo(node));
        if touched {
            frames.unreference(FrameNo(node));
        }
        self.queues.move_to(if touched { self.youngest % MOST } else { queue }, node);
        touched
    }

    /// Lets empty old generations go; at least two remain.
    fn retire(&mut self) {
        while self.queues.len(self.oldest % MOST) == 0 && self.oldest + 1 < self.youngest {
            self.oldest += 1;
        }
    }

    /// The oldest generation is empty and only one follows: that one becomes the oldest.
    fn turn(&mut self) {
        self.oldest += 1;
        self.youngest += 1;
    }
}

impl Configured for Mglru {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(Mglru::aging_every(frames, options.share("period", 0.25, frames)?))
    }
}

impl Policy for Mglru {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.queues.push(self.youngest % MOST, frame.0);
        self.looks.admitted();
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.queues.unlink(frame.0);
    }

    fn resize(&mut self, frames: u32) {
        self.looks.resize(frames, self.queues.frames());
    }

    fn tick(&mut self) {
        self.looks.tick();
    }

    /// Each step undoes a reference, passes a frame that cannot go, or turns to the next generation.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        if self.looks.take() {
            self.age(frames);
        }
        let all: u32 = (0..MOST).map(|queue| self.queues.len(queue)).sum();
        for _ in 0..3 * u64::from(all) + 4 {
            self.retire();
            let queue = self.oldest % MOST;
            let Some(node) = self.queues.head(queue) else {
                self.turn();
                continue;
            };
            if !frames.evictable(FrameNo(node)) {
                let behind = self.queues.evictable(queue, frames).is_some();
                self.queues.move_to(if behind { queue } else { self.youngest % MOST }, node);
            } else if !self.renew(node, queue, frames) {
                return Some(FrameNo(node));
            }
        }
        self.generations().find_map(|queue| self.queues.evictable(queue, frames)).map(FrameNo)
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.generations().for_each(|queue| self.queues.visit(queue, visit));
    }
}
