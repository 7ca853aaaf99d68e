//! What the demo came to, as a table and for programs.

use mager_course_host::Report;
use mager_view::{Kind, Tally};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The demo in figures.
#[derive(Serialize, Debug)]
pub(super) struct Summary {
    frames: u32,
    processes: u64,
    faults: BTreeMap<&'static str, u64>,
    zero_fills: u64,
    page_ins: u64,
    write_backs: u64,
    copies: u64,
    copies_saved: u64,
    ghosts_reused: u64,
    refusals: u64,
    file_pages_flushed: u64,
    bytes_checked: u64,
    elapsed_ms: f64,
    /// Whether every byte was what it must be, in memory and in the file.
    pub(super) every_byte_right: bool,
}

impl Summary {
    pub(super) fn new(
        frames: u32,
        tally: &Tally,
        report: &Report,
        bytes_checked: u64,
        elapsed: Duration,
        every_byte_right: bool,
    ) -> Self {
        let count = |kind: Kind| (kind.name(), tally.faults.get(&kind).copied().unwrap_or(0));
        Summary {
            frames,
            processes: report.processes,
            faults: Kind::ALL.into_iter().map(count).collect(),
            zero_fills: tally.zero_fills,
            page_ins: tally.page_ins,
            write_backs: tally.write_backs,
            copies: tally.copies,
            copies_saved: tally.steals,
            ghosts_reused: tally.ghosts,
            refusals: tally.refusals,
            file_pages_flushed: report.flushed.written,
            bytes_checked,
            elapsed_ms: elapsed.as_secs_f64() * 1000.0,
            every_byte_right,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} processes on {} frames, in {:.0} ms",
            self.processes, self.frames, self.elapsed_ms
        )?;
        for kind in Kind::ALL {
            writeln!(f, "  {:<24}{:>6}", format!("{} faults", kind.name()), self.faults[kind.name()])?;
        }
        let rows = [
            ("zero-fills", self.zero_fills),
            ("page-ins", self.page_ins),
            ("write-backs", self.write_backs),
            ("copies", self.copies),
            ("copies saved", self.copies_saved),
            ("ghosts reused", self.ghosts_reused),
            ("requests refused", self.refusals),
            ("file pages flushed", self.file_pages_flushed),
        ];
        for (name, count) in rows {
            writeln!(f, "  {name:<24}{count:>6}")?;
        }
        match self.every_byte_right {
            true => write!(f, "{} bytes were compared, and every one was right.", self.bytes_checked),
            false => write!(f, "SOMETHING WAS WRONG: see above. {} bytes were right.", self.bytes_checked),
        }
    }
}
