//! `mager course ...`: the university's pager API.

pub mod diff;

use crate::failure::{Failure, Finished};

/// Work with the course's pagers and applications.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show the first difference between two logs that means something, with the rule that decides it.
    Diff(diff::Args),
}

impl Command {
    /// Does it.
    pub fn run(self) -> Result<Finished, Failure> {
        match self {
            Command::Diff(args) => diff::run(&args),
        }
    }
}
