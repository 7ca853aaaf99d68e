//! A policy over the smallest table of frames there can be.
//!
//! Counts what the core would do: which accesses fault, which of the faults read a page in, which evictions write
//! one back. No addresses, no sharing, no I/O that takes time: exactly the part that a policy decides.

use crate::Access;
use mager_policies::{Any, BadSpec, FrameNo, Frames, Gone, Observes, PageNo, Policy, Visitor};

/// How accesses are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// As the papers and simulators count: every first access reads the page in and does not reference it.
    #[default]
    Paper,
    /// As the machines do with memory of no file: the access that brings a page in references it; a page not written
    /// yet takes no frame when it is read, and is filled with zeros, not read, when it is written. Frame 0 is the zero
    /// page and holds nothing else, so there are at least two frames.
    Live,
}

/// What came of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Accesses made.
    pub accesses: u64,
    /// Accesses that needed a frame which did not hold the page.
    pub faults: u64,
    /// Faults that read the page in.
    pub page_ins: u64,
    /// Evictions of dirty pages.
    pub write_backs: u64,
}

impl Counts {
    /// Faults for each access.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn miss_ratio(&self) -> f64 {
        if self.accesses == 0 { 0.0 } else { self.faults as f64 / self.accesses as f64 }
    }
}

/// A run under way.
pub trait Simulation: Send {
    /// Makes the accesses. `next` holds the number of the next access to the same page for each, or is empty where
    /// the policy does not ask for the future; numbers are what [`crate::next_accesses`] gives.
    fn run(&mut self, accesses: &[Access], next: &[u32]);

    /// What came of it so far.
    fn counts(&self) -> Counts;

    /// What the policy observes.
    fn needs(&self) -> Observes;
}

/// The policy described by `spec` over `frames` frames, at first empty.
pub fn simulation(spec: &str, frames: u32, mode: Mode) -> Result<Box<dyn Simulation>, BadSpec> {
    let frames = frames.max(if mode == Mode::Live { 2 } else { 1 });
    Ok(Any::from_spec(spec, frames)?.visit(Boxed { frames, mode }))
}

struct Boxed {
    frames: u32,
    mode: Mode,
}

impl Visitor for Boxed {
    type Output = Box<dyn Simulation>;

    fn visit<P: Policy + Send + 'static>(self, policy: P) -> Box<dyn Simulation> {
        let used = u32::from(self.mode == Mode::Live);
        let frames = Table { flags: vec![0; self.frames as usize], pages: vec![0; self.frames as usize] };
        Box::new(Sim {
            needs: policy.needs(),
            policy,
            mode: self.mode,
            frames,
            used,
            frame_of: Vec::new(),
            counts: Counts::default(),
        })
    }
}

const REFERENCED: u8 = 1;
const DIRTY: u8 = 2;

/// Frames: what is in them, and their bits.
struct Table {
    flags: Vec<u8>,
    pages: Vec<u32>,
}

impl Frames for Table {
    #[inline]
    fn evictable(&self, _frame: FrameNo) -> bool {
        true
    }
    #[inline]
    fn dirty(&self, frame: FrameNo) -> bool {
        self.flags[frame.index()] & DIRTY != 0
    }
    #[inline]
    fn referenced(&self, frame: FrameNo) -> bool {
        self.flags[frame.index()] & REFERENCED != 0
    }
    #[inline]
    fn unreference(&mut self, frame: FrameNo) {
        self.flags[frame.index()] &= !REFERENCED;
    }
}

/// A page that was never in a frame.
const FRESH: u32 = u32::MAX;
/// A page whose contents lie at home.
const HOME: u32 = u32::MAX - 1;

/// Accesses looked at ahead together.
const BLOCK: usize = 128;

struct Sim<P> {
    policy: P,
    needs: Observes,
    mode: Mode,
    frames: Table,
    used: u32,
    frame_of: Vec<u32>,
    counts: Counts,
}

impl<P: Policy> Sim<P> {
    /// One pass over a batch; what the policy observes and the mode are known when this is compiled.
    #[inline]
    fn pass<const EVERY: bool, const FUTURE: bool, const LIVE: bool>(
        &mut self,
        accesses: &[Access],
        next: &[u32],
    ) {
        for (block, accesses) in accesses.chunks(BLOCK).enumerate() {
            self.approach(accesses);
            let next = if FUTURE { &next[block * BLOCK..] } else { next };
            self.pass_block::<EVERY, FUTURE, LIVE>(accesses, next);
        }
    }

    /// Touches what the next block will need: its cache misses are then under way together, and a branch that is
    /// predicted wrong waits for none.
    #[inline]
    fn approach(&self, accesses: &[Access]) {
        let frames = accesses.iter().map(|access| self.frame_of[access.page() as usize]);
        std::hint::black_box(frames.fold(0, |all, frame| all ^ frame));
    }

    #[inline]
    fn pass_block<const EVERY: bool, const FUTURE: bool, const LIVE: bool>(
        &mut self,
        accesses: &[Access],
        next: &[u32],
    ) {
        for (at, &access) in accesses.iter().enumerate() {
            let frame = self.frame_of[access.page() as usize];
            let frame = if frame < HOME {
                self.frames.flags[frame as usize] |= REFERENCED | u8::from(access.write()) << 1;
                if EVERY {
                    self.policy.touched(FrameNo(frame));
                }
                frame
            } else if LIVE && frame == FRESH && !access.write() {
                continue;
            } else {
                self.bring_in::<LIVE>(access, frame == FRESH)
            };
            if FUTURE {
                let next = next[at];
                self.policy
                    .foretold(FrameNo(frame), if next == u32::MAX { u64::MAX } else { u64::from(next) });
            }
        }
    }

    fn bring_in<const LIVE: bool>(&mut self, access: Access, fresh: bool) -> u32 {
        let page = access.page();
        self.counts.faults += 1;
        self.counts.page_ins += u64::from(!(LIVE && fresh));
        let frame = if (self.used as usize) < self.frames.flags.len() {
            self.used += 1;
            self.used - 1
        } else {
            self.evict(page)
        };
        self.frames.pages[frame as usize] = page;
        self.frames.flags[frame as usize] = u8::from(LIVE) | u8::from(access.write()) << 1;
        self.frame_of[page as usize] = frame;
        self.policy.admit(FrameNo(frame), PageNo(page));
        frame
    }

    #[inline]
    fn evict(&mut self, incoming: u32) -> u32 {
        let victim = self.policy.victim(Some(PageNo(incoming)), &mut self.frames);
        let victim = victim.expect("every frame may be evicted");
        self.counts.write_backs += u64::from(self.frames.dirty(victim));
        self.policy.remove(victim, Gone::Evicted);
        let page = self.frames.pages[victim.index()];
        self.frame_of[page as usize] = HOME;
        victim.0
    }

    fn dispatch<const LIVE: bool>(&mut self, accesses: &[Access], next: &[u32]) {
        match self.needs {
            Observes::Faults | Observes::ReferenceBits => self.pass::<false, false, LIVE>(accesses, next),
            Observes::EveryAccess => self.pass::<true, false, LIVE>(accesses, next),
            Observes::Future => self.pass::<true, true, LIVE>(accesses, next),
        }
    }
}

impl<P: Policy + Send> Simulation for Sim<P> {
    fn run(&mut self, accesses: &[Access], next: &[u32]) {
        let pages = accesses.iter().map(|access| access.page() as usize + 1).max().unwrap_or(0);
        if pages > self.frame_of.len() {
            self.frame_of.resize(pages.next_power_of_two(), FRESH);
        }
        self.counts.accesses += accesses.len() as u64;
        match self.mode {
            Mode::Paper => self.dispatch::<false>(accesses, next),
            Mode::Live => self.dispatch::<true>(accesses, next),
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn needs(&self) -> Observes {
        self.needs
    }
}
