//! `mager course pager`: serves the applications of a directory.

use super::options::{PagerArgs, run_failure};
use crate::failure::{Failure, Finished};
use crate::say;

const EXAMPLES: &str = "\
Examples:
  mager course pager                        Serve this directory with 4 frames until Ctrl-C
  mager course pager -m 16 -s 64 --log -    16 frames, 64 swap blocks, every call shown
  mager course pager --events run.events    Record the run, to be replayed with `mager replay`

Start applications in the same directory in another terminal. SIGUSR1 shows the whole state. SIGINT and SIGTERM end
the applications, write dirty file pages home and print a summary.

Exit code 0: served and ended in order. 1: something was lost at the end, or the pager failed. 2: it could not start.";

/// Serve the applications of a directory until SIGINT or SIGTERM.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pager: PagerArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Finished, Failure> {
    let (host, events) = args.pager.host()?;
    eprintln!("mager: serving at {}; Ctrl-C ends it", host.socket().display());
    let report = host.run().map_err(run_failure);
    let recorded = events.close();
    let report = report?;
    say::line(&report)?;
    recorded?;
    Ok(if report.lost() { Finished::Badly } else { Finished::Well })
}
