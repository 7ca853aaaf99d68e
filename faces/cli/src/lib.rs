//! The `mager` command: what can be asked of it, one file for each subcommand.
//!
//! Owns the words of the command line, what is printed, and the exit codes. What is asked about is decided and
//! known elsewhere: in the core, the machines and the lab.
//!
//! | file | owns |
//! |---|---|
//! | `failure` | errors as one sentence, and the exit codes |
//! | `say` | printing |
//! | `output` | files that a run writes |
//! | `events` | event logs as files |
//! | `demo` | `mager demo` |
//! | `size` | sizes such as 64M |
//! | `libraries` | where the libraries of programs are |
//! | `doctor` | `mager doctor` |
//! | `run` | `mager run` |
//! | `serve` | `mager serve` |
//! | `observe` | looking at a running pager |
//! | `stat` | `mager stat` |
//! | `top` | `mager top` |
//! | `replay` | `mager replay` |
//! | `course` | `mager course ...` |
//!
//! A further subcommand is a variant of [`Command`] with its own arguments, and one arm in [`Command::run`].
#![forbid(unsafe_code)]

pub mod course;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod failure;
mod libraries;
pub mod observe;
pub mod output;
pub mod replay;
pub mod run;
pub mod say;
pub mod serve;
pub mod size;
pub mod stat;
pub mod top;

use clap::{Parser, Subcommand};
use failure::{Failure, Finished};
use std::process::ExitCode;

const CODES: &str = "\
Exit codes:
  0  it was done, and everything was as it should be
  1  the run failed, or what was compared is different
  2  wrong use: an unknown option, a file that cannot be read, something missing
Where a program is run for you (an application, a compiler), its exit code is passed on.";

const EXAMPLES: &str = "\
Examples:
  mager run --memory 256M -- python3 job.py
                                          Any program, in less memory than its data needs
  mager demo                              Real processes on four frames, told line by line
  mager course run -- ./app               Run an application on a pager of its own
  mager lab run app.trace --policy all --memory 10%
                                          Which policy would have missed least?
  mager sim --seeds 1000                  A thousand simulated worlds, every byte checked
  mager replay run.events                 Does the recorded run give the same effects again?
  mager replay run.events --at 120        The whole state after step 120
  mager serve --memory 1G --swap 8G       Hold the memory of real processes
  mager stat --watch                      What does that pager do?
  mager top                               The same, live, with its processes
  mager doctor                            What works here, and what would make the rest work?
  mager course cxx -o app app.cpp         Compile an application for the course's pager
  mager course diff mine.log theirs.log   Where do two pagers differ, and by which rule?";

/// An external pager: it manages the memory of other processes, and shows what it does.
#[derive(Parser, Debug)]
#[command(name = "mager", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{CODES}"))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything the command can do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Watch several real processes fault, share, fork, copy on write, get evicted and written back.
    Demo(demo::Args),
    /// The demo's application, started by `mager demo` itself.
    #[command(hide = true)]
    DemoApplication {
        /// Only play, say nothing
        #[arg(long)]
        quiet: bool,
    },
    /// Compare replacement policies on traces of real programs.
    #[command(subcommand)]
    Lab(mager_lab_cli::LabCommand),
    /// Run whole simulated worlds, each from a seed, against an oracle that knows every byte.
    Sim(mager_sim_cli::SimArgs),
    /// Replay a recorded run through the core, and report whether every effect is equal.
    Replay(replay::Args),
    /// Run any program in a budget of memory, however much its data is.
    Run(Box<run::Args>),
    /// Hold the memory of other processes: the pager of real memory, for any number of clients.
    Serve(Box<serve::Args>),
    /// Show what a running pager does.
    Stat(stat::Args),
    /// Show a running pager live: its memory, its faults, its processes.
    Top(top::Args),
    /// Say what the pager of real memory needs here, what is missing, and how to get it.
    Doctor(doctor::Args),
    /// Work with the university's pager API: its pagers, applications and logs.
    #[command(subcommand)]
    Course(course::Command),
}

impl Command {
    /// Does it.
    pub fn run(self) -> Result<Finished, Failure> {
        match self {
            Command::Demo(args) => demo::run(&args),
            Command::DemoApplication { quiet } => Ok(demo::application(quiet)),
            Command::Lab(command) => match command.run() {
                Ok(()) => Ok(Finished::Well),
                Err(error @ mager_lab_cli::LabError::NotWritten(_)) => {
                    Err(Failure::Interrupted(error.to_string()))
                }
                Err(error) => Err(Failure::Use(error.to_string())),
            },
            Command::Sim(args) => Ok(Finished::Exit(mager_sim_cli::run(&args))),
            Command::Replay(args) => replay::run(&args),
            Command::Run(args) => run::run(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Stat(args) => stat::run(&args),
            Command::Top(args) => top::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Course(command) => command.run(),
        }
    }
}

/// Reads the command line, does what it says, and tells how that went.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|wrong| misused(&wrong));
    match cli.command.run() {
        Ok(finished) => finished.into(),
        Err(failure) => failure.report(),
    }
}

/// Says what is wrong, or what was asked for. `mager run` has other exit codes: 2 would look like its program's.
fn misused(wrong: &clap::Error) -> ! {
    let runs = std::env::args_os().nth(1).is_some_and(|word| word == "run");
    if runs && wrong.use_stderr() {
        let _ = wrong.print();
        std::process::exit(run::OWN.into());
    }
    wrong.exit()
}
