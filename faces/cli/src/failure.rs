//! How a command ends: exit codes, and errors as one sentence.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The exit code of what Ctrl-C ended, as shells tell it.
const INTERRUPTED: u8 = 130;

/// A command went through.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Finished {
    /// Everything was as it should be.
    Well,
    /// The run failed, or what was compared is different; that was said already.
    Badly,
    /// A program that was run for the user ended with this code.
    With(u8),
    /// A part that has its own exit codes ended with this one.
    Exit(ExitCode),
}

impl From<Finished> for ExitCode {
    fn from(finished: Finished) -> ExitCode {
        match finished {
            Finished::Well => ExitCode::SUCCESS,
            Finished::Badly => ExitCode::FAILURE,
            Finished::With(code) => ExitCode::from(code),
            Finished::Exit(code) => code,
        }
    }
}

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file cannot be read or written, or is not what it should be.
    #[error("{}: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The command makes no sense as it was given, or something it needs is missing.
    #[error("{0}")]
    Use(String),
    /// Another program was to be run, and is not: the exit code tells that apart from all that the program could say.
    #[error("{1}")]
    NotRun(u8, String),
    /// It was begun, and went wrong.
    #[error("{0}")]
    Run(String),
    /// The user stopped it, and there is nothing to show for it.
    #[error("{0}")]
    Interrupted(String),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
}

impl Failure {
    /// A file, and what is wrong with it.
    pub fn file(path: impl Into<PathBuf>, why: impl ToString) -> Self {
        Failure::File { path: path.into(), why: why.to_string() }
    }

    /// Tells the user. Whoever closed the output early knows why, and is told nothing.
    pub fn report(&self) -> ExitCode {
        match self {
            Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            _ => {
                // If not even this can be written, the exit code is all there is left to say.
                let _ = writeln!(std::io::stderr(), "mager: {self}");
                self.code()
            }
        }
    }

    fn code(&self) -> ExitCode {
        match self {
            Failure::Run(_) | Failure::Output(_) => ExitCode::FAILURE,
            Failure::File { .. } | Failure::Use(_) => ExitCode::from(2),
            Failure::Interrupted(_) => ExitCode::from(INTERRUPTED),
            Failure::NotRun(code, _) => ExitCode::from(*code),
        }
    }
}
