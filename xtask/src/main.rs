//! The workspace's chores: `cargo xtask CHORE`. Each has a file of its own; a further one is a variant and an arm.
#![forbid(unsafe_code)]

mod fuzz;
mod golden;
mod kills;
mod layers;
mod matrix;
mod miri;
mod mutants;
mod random;
mod switched;
mod tidy;

use clap::{Parser, Subcommand};
use std::path::Path;
use std::process::ExitCode;

/// Chores of the workspace.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand, Debug)]
enum Chore {
    /// Check what no lint checks: heads of files, their length, where unsafe code stands.
    Tidy,
    /// Check that dependencies point one way: faces and lab to machines, to stores, to the core, which has none.
    Layers,
    /// Feed bytes to everything that takes bytes from outside.
    Fuzz(fuzz::FuzzArgs),
    /// Run the tests that need no system calls under Miri.
    Miri(miri::MiriArgs),
    /// Rewrite the golden scenarios and cell tables with what comes out now.
    Golden,
    /// Run real programs under `mager run`, beside the kernel's swap and without a limit: is the output the same?
    Matrix(matrix::MatrixArgs),
    /// Kill at random moments what belongs to a run of `mager run`: is an output wrong, does it hang, does anything stay?
    Kills(kills::KillArgs),
    /// Put wrong pagers through the tests: each must be noticed.
    Mutants(mutants::MutantArgs),
    /// Put the mutants that cargo-mutants makes of a package through the tests, all in one build.
    Switched(switched::SwitchedArgs),
}

/// The top of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn main() -> ExitCode {
    let found = match Cli::parse().chore {
        Chore::Tidy => tidy::check(root()),
        Chore::Layers => layers::check(root()),
        Chore::Fuzz(args) => fuzz::check(root(), &args),
        Chore::Miri(args) => miri::check(root(), &args),
        Chore::Golden => golden::rewrite(root()),
        Chore::Matrix(args) => matrix::check(root(), &args),
        Chore::Kills(args) => kills::check(root(), &args),
        Chore::Mutants(args) => mutants::check(root(), &args),
        Chore::Switched(args) => switched::check(root(), &args),
    };
    match found {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(2)
        }
    }
}
