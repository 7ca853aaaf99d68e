//! What can be wrong with a trace, told to the user in one sentence.

use std::{io, path::PathBuf};

/// A trace could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened or created.
    #[error("{}: cannot open the trace: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed on the way, or the compressed data is damaged.
    #[error("{}: cannot read the trace: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed.
    #[error("{}: cannot write the trace: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line or record is not of the format.
    #[error("{}: {unit} {number}: expected {expected} (--skip-bad goes on)", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// "line" or "record".
        unit: &'static str,
        /// Which one, counted from 1.
        number: u64,
        /// What should have been there.
        expected: &'static str,
    },
    /// A log of faults was given as a trace.
    #[error(
        "{}: this is a log of faults, not a trace of references: it holds only the accesses that found their page \
         not resident or not referenced, so every policy but the one that made it would be judged by the wrong \
         accesses; record the program's own references (mager lab record)", path.display()
    )]
    FaultLog {
        /// The file.
        path: PathBuf,
    },
    /// The format cannot be told from the contents.
    #[error("{}: cannot tell the trace's format from its first bytes; give it with --format", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
}
