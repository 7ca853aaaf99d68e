//! Looking at a running pager: its figures, and what happened between two of them.

use crate::failure::Failure;
use mager_linux_client::{Connection, Error};
use mager_linux_wire::figures::{Client, Figures};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// The figures of the pager that listens at `path`.
pub fn ask(path: &Path) -> Result<Figures, Failure> {
    let told = Connection::observe(path).map_err(|why| Failure::file(path, none(&why)))?;
    serde_json::from_str(&told).map_err(|why| Failure::file(path, format!("not a pager's figures: {why}")))
}

/// The same, where there has been one.
pub fn ask_again(path: &Path) -> Result<Figures, Failure> {
    ask(path).map_err(|why| Failure::Run(format!("the pager went away: {why}")))
}

fn none(why: &Error) -> String {
    match why {
        Error::Lost(why) if why.kind() == ErrorKind::PermissionDenied => {
            "the pager there belongs to another user; only its owner can use it".into()
        }
        Error::Lost(why) => format!("no pager serves there ({why}); `mager serve` starts one"),
        other => other.to_string(),
    }
}

/// What to compare with: another pager may serve there now, which is told from its start.
pub fn earlier(before: Figures, now: &Figures) -> Figures {
    if now.uptime_seconds >= before.uptime_seconds { before } else { Figures::default() }
}

/// What was told of a client before; zeros if nothing was. Older pagers do not number their clients.
pub fn earlier_client(before: &Figures, now: &Client) -> Client {
    let same = |old: &&Client| old.number == now.number && (now.number != 0 || old.pid == now.pid);
    before.clients.iter().find(same).cloned().unwrap_or_default()
}

/// How many a second between the two.
pub fn rate(now: &Figures, before: &Figures, what: fn(&Figures) -> u64) -> f64 {
    over(what(now), what(before), now.uptime_seconds - before.uptime_seconds)
}

/// How many a second, if it took so many seconds from the one count to the other.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn over(now: u64, before: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { now.saturating_sub(before) as f64 / seconds } else { 0.0 }
}

/// What a share of the faults between the two took at most.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn service_us(now: &Figures, before: &Figures, share: f64) -> Option<f64> {
    now.service.since(&before.service).percentile_ns(share).map(|ns| ns as f64 / 1000.0)
}

/// An interval on the command line.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "seconds are a number".to_owned())?;
    let wait = Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string())?;
    if wait < Duration::from_millis(10) { Err("at least 0.01".into()) } else { Ok(wait) }
}
