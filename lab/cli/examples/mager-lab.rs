//! The lab's commands as a program of their own: `cargo run --release --example mager-lab -- run TRACE`.

use clap::Parser;
use mager_lab_cli::LabCommand;
use std::process::ExitCode;

/// The policy lab.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: LabCommand,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mager lab: {error}");
            ExitCode::FAILURE
        }
    }
}
