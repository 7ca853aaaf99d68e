//! What can go wrong, as one sentence.

use crate::workload::Wrong;
use std::io;
use std::path::PathBuf;

/// Why something was not measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something about a file.
    #[error("{}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    /// A call, and what it was for.
    #[error("{what}: {why}")]
    Call { what: &'static str, why: io::Error },
    /// It cannot be had here.
    #[error("{0}")]
    Unavailable(String),
    /// A read saw what it must not.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// A measured process ended otherwise than by telling its figures.
    #[error("the measured process {0}")]
    Child(String),
    /// The user does not want any more.
    #[error("stopped")]
    Stopped,
}

impl From<mager_linux_stage::Error> for Failure {
    fn from(error: mager_linux_stage::Error) -> Self {
        match error {
            mager_linux_stage::Error::File { path, why } => Failure::File { path, why },
            mager_linux_stage::Error::Unavailable(why) => Failure::Unavailable(why),
            mager_linux_stage::Error::Stopped => Failure::Stopped,
        }
    }
}

/// Gives a failure its place.
pub(crate) trait At<T> {
    /// At a file.
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Failure>;
    /// In a call.
    fn of(self, what: &'static str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Failure> {
        self.map_err(|why| Failure::File { path: path.into(), why: why.into() })
    }

    fn of(self, what: &'static str) -> Result<T, Failure> {
        self.map_err(|why| Failure::Call { what, why: why.into() })
    }
}
