//! What a backing is made of.

use crate::OpenError;
use crate::engine::{Engine, FaultyEngine, Inline, Late, Pool, Uring};
use crate::faults::Faults;
use crate::swap_file::Existing;
use std::path::PathBuf;
use std::time::Duration;

/// What a [`crate::Backing`] is made of. Start from [`Options::new`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The size of a page and of a block in bytes: a power of two from 4096 to 65536.
    pub page_size: usize,
    /// Swap space; without it there are user files only.
    pub swap: Option<SwapOptions>,
    /// How many bytes of memory compressed pages may take, overhead included; `None`: pages go to the swap file.
    pub compressed: Option<usize>,
    /// Threads that compress where many pages are written at once; 0: whoever writes does it.
    pub packers: usize,
    /// Who carries out what takes time.
    pub engine: EngineKind,
    /// Keep a checksum of each swap block and verify it on each read?
    pub checksums: bool,
    /// Failures to order, for tests.
    pub faults: Option<Faults>,
}

impl Options {
    /// User files only, the best engine, checksums on.
    #[must_use]
    pub fn new(page_size: usize) -> Self {
        Options {
            page_size,
            swap: None,
            compressed: None,
            packers: 0,
            engine: EngineKind::Auto,
            checksums: true,
            faults: None,
        }
    }
}

/// The swap space.
#[derive(Clone, Debug)]
pub struct SwapOptions {
    /// Where blocks lie that are not in compressed memory.
    pub place: SwapPlace,
    /// How many blocks there are; at most 2^30 - 64.
    pub blocks: u32,
}

/// Where swap blocks lie that are not in compressed memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SwapPlace {
    /// A file with a name, preallocated. It is removed when the backing is dropped.
    Path(PathBuf, Existing),
    /// A file without a name in this directory, preallocated.
    Unnamed(PathBuf),
    /// A file in memory, not preallocated: for tests and for comparison.
    Memory,
    /// Nowhere: a page that finds no room in compressed memory is refused with
    /// [`crate::StoreError::Full`].
    Nowhere,
}

/// Threads of the pool where io_uring is refused: they only wait for the device.
const THREADS: usize = 16;

/// Who carries out what takes time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EngineKind {
    /// io_uring where the kernel allows it, else a pool of 16 threads.
    #[default]
    Auto,
    /// Nobody else: `submit` does everything and waits for it.
    Inline,
    /// So many threads.
    Pool(usize),
    /// io_uring or nothing.
    Uring,
}

/// The engine, and what to call it.
pub(super) fn engine(options: &Options) -> Result<(Box<dyn Engine>, String), OpenError> {
    let (engine, name) = match options.faults {
        Some(Faults { late_us, .. }) if late_us > 0 => late(late_us)?,
        _ => chosen(options.engine)?,
    };
    Ok(match options.faults {
        None => (engine, name),
        Some(faults) => (Box::new(FaultyEngine::new(engine, faults)), format!("{name}, failing as ordered")),
    })
}

fn chosen(kind: EngineKind) -> Result<(Box<dyn Engine>, String), OpenError> {
    Ok(match kind {
        EngineKind::Inline => (Box::new(Inline::default()), "inline".to_owned()),
        EngineKind::Pool(threads) => pool(threads)?,
        EngineKind::Uring => {
            (Box::new(Uring::new().map_err(OpenError::doing("set up io_uring"))?), "io_uring".to_owned())
        }
        EngineKind::Auto => match Uring::new() {
            Ok(uring) => (Box::new(uring), "io_uring".to_owned()),
            Err(why) => {
                let (engine, name) = pool(THREADS)?;
                (engine, format!("{name}, as io_uring is refused: {why}"))
            }
        },
    })
}

fn late(late_us: u32) -> Result<(Box<dyn Engine>, String), OpenError> {
    let late = Late::new(Duration::from_micros(late_us.into())).map_err(OpenError::doing("make a timer"))?;
    Ok((Box::new(late), format!("{late_us} us late")))
}

fn pool(threads: usize) -> Result<(Box<dyn Engine>, String), OpenError> {
    let pool = Pool::new(threads).map_err(OpenError::doing("start the threads of the pool"))?;
    Ok((Box::new(pool), format!("{} threads", threads.max(1))))
}
