//! `mager sim` on its own: `cargo run --release -p mager-sim-cli --example sim -- --time 10s`.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: mager_sim_cli::SimArgs,
}

fn main() -> ExitCode {
    mager_sim_cli::run(&Command::parse().args)
}
