//! 2Q: new pages queue apart, and only those that come back are kept long.
//!
//! Source: T. Johnson and D. Shasha, "2Q: A Low Overhead High Performance Buffer Management Replacement Algorithm",
//! VLDB 1994, the full version: A1in is a FIFO of resident newcomers (`in`, a quarter of the frames), A1out a FIFO
//! of their ghosts (`out`, half the frames), Am an LRU of pages that came back from A1out. A touch in A1in changes
//! nothing: one burst of touches is one reason to keep a page, not many.
//!
//! Observes every access: simulator only. O(1); 13 bytes a frame, 13 a ghost, 4 a page ever evicted. Shines against
//! scans; its fixed shares fit some loads better than others.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};

const IN: usize = 0;
const MAIN: usize = 1;
const OUT: usize = 2;

/// The full 2Q.
#[derive(Clone, Debug)]
pub struct TwoQ {
    queues: Queues<3>,
    most_in: u32,
    most_out: u32,
}

impl TwoQ {
    /// Over frames `0..frames`, with the shares the paper recommends.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        TwoQ::with(frames, part(frames, 0.25), part(frames, 0.5))
    }

    /// Over frames `0..frames`, with room for `most_in` newcomers and `most_out` ghosts.
    #[must_use]
    pub fn with(frames: u32, most_in: u32, most_out: u32) -> Self {
        // Between two admissions no more than all frames can leave a ghost.
        TwoQ { queues: Queues::new(frames, most_out.saturating_add(frames)), most_in, most_out }
    }
}

impl Configured for TwoQ {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(TwoQ::with(frames, options.share("in", 0.25, frames)?, options.share("out", 0.5, frames)?))
    }
}

impl Policy for TwoQ {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let back = self.queues.ghost(page);
        if let Some(ghost) = back {
            self.queues.exhume(ghost);
        }
        self.queues.trim(OUT, self.most_out);
        self.queues.set_page(frame, page);
        self.queues.push(if back.is_some() { MAIN } else { IN }, frame.0);
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        let from = self.queues.unlink(frame.0);
        if from == IN && why == Gone::Evicted {
            self.queues.bury(OUT, frame);
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.queues.ghost(page) {
            self.queues.exhume(ghost);
        }
    }

    #[inline]
    fn touched(&mut self, frame: FrameNo) {
        if self.queues.queue_of(frame.0) == Some(MAIN) {
            self.queues.pass(frame.0);
        }
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let (first, second) = if self.queues.len(IN) > self.most_in { (IN, MAIN) } else { (MAIN, IN) };
        let found = self.queues.evictable(first, frames).or_else(|| self.queues.evictable(second, frames))?;
        self.queues.pass(found);
        Some(FrameNo(found))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queues.visit(IN, visit);
        self.queues.visit(MAIN, visit);
    }
}
