//! The engine that waits: a run is carried out where it is started.

use super::{Ended, Engine, Run};
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

/// Carries out each run at once.
#[derive(Debug, Default)]
pub(crate) struct Inline {
    ended: VecDeque<Ended>,
}

impl Engine for Inline {
    fn start(&mut self, run: Run) {
        let ended = self.now(run);
        self.ended.push_back(ended);
    }

    fn submit(&mut self) {}

    fn finished(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
