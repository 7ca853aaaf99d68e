//! Why a program is not run: each in a sentence, with what to do, and an exit code as `env` and `timeout` have them.

use crate::failure::Failure;
use crate::size::told;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Of this command itself.
pub const OWN: u8 = 125;
const CANNOT: u8 = 126;
const NOT_FOUND: u8 = 127;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{}: not found {place}", program.display())]
    NotFound { program: PathBuf, place: &'static str },
    #[error("{}: {why}", program.display())]
    Cannot { program: PathBuf, why: String },
    #[error(
        "{} is statically linked, so no library can be loaded into it: link it dynamically, or run it without \
         `mager run`", program.display()
    )]
    Static { program: PathBuf },
    #[error(
        "{} {how}, so the system loads no library into it: run a copy without that, as a user who may do what it does",
        program.display()
    )]
    Rights { program: PathBuf, how: &'static str },
    #[error("{} is {what}: get it for 64-bit Linux on x86-64", program.display())]
    Machine { program: PathBuf, what: &'static str },
    #[error(
        "{} is linked with another C library than glibc ({}): get it for glibc", program.display(), linker.display()
    )]
    OtherLibrary { program: PathBuf, linker: PathBuf },
    #[error(
        "{} does not use the C library, so its memory cannot be taken over: run it without `mager run`",
        program.display()
    )]
    NoLibrary { program: PathBuf },
    #[error("{script}: its interpreter: {why}", script = script.display())]
    Interpreter { script: PathBuf, why: Box<Refusal> },
    #[error(
        "this user gets no userfaultfd that stops the kernel's accesses, too ({0}): `mager doctor` says how to get one, \
         and --fallback runs the program without a budget"
    )]
    NoUserfault(io::Error),
    #[error("{0}: say --memory")]
    UnknownMemory(String),
    #[error(
        "{} of swap are more than the {} free in {}: say less with --swap, or another disk with --swap-dir",
        told(*wanted), told(*free), dir.display()
    )]
    SwapTooBig { wanted: u64, free: u64, dir: PathBuf },
    #[error(
        "only {} are free in {}, half of them for swap, and that is less than the memory: name another disk with \
         --swap-dir, or say --swap", told(*free), dir.display()
    )]
    DiskFull { free: u64, dir: PathBuf },
    #[error("{} lies in memory itself (tmpfs), so swap there gains nothing: name a directory on a disk with --swap-dir",
        dir.display())]
    SwapInMemory { dir: PathBuf },
    #[error("{}: {why}: name a directory on a disk with --swap-dir", dir.display())]
    SwapDir { dir: PathBuf, why: io::Error },
    #[error(
        "the dynamic linker would take {} for several names: put the library where no path has a colon or a space, \
         and name that directory in MAGER_LIB", library.display()
    )]
    LibraryPath { library: PathBuf },
    #[error("the pager did not start: {0}")]
    Pager(String),
    #[error("{0}")]
    Own(String),
}

impl Refusal {
    pub(super) fn of(program: &Path, why: &io::Error) -> Self {
        let program = program.to_owned();
        match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Refusal::NotFound { program, place: "(no such file)" }
            }
            _ => Refusal::Cannot { program, why: why.to_string() },
        }
    }

    pub(super) fn cannot(program: &Path, why: impl Display) -> Self {
        Refusal::Cannot { program: program.to_owned(), why: why.to_string() }
    }

    /// As [`Refusal::cannot`] of a script, if it is not the refused file itself.
    pub(super) fn for_script(self, script: &Path) -> Self {
        let (Refusal::NotFound { program, .. }
        | Refusal::Cannot { program, .. }
        | Refusal::Static { program }
        | Refusal::Rights { program, .. }
        | Refusal::Machine { program, .. }
        | Refusal::OtherLibrary { program, .. }
        | Refusal::NoLibrary { program }) = &self
        else {
            return self;
        };
        if program == script {
            self
        } else {
            Refusal::Interpreter { script: script.into(), why: Box::new(self) }
        }
    }

    fn code(&self) -> u8 {
        match self {
            Refusal::NotFound { .. } => NOT_FOUND,
            Refusal::Cannot { .. } => CANNOT,
            // The script is there, and cannot be executed.
            Refusal::Interpreter { why, .. } => why.code().min(CANNOT),
            _ => OWN,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(why: Refusal) -> Failure {
        Failure::NotRun(why.code(), why.to_string())
    }
}
