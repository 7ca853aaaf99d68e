//! What can go wrong.

use std::path::PathBuf;

/// Why something could not be had. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program `mager`, which the pager runs in, was not found.
    #[error(
        "no program `mager` in {places}: install it (`cargo install --path faces/cli`), or set MAGER to it"
    )]
    NoProgram {
        /// Where it was looked for.
        places: String,
    },
    /// The program could not be run.
    #[error("{}: {why}", program.display())]
    Program {
        /// Which.
        program: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// The pager did not start.
    #[error("the pager did not start: {0}")]
    NotStarted(String),
    /// The pager, or the kernel on the way to it, refused.
    #[error(transparent)]
    Client(#[from] mager_linux_client::Error),
    /// What only a pager can do, where the kernel pages instead.
    #[error("{0} are not to be had without a pager: the kernel pages here")]
    NoPager(&'static str),
    /// More than can be addressed.
    #[error("{wanted} elements of {size} bytes are more than an arena can hold")]
    TooLarge {
        /// How many elements.
        wanted: usize,
        /// Bytes in one.
        size: usize,
    },
    /// A range that does not lie in the region.
    #[error("elements {start} to {end} do not lie in a region of {len}")]
    Range {
        /// The first.
        start: usize,
        /// The one behind the last.
        end: usize,
        /// How many there are.
        len: usize,
    },
    /// Pages were evicted again and again before they could be pinned: there is too little memory for them.
    #[error(
        "the pages do not stay in memory long enough to be pinned: the pager has too few frames for them"
    )]
    NotPinned,
    /// A file mapping that does not begin at a page.
    #[error("a file is mapped from a multiple of {page_size} bytes, not from byte {offset}")]
    Offset {
        /// Where it was to begin.
        offset: u64,
        /// Bytes in a page.
        page_size: u64,
    },
    /// The pager's figures cannot be understood.
    #[error("the pager's figures: {0}")]
    Figures(#[from] serde_json::Error),
}

impl Error {
    /// The nearest error number of the system.
    #[must_use]
    pub fn errno(&self) -> i32 {
        use rustix::io::Errno;
        let errno = match self {
            Error::Client(why) => return why.errno(),
            Error::Program { why, .. } => return why.raw_os_error().unwrap_or(Errno::IO.raw_os_error()),
            Error::NoProgram { .. } => Errno::NOENT,
            Error::NotStarted(_) | Error::Range { .. } | Error::Offset { .. } => Errno::INVAL,
            Error::TooLarge { .. } => Errno::NOMEM,
            Error::NoPager(_) => Errno::OPNOTSUPP,
            Error::NotPinned => Errno::AGAIN,
            Error::Figures(_) => Errno::PROTO,
        };
        errno.raw_os_error()
    }
}
