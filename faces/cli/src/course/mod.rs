//! `mager course ...`: the university's pager API.

pub mod compile;
pub mod diff;
mod headers;
mod options;
pub mod pager;
pub mod run;

use crate::failure::{Failure, Finished};
use compile::Language;

/// Work with the course's pagers and applications.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Serve the applications of a directory until SIGINT or SIGTERM.
    Pager(pager::Args),
    /// Run an application, and the processes it starts, on a pager of their own.
    Run(run::Args),
    /// Show the first difference between two logs that means something, with the rule that decides it.
    Diff(diff::Args),
    /// Compile a C++ application, or a pager object into a complete pager.
    Cxx(compile::Args),
    /// Compile a C application, or a pager object in C into a complete pager.
    Cc(compile::Args),
}

impl Command {
    /// Does it.
    pub fn run(self) -> Result<Finished, Failure> {
        match self {
            Command::Pager(args) => pager::run(&args),
            Command::Run(args) => run::run(&args),
            Command::Diff(args) => diff::run(&args),
            Command::Cxx(args) => compile::run(Language::Cxx, args),
            Command::Cc(args) => compile::run(Language::C, args),
        }
    }
}
