//! GCLOCK: a clock whose frames may earn more than one second chance.
//!
//! Source: A. J. Smith, "Sequentiality and Prefetching in Database Systems", 1978. Each frame has a counter. The
//! hand adds one for a frame that was touched since its last visit and takes one from a frame that was not; a
//! victim is an untouched frame at zero. (Smith counts every access; counting visits of the hand needs no more
//! than reference bits.)
//!
//! Observes reference bits. A victim costs O(1) amortised: a step of the hand undoes one reference or one count.
//! 9 bytes a frame. Shines where some pages are much hotter than others; slow to let yesterday's hot pages go.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy, Ring,
    options::{BadSpec, Configured, Options},
};
use alloc::{boxed::Box, vec};

/// Clock with a counter for each frame.
#[derive(Clone, Debug)]
pub struct Gclock {
    ring: Ring,
    counts: Box<[u8]>,
    max: u8,
}

impl Gclock {
    /// Over frames `0..frames`, with counters up to 3.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Gclock::counting_to(frames, 3)
    }

    /// Over frames `0..frames`, with counters up to `max`.
    #[must_use]
    pub fn counting_to(frames: u32, max: u8) -> Self {
        Gclock { ring: Ring::new(frames), counts: vec![0; frames as usize].into_boxed_slice(), max }
    }

    /// The hand passes `frame`: whether it is the victim.
    fn passed(&mut self, frame: FrameNo, frames: &mut impl Frames) -> bool {
        let count = &mut self.counts[frame.index()];
        if frames.referenced(frame) {
            frames.unreference(frame);
            *count = self.max.min(count.saturating_add(1));
            return false;
        }
        let spent = *count == 0;
        *count = count.saturating_sub(1);
        spent
    }
}

impl Configured for Gclock {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        let max = options.count("max", 3, 0)?;
        let max = u8::try_from(max).map_err(|_| BadSpec::BadValue("max", "at most 255"))?;
        Ok(Gclock::counting_to(frames, max))
    }
}

impl Policy for Gclock {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.counts[frame.index()] = 0;
        self.ring.push_tail(frame);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.ring.unlink(frame);
    }

    /// One round clears every reference, `max` more bring every counter to zero, one more finds the victim.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        for _ in 0..(u64::from(self.max) + 3) * u64::from(self.ring.len()) {
            let head = self.ring.head()?;
            self.ring.rotate();
            if frames.evictable(head) && self.passed(head, frames) {
                return Some(head);
            }
        }
        None
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.ring.visit(visit);
    }
}
