//! What a pager is started with.

use mager_pager::{Config, Sharing};
use mager_stores::{Faults, SwapOptions, SwapPlace};
use std::path::PathBuf;

/// Where reference bits come from; see [`mager_pager::References`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum References {
    /// The clients' agents drop entries, and the page tables tell which pages were touched after that. Where these may not
    /// be read, or the policy cannot tell which pages it will look at next, as with `Faults`.
    Agent,
    /// The clients' agents drop entries, so that the next touch is a fault.
    Faults,
    /// There are none: policies see pages come and go, in the order of their faults.
    Off,
}

/// The policy where none is asked for: what a scan brings in leaves without harm to what is in use.
pub const DEFAULT_POLICY: &str = "s3-fifo";
/// Pages read ahead of a sequence where nothing else is asked for.
pub const DEFAULT_READ_AHEAD: u32 = 64;

/// A pager's options.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes in a page: 4096, 16384 or 65536.
    pub page_size: u32,
    /// Frames: what all clients together hold in memory. Where `elastic`, those of `compressed` come on top.
    pub frames: u32,
    /// Pages in each arena.
    pub arena_pages: u32,
    /// Where swap is.
    pub swap: SwapPlace,
    /// Swap blocks.
    pub swap_blocks: u32,
    /// Bytes of compressed memory in front of the swap file; 0 for none.
    pub compressed: usize,
    /// What compressed pages do not need of `compressed` is frames; else it is theirs from the start.
    pub elastic: bool,
    /// How inputs and outputs are made asynchronous.
    pub engine: mager_stores::EngineKind,
    /// The policy, as in `clock` or `s3-fifo:fill-main=1`.
    pub policy: String,
    /// Where reference bits come from.
    pub references: References,
    /// Where clients connect; none for a pager that is handed its connections.
    pub socket: Option<PathBuf>,
    /// Threads that fault in a tight loop are pulled to the pager's CPU.
    pub pull: bool,
    /// Pages read ahead of a sequence at most.
    pub read_ahead: u32,
    /// The event log goes here.
    pub events: Option<PathBuf>,
    /// Failures of the backing to order, for tests.
    pub faults: Option<Faults>,
    /// What one client may have at most.
    pub limits: Limits,
}

/// What one client may have at most, and how that is seen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections, all together.
    pub clients: usize,
    /// Connections of one client: of its process, and of the children it has forked.
    pub connections: usize,
    /// Frames that the private pages of one client may hold, over all its connections; `u32::MAX`: all there are.
    pub frames: u32,
    /// Arenas of one connection.
    pub arenas: usize,
    /// Swap blocks that one client may reserve, over all its connections.
    pub swap: u32,
    /// Mappings in one arena.
    pub mappings: usize,
    /// How memory files are bounded.
    pub memory: MemoryKind,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            clients: 256,
            connections: 256,
            frames: u32::MAX,
            arenas: 64,
            swap: u32::MAX,
            mappings: 65_536,
            memory: MemoryKind::Auto,
        }
    }
}

/// How the memory files of arenas and objects are kept to the frames there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MemoryKind {
    /// By quotas where that is allowed, else audited.
    #[default]
    Auto,
    /// Files of detached tmpfs file systems, whose sizes together are never more than the frames: nobody can exceed
    /// them. Needs CAP_SYS_ADMIN.
    Quota,
    /// Sealed memory files, looked at now and then: whoever has put more there than the pager is expelled.
    Audit,
}

/// Why a pager did not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// The policy is not known, or is told what it does not know.
    #[error("policy: {0}")]
    Policy(String),
    /// The policy has to see every access, which no hardware shows.
    #[error("policy {0} has to see every access; it lives in the lab and the simulator only")]
    Blind(String),
    /// Sizes do not go together.
    #[error(transparent)]
    Sizes(#[from] crate::BadSizes),
    /// Nor here.
    #[error(transparent)]
    Config(#[from] mager_pager::BadConfig),
    /// Swap could not be opened.
    #[error(transparent)]
    Swap(#[from] mager_stores::OpenError),
    /// The system refused something.
    #[error("{what}: {why}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        why: std::io::Error,
    },
}

pub(crate) fn config(options: &Options, low_water: u32) -> Config {
    Config {
        page_size: options.page_size,
        arena_pages: options.arena_pages,
        arena_base: 0,
        frames: options.all_frames(),
        swap_blocks: options.swap_blocks,
        references: match options.references {
            References::Agent | References::Faults => mager_pager::References::Sticky,
            References::Off => mager_pager::References::None,
        },
        sharing: Sharing::Place,
        low_water,
    }
}

/// Threads that compress: one for each CPU but the pager's own, and no more than it can keep busy.
const MOST_PACKERS: usize = 3;

pub(crate) fn backing_options(options: &Options) -> mager_stores::Options {
    mager_stores::Options {
        swap: Some(SwapOptions { place: options.swap.clone(), blocks: options.swap_blocks }),
        compressed: (options.compressed > 0).then_some(options.compressed),
        packers: std::thread::available_parallelism().map_or(0, |cpus| (cpus.get() - 1).min(MOST_PACKERS)),
        engine: options.engine,
        faults: options.faults,
        ..mager_stores::Options::new(options.page_size as usize)
    }
}
