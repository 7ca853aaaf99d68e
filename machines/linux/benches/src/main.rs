//! The Linux machine beside what else a user could pick: the same workloads on each kind of memory, in one go.
//!
//! `cargo run --release -p mager-linux-benches -- [--only WHAT..] [--runs 5] [--json]`. Each run is a process of its
//! own; the kinds of memory take turns within a round, so that a slow minute of the machine hits all of them; medians
//! over the rounds. Needs root, for control groups and swap; cleans up whatever happens.
//!
//! | file | owns |
//! |---|---|
//! | `args`, `room` | what is asked for; whether there is room for it |
//! | `contents`, `workload` | what every word must be; the access patterns, each read checked |
//! | `memory` | the seam: what workloads run on, one implementation for each kind |
//! | `mager` | Mager's own kinds: a pager of one's own, an arena of it |
//! | `kind`, `stage` | the kinds of memory; what must stand on the machine for each |
//! | `child`, `run` | one measured process; starting it |
//! | `floors` | the least that a fault and a read from the disk can cost, and what it costs through Mager |
//! | `measures` | Mager alone: pulling on and off, beside blocking readers, what it needs for itself |
//! | `rounds`, `table`, `quoted` | turns and medians; printing; figures of others |
//! | `sys` | unsafe calls |

mod args;
mod child;
mod contents;
mod error;
mod floors;
mod kind;
mod mager;
mod measures;
mod memory;
mod quoted;
mod room;
mod rounds;
mod run;
mod stage;
mod sys;
mod table;
mod workload;

use args::{Args, Role};
use clap::Parser;
use error::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.role {
        Some(Role::Child(job)) => child::run(job),
        Some(Role::Floor(job)) => floors::child(job),
        Some(Role::Pager(job)) => mager::pager(job),
        Some(Role::Handler(job)) => floors::handle(job),
        Some(Role::Measure(job)) => measures::child(job),
        None => rounds::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Stopped) => ExitCode::from(130),
        Err(failure) => {
            eprintln!("mager-linux-benches: {failure}");
            ExitCode::FAILURE
        }
    }
}
