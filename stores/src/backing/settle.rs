//! What becomes of a run that ended: whole, short at a file's end, or failed.
//!
//! A failed run of several pages is tried again page by page, so that one bad block fails alone. A failed write of a
//! swap block is tried again on spare blocks. What fails then is told.

use super::{Backing, Done, Home};
use crate::StoreError;
use crate::engine::{Ended, Job, Run, transfer};
use crate::sys::Toward;
use std::io;

/// On how many spare blocks one write is tried.
const MOST_TRIES: u8 = 3;

impl Backing {
    pub(super) fn settle(&mut self, ended: Ended) {
        let Ended { mut run, result } = ended;
        // An engine may stop early; only what is missing is left to do, and a file's end shows by there being nothing.
        let moved = match result {
            Ok(moved) if moved < run.length() => transfer(&mut run, moved),
            other => other,
        };
        match moved {
            Ok(moved) => self.settle_moved(run, moved),
            Err(error) => self.settle_failed(run, error),
        }
    }

    fn settle_moved(&mut self, mut run: Run, moved: usize) {
        for index in 0..run.jobs.len() {
            let got = run.share(index, moved);
            let job = &mut run.jobs[index];
            let result = if job.toward() == Toward::Store { Ok(()) } else { self.arrived(job, got) };
            let (tag, home) = (job.tag, job.home);
            self.answer(tag, home, result);
        }
        self.queue.put_back(run);
    }

    /// A page was read, of which the file had `got` bytes.
    fn arrived(&mut self, job: &mut Job, got: usize) -> Result<(), StoreError> {
        let source = io::ErrorKind::UnexpectedEof;
        match job.home {
            Home::Swap(_) if got < job.length => {
                Err(StoreError::Io { at: job.home, write: false, source: source.into() })
            }
            Home::Swap(block) => self.swap.verify(block, job.span.bytes()),
            Home::File(file, block) if got == 0 => {
                // Nothing of the block is in the file: where it has shrunk, zeros would be made up.
                let size = self.files.size(file).unwrap_or(0);
                Err(StoreError::BeyondEnd { at: Home::File(file, block), size })
            }
            Home::File(..) => {
                job.span.bytes_mut()[got..].fill(0);
                Ok(())
            }
        }
    }

    fn settle_failed(&mut self, mut run: Run, error: io::Error) {
        if run.jobs.len() > 1 {
            while let Some(mut job) = run.jobs.pop() {
                job.tries = 1;
                self.again(job);
            }
        } else if let Some(job) = run.jobs.pop() {
            self.failed(job, error);
        }
        self.queue.put_back(run);
        self.engine.submit();
    }

    fn failed(&mut self, mut job: Job, source: io::Error) {
        let write = job.toward() == Toward::Store;
        if let Home::Swap(block) = job.home
            && write
            && job.tag.is_some()
            && job.tries < MOST_TRIES
            && let Some(offset) = self.swap.move_to_spare(block)
        {
            job.offset = offset;
            job.tries += 1;
            return self.again(job);
        }
        self.answer(job.tag, job.home, Err(StoreError::Io { at: job.home, write, source }));
    }

    fn again(&mut self, job: Job) {
        self.figures.retries += 1;
        let run = self.queue.run_of(job);
        self.start(run);
    }

    fn answer(&mut self, tag: Option<u32>, home: Home, result: Result<(), StoreError>) {
        match tag {
            Some(tag) => self.tell(tag, result),
            None => self.demoted(home, result.is_ok()),
        }
    }

    pub(super) fn tell(&mut self, tag: u32, result: Result<(), StoreError>) {
        match &result {
            Ok(()) => {}
            Err(StoreError::Checksum { .. } | StoreError::Unpack { .. }) => {
                self.figures.checksum_failures += 1;
            }
            Err(_) => self.figures.failures += 1,
        }
        self.ready.push_back(Done { tag, result });
    }
}
