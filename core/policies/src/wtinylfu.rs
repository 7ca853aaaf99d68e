//! W-TinyLFU: a small window for newcomers; to stay, a page must be more popular than the one it displaces.
//!
//! Source: G. Einziger, R. Friedman and B. Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM TOS
//! 2017. The window (`window`, a hundredth of the frames) is an LRU. What leaves it competes with the oldest page on
//! probation in the main part, a segmented LRU (`protected`, four fifths of it, for pages touched there again): the
//! one counted less often is the victim. Popularity counts to 15 and is halved after every ten times as many touches
//! as there are frames, so that the past fades.
//!
//! The paper counts in a sketch, by hashing; here each page has a counter of its own, exact, halved when it is next
//! looked at. Observes every access: simulator only. O(1); 13 bytes a frame, 4 a page. Shines on stable skew with
//! many pages touched once; slower than LRU to follow sudden bursts.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};
use alloc::{boxed::Box, vec, vec::Vec};

const WINDOW: usize = 0;
const PROBATION: usize = 1;
const PROTECTED: usize = 2;

/// The highest popularity, four bits of it.
const MOST: u32 = 15;

/// How often each page was touched lately: four bits of count, and when it was last brought up to date.
#[derive(Clone, Debug)]
struct Popularity {
    counts: Vec<u32>,
    touches: u32,
    sample: u32,
    halvings: u32,
}

impl Popularity {
    fn current(&self, packed: u32) -> u32 {
        (packed & MOST).checked_shr(self.halvings - (packed >> 4)).unwrap_or(0)
    }

    fn of(&self, page: u32) -> u32 {
        self.counts.get(page as usize).map_or(0, |&packed| self.current(packed))
    }

    fn touch(&mut self, page: u32) {
        if self.counts.len() <= page as usize {
            self.counts.resize((page as usize + 1).next_power_of_two(), 0);
        }
        let count = MOST.min(self.current(self.counts[page as usize]) + 1);
        self.counts[page as usize] = self.halvings << 4 | count;
        self.touches += 1;
        if self.touches == self.sample {
            self.touches = 0;
            self.halvings += 1;
        }
    }

    fn forget(&mut self, page: u32) {
        if let Some(packed) = self.counts.get_mut(page as usize) {
            *packed = 0;
        }
    }
}

/// Window, probation and protection.
#[derive(Clone, Debug)]
pub struct WTinyLfu {
    queues: Queues<3>,
    pages: Box<[u32]>,
    popularity: Popularity,
    most_window: u32,
    most_protected: u32,
}

impl WTinyLfu {
    /// Over frames `0..frames`, with the paper's shares.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        let window = part(frames, 0.01).max(1);
        WTinyLfu::with(frames, window, part(frames.saturating_sub(window), 0.8))
    }

    /// Over frames `0..frames`, with the given sizes of the window and of the protected segment.
    #[must_use]
    pub fn with(frames: u32, most_window: u32, most_protected: u32) -> Self {
        let sample = frames.saturating_mul(10).max(1);
        WTinyLfu {
            queues: Queues::new(frames, 0),
            pages: vec![0; frames as usize].into_boxed_slice(),
            popularity: Popularity { counts: Vec::new(), touches: 0, sample, halvings: 0 },
            most_window,
            most_protected,
        }
    }

    fn popularity(&self, frame: u32) -> u32 {
        self.popularity.of(self.pages[frame as usize])
    }

    /// The window's oldest against the main part's: the less popular one, and whether the window won.
    fn compete(&self, frames: &impl Frames) -> Option<(u32, Option<u32>)> {
        let main =
            self.queues.evictable(PROBATION, frames).or_else(|| self.queues.evictable(PROTECTED, frames));
        let window = self.queues.evictable(WINDOW, frames);
        let full = self.queues.len(WINDOW) >= self.most_window;
        match (window, main) {
            (Some(candidate), Some(victim)) if full => {
                let wins = self.popularity(candidate) > self.popularity(victim);
                Some(if wins { (victim, Some(candidate)) } else { (candidate, None) })
            }
            (_, Some(victim)) => Some((victim, None)),
            (Some(candidate), None) => Some((candidate, None)),
            (None, None) => None,
        }
    }
}

impl Configured for WTinyLfu {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        let window = options.share("window", 0.01, frames)?.clamp(1, frames.max(1));
        let protected = options.share("protected", 0.8, frames.saturating_sub(window))?;
        Ok(WTinyLfu::with(frames, window, protected))
    }
}

impl Policy for WTinyLfu {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    /// Newcomers enter the window; while frames are free, what no longer fits there moves to the main part.
    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        self.pages[frame.index()] = page.0;
        self.popularity.touch(page.0);
        self.queues.push(WINDOW, frame.0);
        while self.queues.len(WINDOW) > self.most_window {
            let oldest = self.queues.head(WINDOW).expect("longer than nothing");
            self.queues.move_to(PROBATION, oldest);
        }
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.queues.unlink(frame.0);
    }

    fn forget(&mut self, page: PageNo) {
        self.popularity.forget(page.0);
    }

    fn touched(&mut self, frame: FrameNo) {
        self.popularity.touch(self.pages[frame.index()]);
        if self.queues.queue_of(frame.0) != Some(PROBATION) {
            return self.queues.pass(frame.0);
        }
        self.queues.move_to(PROTECTED, frame.0);
        if self.queues.len(PROTECTED) > self.most_protected {
            let oldest = self.queues.head(PROTECTED).expect("longer than nothing");
            self.queues.move_to(PROBATION, oldest);
        }
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let (victim, winner) = self.compete(frames)?;
        if let Some(winner) = winner {
            self.queues.move_to(PROBATION, winner);
        }
        self.queues.pass(victim);
        Some(FrameNo(victim))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        [WINDOW, PROBATION, PROTECTED].into_iter().for_each(|queue| self.queues.visit(queue, visit));
    }
}
