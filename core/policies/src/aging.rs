//! Aging: LRU approximated by a short history of reference bits.
//!
//! Source: A. Tanenbaum, "Modern Operating Systems" (NFU with aging). Each frame has a history of seven bits. A
//! *look*, after every `period` admissions (a quarter of the frames) and after a tick, shifts every history right and
//! puts the reference bit, which it takes away, in front. The victim is the frame with the smallest history; among
//! equals, the one that has had it longest. A newcomer counts as touched.
//!
//! Observes reference bits. A look costs O(frames), shared by the faults between two looks: O(1) amortised; 10 bytes
//! a frame. Shines where Clock is too coarse and LRU too dear.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    looks::Looks,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};

const HISTORIES: usize = 128;
const TOUCHED: usize = HISTORIES / 2;

/// Histories of reference bits; a frame's history is the queue it is in.
#[derive(Clone, Debug)]
pub struct Aging {
    by_history: Queues<HISTORIES>,
    looks: Looks,
}

impl Aging {
    /// Over frames `0..frames`, looking after every quarter of them was admitted.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Aging::looking_every(frames, part(frames, 0.25))
    }

    /// Over frames `0..frames`, looking after every `period` admissions.
    #[must_use]
    pub fn looking_every(frames: u32, period: u32) -> Self {
        Aging { by_history: Queues::new(frames, 0), looks: Looks::every(period) }
    }

    /// Each history moves to its half, lowest first; touched frames to the upper end as well.
    fn look(&mut self, frames: &mut impl Frames) {
        let lens: [u32; HISTORIES] = core::array::from_fn(|history| self.by_history.len(history));
        for (history, len) in lens.into_iter().enumerate() {
            for _ in 0..len {
                let node = self.by_history.head(history).expect("as many as were counted");
                let touched = frames.referenced(FrameNo(node));
                frames.unreference(FrameNo(node));
                self.by_history.move_to(history / 2 + if touched { TOUCHED } else { 0 }, node);
            }
        }
    }
}

impl Configured for Aging {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(Aging::looking_every(frames, options.share("period", 0.25, frames)?))
    }
}

impl Policy for Aging {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.by_history.push(TOUCHED, frame.0);
        self.looks.admitted();
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.by_history.unlink(frame.0);
    }

    fn resize(&mut self, frames: u32) {
        self.looks.resize(frames, self.by_history.frames());
    }

    fn tick(&mut self) {
        self.looks.tick();
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        if self.looks.take() {
            self.look(frames);
        }
        let found = (0..HISTORIES).find_map(|history| self.by_history.evictable(history, frames))?;
        self.by_history.pass(found);
        Some(FrameNo(found))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        (0..HISTORIES).for_each(|history| self.by_history.visit(history, visit));
    }
}
