//! S3-FIFO: three FIFO queues; most newcomers leave from the small one.
//!
//! Source: J. Yang and others, "FIFO Queues are All You Need for Cache Eviction", SOSP 2023. New pages enter a small
//! queue (`small`, a tenth of the frames); from its head a page that was touched moves to the main queue, another
//! leaves and is remembered by a ghost (`ghost`, nine tenths); a page that comes back while its ghost lives goes to
//! the main queue at once. The main queue is a clock.
//!
//! By default it lives on reference bits (one bit, one touch moves a page on), so it runs on every machine. The
//! paper counts touches up to 3 and asks for two: `counts=1` does that, and observes every access. `fill-main=1` is
//! a variant of some simulators: until the first eviction, what the small queue has no room for goes to the main
//! one.
//!
//! The paper evicts from the main queue as well when a page moves on and that queue is full, so that one fault may
//! free two frames; here, as in libCacheSim, it then holds a little more than its share until the next fault.
//!
//! O(1) amortised; 14 bytes a frame, 13 a ghost, 4 a page ever evicted. Shines on skew with many pages touched
//! once; a page whose second touch comes a little after the small queue let it go pays twice.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};
use alloc::{boxed::Box, vec};

const SMALL: usize = 0;
const MAIN: usize = 1;
const GHOST: usize = 2;

/// Small, main and ghost queues.
#[derive(Clone, Debug)]
pub struct S3Fifo {
    queues: Queues<3>,
    most_small: u32,
    most_main: u32,
    most_ghosts: u32,
    /// Touches of each frame, where they are counted.
    counts: Option<Box<[u8]>>,
    /// Touches that move a page from the small queue to the main one.
    enough: u8,
    fill_main: bool,
}

impl S3Fifo {
    /// Over frames `0..frames`, on reference bits, with the paper's shares.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        S3Fifo::with(frames, part(frames, 0.1), part(frames, 0.9))
    }

    /// Over frames `0..frames`, on reference bits.
    #[must_use]
    pub fn with(frames: u32, most_small: u32, most_ghosts: u32) -> Self {
        // Between two admissions no more than all frames can leave a ghost.
        let queues = Queues::new(frames, most_ghosts.saturating_add(frames));
        let most_main = frames.saturating_sub(most_small);
        S3Fifo { queues, most_small, most_main, most_ghosts, counts: None, enough: 1, fill_main: false }
    }

    /// Counts touches up to 3, as the paper does; `enough` of them move a page on.
    #[must_use]
    pub fn counting(self, enough: u8) -> Self {
        let counts = vec![0; self.queues.frames() as usize].into_boxed_slice();
        S3Fifo { counts: Some(counts), enough, ..self }
    }

    fn touches(&self, frame: FrameNo, frames: &impl Frames) -> u8 {
        match &self.counts {
            Some(counts) => counts[frame.index()],
            None => u8::from(frames.referenced(frame)),
        }
    }

    /// Takes `touches` from `frame`'s count, or its reference away.
    fn spend(&mut self, frame: FrameNo, touches: u8, frames: &mut impl Frames) {
        match &mut self.counts {
            Some(counts) => counts[frame.index()] -= touches,
            None => frames.unreference(frame),
        }
    }

    /// The queue to take from: the main one if it has more than its share, and when the small one is empty.
    fn first_queue(&self) -> usize {
        let small = self.queues.len(MAIN) <= self.most_main && self.queues.len(SMALL) > 0;
        if small || self.queues.len(MAIN) == 0 { SMALL } else { MAIN }
    }

    /// Looks at the head of the small queue: the victim, or one page moved on.
    fn pass_small(&mut self, frame: FrameNo, frames: &mut impl Frames) -> Option<FrameNo> {
        let touches = self.touches(frame, frames);
        if touches < self.enough {
            self.queues.pass(frame.0);
            return Some(frame);
        }
        self.spend(frame, touches, frames);
        self.queues.move_to(MAIN, frame.0);
        None
    }

    /// Looks at the head of the main queue: the victim, or another round for it.
    fn pass_main(&mut self, frame: FrameNo, frames: &mut impl Frames) -> Option<FrameNo> {
        let touches = self.touches(frame, frames);
        if touches > 0 {
            self.spend(frame, 1, frames);
        }
        self.queues.pass(frame.0);
        (touches == 0).then_some(frame)
    }
}

impl Configured for S3Fifo {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        let (small, ghost) = (options.share("small", 0.1, frames)?, options.share("ghost", 0.9, frames)?);
        let plain = S3Fifo::with(frames, small.min(frames), ghost);
        let counting = options.count("counts", 0, 0)? != 0;
        let enough = options.count("enough", if counting { 2 } else { 1 }, 1)?;
        let enough = u8::try_from(enough).ok().filter(|&e| e <= if counting { 3 } else { 1 });
        let enough = enough.ok_or(BadSpec::BadValue("enough", "1, or up to 3 with counts=1"))?;
        let fill_main = options.count("fill-main", 0, 0)? != 0;
        let policy = if counting { plain.counting(enough) } else { plain };
        Ok(S3Fifo { fill_main, ..policy })
    }
}

impl Policy for S3Fifo {
    fn needs(&self) -> Observes {
        if self.counts.is_some() { Observes::EveryAccess } else { Observes::ReferenceBits }
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let ghost = self.queues.ghost(page);
        if let Some(ghost) = ghost {
            self.queues.exhume(ghost);
        }
        self.queues.trim(GHOST, self.most_ghosts);
        let overflow = self.fill_main && self.queues.len(SMALL) >= self.most_small;
        self.queues.set_page(frame, page);
        self.queues.push(if ghost.is_some() || overflow { MAIN } else { SMALL }, frame.0);
        if let Some(counts) = &mut self.counts {
            counts[frame.index()] = 0;
        }
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        if self.queues.unlink(frame.0) == SMALL && why == Gone::Evicted {
            self.queues.bury(GHOST, frame);
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.queues.ghost(page) {
            self.queues.exhume(ghost);
        }
    }

    #[inline]
    fn touched(&mut self, frame: FrameNo) {
        if let Some(counts) = &mut self.counts {
            counts[frame.index()] = 3.min(counts[frame.index()] + 1);
        }
    }

    /// Each step moves a page on, takes a touch from it, or finds the victim.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        self.fill_main = false;
        let mut queue = self.first_queue();
        for _ in 0..6 * u64::from(self.queues.len(SMALL) + self.queues.len(MAIN)) {
            if self.queues.len(queue) == 0 {
                queue = self.first_queue();
            }
            let frame = FrameNo(self.queues.head(queue)?);
            if !frames.evictable(frame) {
                self.queues.pass(frame.0);
                continue;
            }
            let victim =
                if queue == SMALL { self.pass_small(frame, frames) } else { self.pass_main(frame, frames) };
            if victim.is_some() {
                return victim;
            }
        }
        let left = self.queues.evictable(SMALL, frames).or_else(|| self.queues.evictable(MAIN, frames));
        left.map(FrameNo)
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queues.visit(SMALL, visit);
        self.queues.visit(MAIN, visit);
    }
}
