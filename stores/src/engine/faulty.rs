//! An engine around another that fails as ordered: for tests of everything above it.

use super::{Ended, Engine, Run};
use crate::faults::{Fates, Faults, ReadFate, WriteFate};
use crate::faulty::ordered;
use crate::sys::Toward;
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

#[derive(Debug)]
pub(crate) struct FaultyEngine {
    inner: Box<dyn Engine>,
    fates: Fates,
    ended: VecDeque<Ended>,
}

impl FaultyEngine {
    pub(crate) fn new(inner: Box<dyn Engine>, faults: Faults) -> Self {
        FaultyEngine { inner, fates: Fates::new(faults), ended: VecDeque::new() }
    }

    fn start_write(&mut self, run: Run) {
        let all = run.length();
        let result = match self.fates.write() {
            WriteFate::Fine => return self.inner.start(run),
            WriteFate::Failed => Err(ordered()),
            WriteFate::Stale => Ok(all),
            WriteFate::Torn => {
                let first = run.first();
                // If not even half can be written, nothing is, and that is said by nobody either.
                let _ = first.file.file.write_at(&first.span.bytes()[..first.length / 2], first.offset);
                Ok(all)
            }
        };
        self.ended.push_back(Ended { run, result });
    }

    /// What was read, or what is made of it.
    fn mangled(&mut self, mut ended: Ended) -> Ended {
        if ended.run.first().toward() == Toward::Memory && ended.result.is_ok() {
            match self.fates.read() {
                ReadFate::Fine => {}
                ReadFate::Failed => ended.result = Err(ordered()),
                ReadFate::Flipped => self.fates.flip(ended.run.jobs[0].span.bytes_mut()),
            }
        }
        ended
    }
}

impl Engine for FaultyEngine {
    fn start(&mut self, run: Run) {
        if run.first().toward() == Toward::Store {
            self.start_write(run);
        } else {
            self.inner.start(run);
        }
    }

    fn now(&mut self, run: Run) -> Ended {
        let ended = self.inner.now(run);
        self.mangled(ended)
    }

    fn at_once(&self) -> bool {
        self.inner.at_once()
    }

    fn submit(&mut self) {
        self.inner.submit();
    }

    fn finished(&mut self) -> Option<Ended> {
        if let Some(ended) = self.ended.pop_front() {
            return Some(ended);
        }
        let ended = self.inner.finished()?;
        Some(self.mangled(ended))
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.wait_fd()
    }
}
