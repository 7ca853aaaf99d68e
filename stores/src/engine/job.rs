//! A job is one page on its way; a run is jobs that are neighbours in one file and go the same way.

use crate::Home;
use crate::place::{narrow, wide};
use crate::sys::{Lent, Toward};
use std::fs::File;
use std::sync::Arc;

/// The most pages of one run: enough that a call's own cost does not count, few enough for vectors on the stack.
pub(crate) const MOST_JOINED: usize = 64;

/// A file with its ways in.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    /// Does the file bypass the page cache? Then a part of a page cannot be written through it.
    pub(crate) direct: bool,
}

/// One page on its way.
#[derive(Debug)]
pub(crate) struct Job {
    /// `None`: nobody asked for it, and nobody is answered.
    pub(crate) tag: Option<u32>,
    pub(crate) home: Home,
    pub(crate) file: Arc<OpenFile>,
    /// Where the page lies in the file, in bytes.
    pub(crate) offset: u64,
    /// How much of it is moved: less than a page only where a file's end is written.
    pub(crate) length: usize,
    /// How often it was tried before.
    pub(crate) tries: u8,
    pub(crate) span: Lent,
}

impl Job {
    pub(crate) fn toward(&self) -> Toward {
        self.span.toward()
    }

    /// Does `next` begin where this ends, so that one call can do both?
    pub(crate) fn joins(&self, next: &Job) -> bool {
        Arc::ptr_eq(&self.file, &next.file)
            && self.toward() == next.toward()
            && self.tries == 0
            && next.tries == 0
            && self.offset.checked_add(wide(self.length)) == Some(next.offset)
    }
}

/// Jobs that one call can do, in the order of their places in the file. Never empty while an engine has it.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) jobs: Vec<Job>,
}

impl Run {
    pub(crate) fn first(&self) -> &Job {
        self.jobs.first().expect("engine: a run has a job")
    }

    /// All its bytes.
    pub(crate) fn length(&self) -> usize {
        self.jobs.iter().map(|job| job.length).sum()
    }

    /// Where the bytes after the first `skip` lie in the file.
    pub(crate) fn offset(&self, skip: usize) -> u64 {
        self.first().offset.saturating_add(wide(skip))
    }

    /// Does the file end before the byte `skip` of this run?
    pub(crate) fn ends_before(&self, skip: usize) -> bool {
        let size = self.first().file.file.metadata().map_or(u64::MAX, |it| it.len());
        self.offset(skip) >= size
    }

    /// Of `moved` bytes, how many are of the job at `index`?
    pub(crate) fn share(&self, index: usize, moved: usize) -> usize {
        let before: usize = self.jobs[..index].iter().map(|job| job.length).sum();
        moved.saturating_sub(before).min(self.jobs[index].length)
    }
}

impl OpenFile {
    /// Where a block lies.
    pub(crate) fn offset(block: u64, page_size: usize) -> Option<u64> {
        let offset = block.checked_mul(wide(page_size))?;
        // The kernel's offsets are signed.
        let end = offset.checked_add(wide(page_size))?;
        (i64::try_from(end).is_ok() && narrow(end) != usize::MAX).then_some(offset)
    }
}
