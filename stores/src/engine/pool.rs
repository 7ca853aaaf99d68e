//! The engine of threads that wait, for where there is no io_uring.

use super::workers::Workers;
use super::{Ended, Engine, Run, transfer};
use std::io;
use std::os::fd::BorrowedFd;

/// A run, and what came of it.
type Piece = (Run, Option<io::Result<usize>>);

#[derive(Debug)]
pub(crate) struct Pool(Workers<Piece>);

impl Pool {
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let work = || |(run, result): &mut Piece| *result = Some(transfer(run, 0));
        Ok(Pool(Workers::new("mager-io", threads, 1, work)?))
    }
}

impl Engine for Pool {
    fn start(&mut self, run: Run) {
        self.0.start((run, None));
    }

    fn submit(&mut self) {
        self.0.submit();
    }

    fn finished(&mut self) -> Option<Ended> {
        let (run, result) = self.0.finished()?;
        Some(Ended { run, result: result.expect("pool: what a thread is done with has a result") })
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.wait_fd())
    }
}
