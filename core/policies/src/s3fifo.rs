//! S3-FIFO: three FIFO queues; most newcomers leave from the small one.
//!
//! Source: J. Yang and others, "FIFO Queues are All You Need for Cache Eviction", SOSP 2023. New pages enter a small
//! queue (`small`, a tenth of the frames); from its head a page that was touched moves to the main queue, another
//! leaves and is remembered by a ghost (`ghost`, nine tenths); a page that comes back while its ghost lives goes to
//! the main queue at once. The main queue is a clock.
//!
//! By default it lives on reference bits (one bit, one touch moves a page on), so it runs on every machine. On a
//! machine the very fault that brings a page in sets its bit, and where bits are emulated a touch is seen only after
//! the bit was taken away: so the newcomers of the small queue (`fresh`, half of it) are left alone, and bits are
//! taken away where the older ones begin, of which touches count. `fresh=0` is the paper's small queue.
//!
//! ```text
//! admit --> fresh --bit taken--> watched --touched--> main (a clock; the bit stays)
//!                                        --untouched--> out, and a ghost:  admit of a ghost --> main
//! ```
//! Where a touch costs a trap the main queue spares at most one page for each victim, on average; the next is then
//! taken though it was touched.
//!
//! The paper counts touches up to 3 and asks for two: `counts=1` does that, observes every access, and has no fresh
//! part. `fill-main=1` is a variant of some simulators: until the first eviction, what the small queue has no room
//! for goes to the main one.
//!
//! The paper evicts from the main queue as well when a page moves on and that queue is full, so that one fault may
//! free two frames; here, as in libCacheSim, it then holds a little more than its share until the next fault.
//!
//! O(1) amortised; 14 bytes a frame, 13 a ghost, 4 a page ever evicted. Shines on skew with many pages touched
//! once; a page whose second touch comes a little after the small queue let it go pays twice.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options, part, scaled},
    queues::Queues,
};
use alloc::{boxed::Box, vec};

/// The small queue: newcomers, and those whose touches count.
const FRESH: usize = 0;
const WATCHED: usize = 1;
const MAIN: usize = 2;
const GHOST: usize = 3;

/// Of the small queue.
const FRESH_PART: f64 = 0.5;
/// Newcomers that begin to be watched for each victim, at most.
const AT_ONCE: u32 = 8;
/// Pages spared for each victim, on average and at most: where nearly all are touched all the time, to learn that costs
/// more than it is worth. (With three: up to 6% fewer page-ins, up to half as many traps again; programs took 3 to 22%
/// longer.)
const SPARED: u32 = 1;

/// How long queues may get.
#[derive(Clone, Copy, Debug)]
struct Most {
    small: u32,
    /// Newcomers of the small queue whose bits are left alone.
    fresh: u32,
    main: u32,
    ghosts: u32,
}

impl Most {
    /// The same shares of `frames` as these are of `all`.
    fn of(self, frames: u32, all: u32) -> Self {
        let small = scaled(self.small, frames, all);
        // A fresh part there was stays: without one nothing is watched.
        let fresh = scaled(self.fresh, frames, all).max(self.fresh.min(1));
        Most { small, fresh, main: frames - small.min(frames), ghosts: scaled(self.ghosts, frames, all) }
    }
}

/// Small, main and ghost queues.
#[derive(Clone, Debug)]
pub struct S3Fifo {
    queues: Queues<4>,
    /// With the frames in circulation, and with all frames.
    most: Most,
    whole: Most,
    /// Pages of the main queue that may be spared because they were touched.
    credit: u32,
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
        let (small, ghosts, main) = (most_small, most_ghosts, frames.saturating_sub(most_small));
        let most = Most { small, fresh: part(small, FRESH_PART), main, ghosts };
        S3Fifo { queues, most, whole: most, credit: 0, counts: None, enough: 1, fill_main: false }
    }

    /// With another fresh part of the small queue.
    fn with_fresh(mut self, fresh: u32) -> Self {
        self.whole.fresh = fresh;
        S3Fifo { most: self.whole, ..self }
    }

    /// Counts touches up to 3, as the paper does; `enough` of them move a page on.
    #[must_use]
    pub fn counting(self, enough: u8) -> Self {
        let counts = vec![0; self.queues.frames() as usize].into_boxed_slice();
        S3Fifo { counts: Some(counts), enough, ..self.with_fresh(0) }
    }

    fn small(&self) -> u32 {
        self.queues.len(FRESH) + self.queues.len(WATCHED)
    }

    /// Touches of the newcomers before the last `fresh` count from here on: of `most` at once, so that no victim costs
    /// all frames' bits. (Where none is ever fresh they always did.)
    fn watch(&mut self, fresh: u32, most: u32, frames: &mut impl Frames) {
        let extra = self.queues.len(FRESH).saturating_sub(fresh);
        for _ in 0..if self.most.fresh > 0 { extra.min(most) } else { extra } {
            let frame = self.queues.head(FRESH).expect("a queue longer than nothing has a head");
            if self.most.fresh > 0 && frames.referenced(FrameNo(frame)) {
                frames.unreference(FrameNo(frame));
            }
            self.queues.move_to(WATCHED, frame);
        }
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

    /// The credit with which a victim is looked for, after `credit` was left of the last.
    fn earned(&self, credit: u32) -> u32 {
        (credit + SPARED).min(self.most.main / 4 + SPARED)
    }

    /// The queue to take from: the main one if it has more than its share, and when the small one is empty.
    fn first_queue(&mut self, frames: &mut impl Frames) -> usize {
        let small = self.queues.len(MAIN) <= self.most.main && self.small() > 0;
        if !small && self.queues.len(MAIN) > 0 {
            return MAIN;
        }
        if self.queues.len(WATCHED) == 0 {
            self.watch(0, 1, frames);
        }
        WATCHED
    }

    /// Looks at the head of those watched: the victim, or one page moved on.
    fn pass_small(&mut self, frame: FrameNo, frames: &mut impl Frames) -> Option<FrameNo> {
        let touches = self.touches(frame, frames);
        if touches < self.enough {
            self.queues.pass(frame.0);
            return Some(frame);
        }
        // A bit that was watched for is left as it is: taking it away would cost another trap.
        if self.most.fresh == 0 {
            self.spend(frame, touches, frames);
        }
        self.queues.move_to(MAIN, frame.0);
        None
    }

    /// Looks at the head of the main queue: the victim, or another round for it if it was touched.
    fn pass_main(&mut self, frame: FrameNo, frames: &mut impl Frames) -> Option<FrameNo> {
        let touches = self.touches(frame, frames);
        let spared = touches > 0 && (self.most.fresh == 0 || self.credit > 0);
        if spared {
            self.credit = self.credit.saturating_sub(1);
            self.spend(frame, 1, frames);
        }
        self.queues.pass(frame.0);
        (!spared).then_some(frame)
    }
}

/// Where the queues will be when the next victims have been found.
struct Ahead<'a> {
    policy: &'a S3Fifo,
    fresh: u32,
    /// The next newcomer to be watched. A touch that was not told of is not to count from then on.
    newcomer: Option<u32>,
    /// Newcomers that will come to be watched meanwhile; as their references go then, they will not be spared.
    cleared: u32,
    watched: Option<u32>,
    main: Option<u32>,
    in_main: u32,
    credit: u32,
}

impl Ahead<'_> {
    /// One victim more.
    fn victim(&mut self, spare: &mut dyn FnMut(FrameNo) -> bool) {
        self.credit = self.policy.earned(self.credit);
        let watched = self.fresh.saturating_sub(self.policy.most.fresh).min(AT_ONCE);
        (self.fresh, self.cleared) = (self.fresh - watched, self.cleared + watched);
        for _ in 0..watched {
            self.next_newcomer().map(FrameNo).into_iter().for_each(|frame| _ = spare(frame));
        }
        let small = self.in_main <= self.policy.most.main;
        let found = small && self.finds_watched(spare) || self.takes_fresh();
        if !found {
            self.finds_main(spare);
        }
    }

    fn next_newcomer(&mut self) -> Option<u32> {
        let next = self.newcomer?;
        self.newcomer = self.policy.queues.after(next);
        Some(next)
    }

    /// Those that are spared go to the main queue.
    fn finds_watched(&mut self, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        while let Some(frame) = self.watched {
            self.watched = self.policy.queues.after(frame);
            if !spare(FrameNo(frame)) {
                return true;
            }
            self.in_main += 1;
        }
        let any = self.cleared > 0;
        self.cleared -= u32::from(any);
        any
    }

    /// Nobody is watched any more.
    fn takes_fresh(&mut self) -> bool {
        let takes = self.in_main <= self.policy.most.main && self.fresh > 0;
        if takes {
            self.fresh -= 1;
            self.next_newcomer();
        }
        takes
    }

    fn finds_main(&mut self, spare: &mut dyn FnMut(FrameNo) -> bool) {
        while let Some(frame) = self.main {
            self.main = self.policy.queues.after(frame);
            if !spare(FrameNo(frame)) || self.credit == 0 {
                break;
            }
            self.credit -= 1;
        }
        self.in_main = self.in_main.saturating_sub(1);
    }
}

impl Configured for S3Fifo {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        let (small, ghost) = (options.share("small", 0.1, frames)?, options.share("ghost", 0.9, frames)?);
        let counting = options.count("counts", 0, 0)? != 0;
        let mut plain = S3Fifo::with(frames, small.min(frames), ghost);
        if !counting {
            let fresh = options.share("fresh", FRESH_PART, plain.most.small)?;
            plain = plain.with_fresh(fresh);
        }
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
        self.queues.trim(GHOST, self.most.ghosts);
        let overflow = self.fill_main && self.small() >= self.most.small;
        self.queues.set_page(frame, page);
        self.queues.push(if ghost.is_some() || overflow { MAIN } else { FRESH }, frame.0);
        if let Some(counts) = &mut self.counts {
            counts[frame.index()] = 0;
        }
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        if self.queues.unlink(frame.0) != MAIN && why == Gone::Evicted {
            self.queues.bury(GHOST, frame);
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.queues.ghost(page) {
            self.queues.exhume(ghost);
        }
    }

    fn resize(&mut self, frames: u32) {
        self.most = self.whole.of(frames, self.queues.frames());
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
        self.credit = self.earned(self.credit);
        self.watch(self.most.fresh, AT_ONCE, frames);
        let mut queue = self.first_queue(frames);
        for _ in 0..6 * u64::from(self.small() + self.queues.len(MAIN)) {
            if self.queues.len(queue) == 0 {
                queue = self.first_queue(frames);
            }
            let frame = FrameNo(self.queues.head(queue)?);
            if !frames.evictable(frame) {
                self.queues.pass(frame.0);
                continue;
            }
            let victim =
                if queue == MAIN { self.pass_main(frame, frames) } else { self.pass_small(frame, frames) };
            if victim.is_some() {
                return victim;
            }
        }
        let left = [WATCHED, FRESH, MAIN].into_iter().find_map(|queue| self.queues.evictable(queue, frames));
        left.map(FrameNo)
    }

    fn upcoming(&self, victims: u32, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        if self.counts.is_some() {
            return false;
        }
        let mut ahead = Ahead {
            policy: self,
            fresh: self.queues.len(FRESH),
            newcomer: self.queues.head(FRESH),
            cleared: 0,
            watched: self.queues.head(WATCHED),
            main: self.queues.head(MAIN),
            in_main: self.queues.len(MAIN),
            credit: self.credit,
        };
        (0..victims).for_each(|_| ahead.victim(spare));
        true
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.queues.visit(WATCHED, visit);
        self.queues.visit(FRESH, visit);
        self.queues.visit(MAIN, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(policy: &S3Fifo) -> [u32; 4] {
        let Most { small, fresh, main, ghosts } = policy.most;
        [small, fresh, main, ghosts]
    }

    #[test]
    fn the_queues_keep_their_shares_of_the_frames_in_circulation() {
        let mut policy = S3Fifo::new(200);
        assert_eq!(shares(&policy), [20, 10, 180, 180]);
        policy.resize(100);
        assert_eq!(shares(&policy), [10, 5, 90, 90]);
        policy.resize(10);
        assert_eq!(shares(&policy), [1, 1, 9, 9]);
        policy.resize(1);
        assert_eq!(shares(&policy), [0, 1, 1, 0]);
        policy.resize(200);
        assert_eq!(shares(&policy), [20, 10, 180, 180], "nothing is lost by rounding");
    }
}
