//! `mager stat`: what a running pager does.
//!
//! Owns the asking, once or again and again. How figures are laid out is in `table`.

mod table;

use crate::failure::{Failure, Finished};
use crate::observe::{ask, ask_again, earlier, rate, seconds, service_us};
use crate::{say, serve};
use mager_linux_wire::figures::Figures;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  mager stat                     Since the pager started
  mager stat --watch             Every second, until Ctrl-C
  mager stat --watch 10 --json   A JSON object on a line every ten seconds

Exit codes: 0 it was told; 1 the pager went away while it was watched; 2 there is no pager.";

/// What the user asks.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where the pager listens [default: where `mager serve` does]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
    /// Again and again: what happened meanwhile
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1", value_parser = seconds)]
    watch: Option<Duration>,
}

/// Asks and tells.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let path = args.socket.clone().unwrap_or_else(serve::socket::default);
    let mut figures = ask(&path)?;
    if args.watch.is_none() {
        tell(&figures, &Figures::default(), args.json)?;
        return Ok(Finished::Well);
    }
    loop {
        std::thread::sleep(args.watch.unwrap_or_default());
        let now = ask_again(&path)?;
        let before = earlier(figures, &now);
        tell(&now, &before, args.json)?;
        figures = now;
    }
}

fn tell(now: &Figures, before: &Figures, as_json: bool) -> Result<(), Failure> {
    if !as_json {
        return say::line(table::lay_out(now, before));
    }
    let mut told = serde_json::to_value(now).map_err(|why| Failure::Run(why.to_string()))?;
    told["interval"] = json!({
        "seconds": now.uptime_seconds - before.uptime_seconds,
        "faults_per_second": rate(now, before, |figures| figures.faults),
        "page_ins_per_second": rate(now, before, |figures| figures.page_ins),
        "service_us_p50": service_us(now, before, 0.5),
        "service_us_p90": service_us(now, before, 0.9),
        "service_us_p99": service_us(now, before, 0.99),
        "service_us_p999": service_us(now, before, 0.999),
    });
    say::line(told)
}
