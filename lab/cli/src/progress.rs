//! A line on the terminal that says how far something is and how long it will take.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Shown on standard error if that is a terminal, at most ten times a second.
pub(crate) struct Progress {
    what: &'static str,
    shown: bool,
    start: Instant,
    last: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        Progress { what, shown: stderr().is_terminal(), start: Instant::now(), last: None }
    }

    fn due(&mut self) -> bool {
        let due = self.shown && self.last.is_none_or(|last| last.elapsed() > Duration::from_millis(100));
        if due {
            self.last = Some(Instant::now());
        }
        due
    }

    fn show(text: &str) {
        // The terminal may be gone; the work goes on.
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }

    /// `done` of `all` steps of about the same length are done.
    pub(crate) fn step(&mut self, done: usize, all: usize) {
        if self.due() {
            let left =
                self.start.elapsed().as_secs_f64() / done.max(1) as f64 * all.saturating_sub(done) as f64;
            let full = done * 30 / all.max(1);
            let bar = format!("{}{}", "#".repeat(full), ".".repeat(30 - full));
            Progress::show(&format!("{} [{bar}] {done}/{all}, {left:.0} s left", self.what));
        }
    }

    /// `count` accesses were read, of nobody knows how many.
    pub(crate) fn count(&mut self, count: u64) {
        if self.due() {
            Progress::show(&format!("{}: {:.1} million accesses", self.what, count as f64 / 1e6));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            Progress::show("");
        }
    }
}
