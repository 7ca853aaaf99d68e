//! WSClock: a clock that knows how long ago a page was touched, and prefers clean pages.
//!
//! Source: R. Carr and J. Hennessy, "WSClock: A Simple and Effective Algorithm for Virtual Memory Management", SOSP
//! 1981. Time is counted in admissions. The hand stamps touched frames with the time and takes the reference away;
//! an untouched frame is out of the working set when its stamp is older than `tau` (as many admissions as there are
//! frames). The first clean frame out of the working set is the victim; after 16 dirty ones, the first of them. If
//! a whole round finds none out of the working set, the oldest untouched frame goes and tau is halved (the paper
//! would swap a process out); it recovers slowly.
//!
//! Observes reference bits. O(1) amortised, since rounds that find nothing become rare; 16 bytes a frame. Shines
//! where writes are dear and working sets shift.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy, Ring,
    options::{BadSpec, Configured, Options},
};
use alloc::{boxed::Box, vec};

/// Dirty frames out of the working set that the hand passes before it settles for one.
const DIRTY_PASSED: u32 = 16;

/// The working set, approximated by a clock.
#[derive(Clone, Debug)]
pub struct WsClock {
    ring: Ring,
    stamps: Box<[u64]>,
    now: u64,
    /// In 1/frames of an admission, so that it can recover by a small part of itself.
    tau: u64,
    most_tau: u64,
    /// `most_tau` for each frame in circulation.
    tau_a_frame: u64,
    frames: u64,
}

/// What the hand has seen on its way.
#[derive(Default)]
struct Seen {
    oldest: Option<(u64, FrameNo)>,
    dirty: Option<FrameNo>,
    dirties: u32,
}

impl WsClock {
    /// Over frames `0..frames`; the working set is what was touched during the last `frames` admissions.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        WsClock::with_tau(frames, frames)
    }

    /// Over frames `0..frames`; the working set is what was touched during the last `tau` admissions.
    #[must_use]
    pub fn with_tau(frames: u32, tau: u32) -> Self {
        let wide = u64::from(frames.max(1));
        let most_tau = u64::from(tau) * wide;
        let stamps = vec![0; frames as usize].into_boxed_slice();
        WsClock {
            ring: Ring::new(frames),
            stamps,
            now: 0,
            tau: most_tau,
            most_tau,
            tau_a_frame: u64::from(tau),
            frames: wide,
        }
    }

    /// The hand passes `frame`; the victim, if the search ends here.
    fn pass(&mut self, frame: FrameNo, seen: &mut Seen, frames: &mut impl Frames) -> Option<FrameNo> {
        if frames.referenced(frame) {
            frames.unreference(frame);
            self.stamps[frame.index()] = self.now;
            return None;
        }
        let stamp = self.stamps[frame.index()];
        if seen.oldest.is_none_or(|(oldest, _)| stamp < oldest) {
            seen.oldest = Some((stamp, frame));
        }
        if (self.now - stamp) * self.frames < self.tau {
            return None;
        }
        if !frames.dirty(frame) {
            return Some(frame);
        }
        seen.dirties += 1;
        let first = *seen.dirty.get_or_insert(frame);
        (seen.dirties > DIRTY_PASSED).then_some(first)
    }
}

impl Configured for WsClock {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(WsClock::with_tau(frames, options.share("tau", 1.0, frames)?))
    }
}

impl Policy for WsClock {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.now += 1;
        self.stamps[frame.index()] = self.now;
        self.ring.push_tail(frame);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.ring.unlink(frame);
    }

    fn resize(&mut self, frames: u32) {
        self.most_tau = self.tau_a_frame * u64::from(frames.max(1));
        self.tau = self.tau.min(self.most_tau);
    }

    /// The second round meets no referenced frame any more, so it has an oldest one, if any may go.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let mut seen = Seen::default();
        for round in 0..2 {
            for _ in 0..self.ring.len() {
                let head = self.ring.head()?;
                self.ring.rotate();
                if !frames.evictable(head) {
                    continue;
                }
                let victim = self.pass(head, &mut seen, frames);
                if victim.is_some() {
                    self.tau = self.most_tau.min(self.tau + self.tau / self.frames + 1);
                    return victim;
                }
            }
            if round == 1 || seen.oldest.is_some() {
                break;
            }
        }
        self.tau /= 2;
        seen.dirty.or(seen.oldest.map(|(_, frame)| frame))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.ring.visit(visit);
    }
}
