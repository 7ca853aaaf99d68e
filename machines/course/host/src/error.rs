//! Why a host did not start, or had to stop: one sentence each.

use std::io;
use std::path::PathBuf;

/// Why a host did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Fewer than 2 physical pages, or more than an entry can name.
    #[error(
        "{0} physical pages are not possible: at least 2 are needed (the first is the zero page), at most 2^29"
    )]
    Frames(u32),
    /// Physical memory could not be had.
    #[error("physical memory of {frames} pages of 64 KiB cannot be had: {source}")]
    Memory {
        /// Pages asked for.
        frames: u32,
        /// Why not.
        source: io::Error,
    },
    /// The working directory is missing, or is none.
    #[error("the directory {} cannot be served: {source}", dir.display())]
    Directory {
        /// The directory asked for.
        dir: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another pager serves the directory.
    #[error("another pager already serves the directory {}", .0.display())]
    Taken(PathBuf),
    /// The directory for sockets could be read or replaced by other users.
    #[error("{} is not a directory of this user alone (expected: owned by this user, mode 0700); remove it or set MAGER_RUNTIME_DIR", .0.display())]
    NotPrivate(PathBuf),
    /// The socket could not be made.
    #[error("the socket {} cannot be made: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The named swap file exists already: it might be somebody's.
    #[error("the swap file {} exists already; remove it if a killed pager left it behind", .0.display())]
    SwapExists(PathBuf),
    /// The swap file could not be made.
    #[error("the swap file {} cannot be made: {source}", path.display())]
    SwapFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The application could not be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// What was to be started.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The pager object broke the contract; names the call and its arguments.
    #[error("the pager broke the contract in {call}: {what}")]
    Pager {
        /// The call, with its arguments.
        call: String,
        /// What was wrong.
        what: String,
    },
    /// The system refused something the host cannot do without.
    #[error("{what} failed: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl HostError {
    /// For `map_err`: the system refused `what`.
    pub(crate) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> HostError {
        move |source| HostError::System { what, source: source.into() }
    }
}
