//! What is fixed about a world before it runs.

use crate::random::{Random, scramble};
use mager_pager::{Config, References, Sharing};
use mager_policies::{Any, Observes, Policy};

/// Words in a page. Two would do to see a torn block; four make a store miss most of the page.
pub const WORDS: usize = 4;

/// One page's worth of bytes.
pub type Contents = [u64; WORDS];

/// How many arenas can have a name at a time.
pub const NAMES: u8 = 8;

/// The fixed facts of a world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    /// Frames, the zero page among them.
    pub frames: u32,
    /// Swap blocks.
    pub swap_blocks: u32,
    /// Virtual pages in each arena.
    pub arena_pages: u32,
    /// Files.
    pub files: u32,
    /// Blocks in each file; the one after the last can be mapped, but not read.
    pub blocks: u32,
    /// Virtual CPUs: accesses that can be under way at a time.
    pub cpus: u8,
    /// Where reference bits come from.
    pub references: References,
    /// How private pages are shared.
    pub sharing: Sharing,
    /// Frames kept free by working ahead.
    pub low_water: u32,
    /// The name of the policy.
    pub policy: &'static str,
    /// Whether I/O takes time; else every fault is handled to completion.
    pub asynchronous: bool,
    /// Whether a CPU that is resumed tries again at once, or when it is its turn.
    pub eager: bool,
    /// I/Os that go wrong, in a thousand.
    pub faults_per_mille: u32,
    /// The disk loses a word now and then, without a word: a world that must go wrong.
    pub canary: bool,
}

/// The policies that can run here: all but those that have to see the future.
pub fn policies() -> impl Iterator<Item = &'static str> {
    Any::NAMES.iter().copied().filter(|name| Any::new(name, 1).is_ok_and(|p| p.needs() < Observes::Future))
}

impl Setup {
    /// The world that belongs to `seed`: small, crowded and different from its neighbours.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(scramble(seed));
        let policies: Vec<_> = policies().collect();
        let sharing = random.one_of(&[Sharing::Frame, Sharing::Place]);
        let usable = random.one_of(&[1, 2, 3, 4, 6, 8, 12, 15]);
        let frames = usable + u32::from(sharing == Sharing::Frame);
        let crowd = random.one_of(&[1, 2, 4]);
        Setup {
            frames,
            swap_blocks: usable * random.one_of(&[1, 3, 6]) + random.below(4),
            arena_pages: (usable * crowd).clamp(3, 24),
            files: random.within(1, 3),
            blocks: random.within(1, 6),
            cpus: u8::try_from(random.within(1, 8)).expect("few CPUs"),
            references: random.one_of(&[References::Hardware, References::Trap, References::None]),
            sharing,
            low_water: if usable > 2 && random.per_mille(300) { random.within(1, usable / 2) } else { 0 },
            policy: random.one_of(&policies),
            asynchronous: random.per_mille(700),
            eager: random.per_mille(500),
            faults_per_mille: random.one_of(&[0, 0, 20, 200]),
            canary: false,
        }
    }

    /// A small world, the one a scenario starts from: three frames, a clock, I/O that takes no time, no trouble.
    #[must_use]
    pub fn small() -> Self {
        Setup {
            frames: 4,
            swap_blocks: 8,
            arena_pages: 8,
            files: 1,
            blocks: 4,
            cpus: 2,
            references: References::Trap,
            sharing: Sharing::Frame,
            low_water: 0,
            policy: "clock",
            asynchronous: false,
            eager: false,
            faults_per_mille: 0,
            canary: false,
        }
    }

    /// Other sharing; the frames that hold pages stay as many as they were.
    pub fn share(&mut self, sharing: Sharing) {
        let usable = self.config().usable_frames();
        self.sharing = sharing;
        self.frames = usable + u32::from(sharing == Sharing::Frame);
    }

    /// Another number of frames, and what has to go with it: room in swap, and arenas crowded enough.
    pub fn resize(&mut self, frames: u32) {
        self.frames = frames;
        let usable = self.config().usable_frames();
        self.swap_blocks = usable * 4;
        self.arena_pages = (usable * 2).max(3);
        self.low_water = self.low_water.min(usable.saturating_sub(1));
    }

    /// What the core is told of it.
    #[must_use]
    pub fn config(&self) -> Config {
        Config {
            page_size: 8 * u32::try_from(WORDS).expect("a few words"),
            arena_pages: self.arena_pages,
            arena_base: 0x1_0000,
            frames: self.frames,
            swap_blocks: self.swap_blocks,
            references: self.references,
            sharing: self.sharing,
            low_water: self.low_water,
        }
    }

    /// What the block of a file holds before anybody writes to it: small numbers, each at one place only.
    #[must_use]
    pub fn first_contents(&self, file: u32, block: u32) -> Contents {
        let place = u64::from(file * (self.blocks + 1) + block) + 1;
        std::array::from_fn(|word| place * 16 + word as u64)
    }
}
