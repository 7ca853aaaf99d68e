//! What can go wrong, as the user is told.

use mager_policies::BadSpec;
use mager_trace::TraceError;
use std::{io, path::PathBuf};

/// A command of the lab failed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A trace could not be read or written.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A policy was asked for that does not exist, or with parameters it does not have.
    #[error("--policy {spec}: {source}")]
    Policy {
        /// As the user wrote it.
        spec: String,
        /// What is wrong with it.
        source: BadSpec,
    },
    /// A trace has no accesses.
    #[error("{}: the trace has no accesses", .0.display())]
    Empty(PathBuf),
    /// Standard input would have to be read twice.
    #[error(
        "--memory {0}: a share of a trace from standard input is not known before its end; give bytes or pages"
    )]
    ShareOfStdin(String),
    /// OPT needs the whole trace.
    #[error("--policy opt: the optimum needs the whole trace in memory; leave --no-opt out")]
    OptStreamed,
    /// A result could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name of a picture does not say what it should be.
    #[error("-o {}: expected a name that ends in .svg, .html or .csv", .0.display())]
    PictureName(PathBuf),
    /// The user stopped it.
    #[error("interrupted: {finished} of {all} runs were finished and are shown")]
    Interrupted {
        /// Runs finished.
        finished: usize,
        /// Runs asked for.
        all: usize,
    },
    /// The user stopped it before there was anything worth keeping.
    #[error("interrupted: {} was not written", .0.display())]
    NotWritten(PathBuf),
    /// valgrind is not there.
    #[error(
        "valgrind was not found, and it is what records a program's references; install it (apt install valgrind)"
    )]
    NoValgrind,
    /// The recording did not work.
    #[error("cannot record {program}: {why}")]
    Record {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
}
