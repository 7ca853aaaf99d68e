//! What can go wrong, with the place where it did.

use crate::{FileNo, Home};
use std::io;
use std::path::PathBuf;

/// Why a page could not be brought in or out.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The device or the file system failed.
    #[error("cannot {} {at}: {source}", if *.write { "write" } else { "read" })]
    Io {
        /// The page's home.
        at: Home,
        /// Was it being written?
        write: bool,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is not what was written.
    #[error("{at} is damaged: its checksum is {found:08x}, written was {expected:08x}")]
    Checksum {
        /// The page's home.
        at: Home,
        /// The checksum of what was written.
        expected: u32,
        /// The checksum of what was read.
        found: u32,
    },
    /// A compressed copy in memory cannot be unpacked: memory was damaged.
    #[error("{at} is damaged: its compressed copy does not unpack to a page")]
    Unpack {
        /// The page's home.
        at: Home,
    },
    /// Compressed memory is full and there is no swap file behind it.
    #[error("no room for {at}: compressed memory is full and there is no swap file behind it")]
    Full {
        /// The page's home.
        at: Home,
    },
    /// The block is not part of the swap space.
    #[error("{at} does not exist: there are {blocks} swap blocks")]
    NoBlock {
        /// The page's home.
        at: Home,
        /// How many swap blocks there are.
        blocks: u32,
    },
    /// No file has this number; it was removed.
    #[error("{0} does not exist any more")]
    NoFile(FileNo),
    /// The file ends before the block: it has shrunk, and writing would make it longer.
    #[error("{at} lies behind the end of the file, which has {size} bytes")]
    BeyondEnd {
        /// The page's home.
        at: Home,
        /// The file's size in bytes.
        size: u64,
    },
}

/// Why a store or a backing could not be opened. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A page size that is not a power of two from 4 KiB to 64 KiB.
    #[error("pages of {0} bytes are not possible: a power of two from 4096 to 65536 is")]
    PageSize(usize),
    /// More blocks or bytes than the tables can name.
    #[error("{what} of {asked} are too many: {most} are the most")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much was asked for.
        asked: u64,
        /// How much there can be.
        most: u64,
    },
    /// Fewer bytes of compressed memory than work at all.
    #[error("{asked} bytes of compressed memory are too few: {least} are the least")]
    TooSmall {
        /// How much was asked for.
        asked: u64,
        /// How much is needed.
        least: u64,
    },
    /// The swap file exists already, and it was not said that its contents do not matter.
    #[error("{0} exists already: remove it, or say that it may be overwritten")]
    Exists(PathBuf),
    /// The swap file is another pager's.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// It is not a regular file.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// The disk has no room for the whole swap file.
    #[error("no room for a swap file of {bytes} bytes in {path}: {source}")]
    DiskFull {
        /// The file or the directory.
        path: PathBuf,
        /// The file's size.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Another call failed.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// For `map_err`: what was being done when it failed.
    pub(crate) fn doing<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> OpenError {
        move |source| OpenError::Io { doing: doing.into(), source: source.into() }
    }
}
