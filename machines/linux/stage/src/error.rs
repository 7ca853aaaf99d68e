//! What can go wrong, as one sentence.

use std::io;
use std::path::PathBuf;

/// Why something does not stand.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something about a file.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the kernel says.
        why: io::Error,
    },
    /// It cannot be had here.
    #[error("{0}")]
    Unavailable(String),
    /// The user does not want any more.
    #[error("stopped")]
    Stopped,
}

/// Gives a failure its place.
pub trait At<T> {
    /// At a file.
    ///
    /// # Errors
    ///
    /// The same, with the file's name.
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|why| Error::File { path: path.into(), why: why.into() })
    }
}
