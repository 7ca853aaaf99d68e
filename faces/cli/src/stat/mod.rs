//! `mager stat`: what a running pager does.
//!
//! Owns the asking, once or again and again. How figures are laid out is in `table`.

mod table;

use crate::failure::{Failure, Finished};
use crate::{say, serve};
use mager_linux_client::{Connection, Error};
use mager_linux_wire::figures::Figures;
use serde_json::json;
use std::path::{Path, PathBuf};
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "seconds are a number".to_owned())?;
    let wait = Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())?;
    if wait < Duration::from_millis(10) { Err("at least 0.01".into()) } else { Ok(wait) }
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
        let now = ask(&path).map_err(|why| Failure::Run(format!("the pager went away: {why}")))?;
        // Another pager may serve there now; then it is told from its start.
        let same = now.uptime_seconds >= figures.uptime_seconds;
        let before = if same { figures } else { Figures::default() };
        tell(&now, &before, args.json)?;
        figures = now;
    }
}

fn ask(path: &Path) -> Result<Figures, Failure> {
    let told = Connection::observe(path).map_err(|why| Failure::file(path, none(&why)))?;
    serde_json::from_str(&told).map_err(|why| Failure::file(path, format!("not a pager's figures: {why}")))
}

fn none(why: &Error) -> String {
    match why {
        Error::Lost(why) => format!("no pager serves there ({why}); `mager serve` starts one"),
        other => other.to_string(),
    }
}

fn tell(now: &Figures, before: &Figures, as_json: bool) -> Result<(), Failure> {
    if !as_json {
        return say::line(table::lay_out(now, before));
    }
    let mut told = serde_json::to_value(now).map_err(|why| Failure::Run(why.to_string()))?;
    told["interval"] = json!({
        "seconds": now.uptime_seconds - before.uptime_seconds,
        "faults_per_second": table::rate(now, before, |figures| figures.faults),
        "page_ins_per_second": table::rate(now, before, |figures| figures.page_ins),
        "service_us_p50": table::service_us(now, before, 0.5),
        "service_us_p90": table::service_us(now, before, 0.9),
        "service_us_p99": table::service_us(now, before, 0.99),
        "service_us_p999": table::service_us(now, before, 0.999),
    });
    say::line(told)
}
