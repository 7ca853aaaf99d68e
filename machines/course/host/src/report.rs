//! What a finished run came to.

use mager_course_abi::Flushed;
use std::fmt;
use std::process::ExitStatus;

/// Blocks moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Blocks of files read.
    pub file_reads: u64,
    /// Blocks of files written.
    pub file_writes: u64,
    /// Blocks of swap read.
    pub swap_reads: u64,
    /// Blocks of swap written.
    pub swap_writes: u64,
}

impl Transfers {
    pub(crate) fn count_read(&mut self, file: bool) {
        *(if file { &mut self.file_reads } else { &mut self.swap_reads }) += 1;
    }

    pub(crate) fn count_write(&mut self, file: bool) {
        *(if file { &mut self.file_writes } else { &mut self.swap_writes }) += 1;
    }
}

/// What a finished run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Processes that were managed.
    pub processes: u64,
    /// Read faults.
    pub read_faults: u64,
    /// Write faults.
    pub write_faults: u64,
    /// Accesses the pager refused.
    pub refused: u64,
    /// Blocks moved, the final flush included.
    pub transfers: Transfers,
    /// What the final flush did.
    pub flushed: Flushed,
    /// The pager's own figures.
    pub summary: Option<String>,
    /// The log could not be written to its end; that was remarked on.
    pub log_lost: bool,
    /// It was ended by SIGINT or SIGTERM.
    pub stopped: bool,
    /// How the application started by the host ended, if it started one.
    pub exit: Option<ExitStatus>,
}

impl Report {
    /// Something is missing that should have been written: a dirty file page, or the log.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.log_lost || !self.flushed.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transfers { file_reads, file_writes, swap_reads, swap_writes } = self.transfers;
        let (processes, reads, writes) = (self.processes, self.read_faults, self.write_faults);
        let es = if processes == 1 { "" } else { "es" };
        write!(f, "{processes} process{es}, {reads} read faults, {writes} write faults, ")?;
        writeln!(f, "{} refused", self.refused)?;
        writeln!(f, "files: {file_reads} blocks read, {file_writes} written")?;
        write!(f, "swap: {swap_reads} blocks read, {swap_writes} written")?;
        if self.flushed.written > 0 || !self.flushed.failures.is_empty() {
            let written = self.flushed.written;
            let (s, were) = if written == 1 { ("", "was") } else { ("s", "were") };
            write!(f, "\nat the end {written} dirty file page{s} {were} written home")?;
        }
        self.flushed.failures.iter().try_for_each(|failure| write!(f, "\nlost: {failure}"))?;
        self.summary.iter().try_for_each(|summary| write!(f, "\n{}", summary.trim_end()))
    }
}
