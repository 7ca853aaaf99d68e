//! `mager course run`: a pager and one application together.

use super::options::{PagerArgs, run_failure};
use crate::failure::{Failure, Finished};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

const EXAMPLES: &str = "\
Examples:
  mager course run -- ./app                     With 4 frames and 256 swap blocks
  mager course run -m 8 --log run.log -- ./app  Every call, file access and page table in run.log
  mager course run --log-pids ordinal --log a.log -- ./app
                                                A log that is equal for equal runs

The application's input, output and exit code are its own (128 + N if signal N ended it). The run ends with the last
process that the application started.";

/// Run an application, and the processes it starts, on a pager of their own.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pager: PagerArgs,
    /// Print a summary on standard error at the end
    #[arg(long)]
    summary: bool,
    /// The application and its arguments
    #[arg(last = true, required = true, value_name = "APP")]
    application: Vec<std::ffi::OsString>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Finished, Failure> {
    let (host, events) = args.pager.host()?;
    let mut command = Command::new(&args.application[0]);
    command.args(&args.application[1..]);
    let report = host.run_with(command).map_err(run_failure);
    let recorded = events.close();
    let report = report?;
    if args.summary {
        eprintln!("{report}");
    }
    for failure in &report.flushed.failures {
        eprintln!("mager: lost: {failure}");
    }
    if let Some(status) = report.exit.filter(|status| status.signal().is_some()) {
        let signal = status.to_string().replacen(": ", " ", 1);
        eprintln!("mager: {} was ended by {signal}", args.application[0].display());
    }
    recorded?;
    Ok(match report.exit.map(code) {
        Some(0) | None if report.lost() => Finished::Badly,
        Some(code) => Finished::With(code),
        None => Finished::Well,
    })
}

/// The exit code as a shell would tell it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
