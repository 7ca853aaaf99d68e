//! The lab's commands: `mager lab run`, `curve`, `stats`, `record`, `convert`, `generate`.
//!
//! Owns what the user types and sees. Reading is `mager-trace`'s, running and drawing `mager-lab`'s.
#![forbid(unsafe_code)]

mod convert;
mod curve;
mod error;
mod generate;
mod input;
mod interrupt;
mod progress;
mod record;
mod run;
mod stats;
mod table;

pub use error::LabError;

/// Choose and study page-replacement policies on reference traces.
#[derive(clap::Subcommand, Debug)]
pub enum LabCommand {
    /// Run policies over traces: faults, page-ins, write-backs, and how far from the optimum.
    Run(run::RunArgs),
    /// Draw miss-ratio curves: misses against memory.
    Curve(curve::CurveArgs),
    /// Say what a trace is like: footprint, reuse distances, working set over time.
    Stats(stats::StatsArgs),
    /// Make a trace of a program (with valgrind).
    Record(record::RecordArgs),
    /// Turn a trace into another format.
    Convert(convert::ConvertArgs),
    /// Make a synthetic trace.
    Generate(generate::GenerateArgs),
}

impl LabCommand {
    /// Carries the command out; results go to standard output.
    pub fn run(self) -> Result<(), LabError> {
        match self {
            LabCommand::Run(args) => run::run(&args),
            LabCommand::Curve(args) => curve::run(&args),
            LabCommand::Stats(args) => stats::run(&args),
            LabCommand::Record(args) => record::run(&args),
            LabCommand::Convert(args) => convert::run(&args),
            LabCommand::Generate(args) => generate::run(&args),
        }
    }
}
