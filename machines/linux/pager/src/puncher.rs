//! The thread that punches holes while the pager, and the threads that are pulled to its CPU, go on.
//!
//! To the pager a hole costs 1.7 us, about a tenth of a page-in from compressed memory; and it is the part that nobody waits
//! for. The thread may run on all CPUs that the pager could run on before it chose one.

use crate::budget::AllowanceNo;
use crate::frames::Place;
use mager_linux_sys::MemoryFile;
use mager_stores::Workers;
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::sync::Arc;

/// Neighbouring pages of one memory file.
#[derive(Debug)]
pub(crate) struct Hole {
    pub(crate) memory: Arc<MemoryFile>,
    /// In bytes.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) pages: u32,
    /// Where the memory comes back.
    pub(crate) allowance: AllowanceNo,
    pub(crate) first: Place,
    pub(crate) refused: bool,
}

impl Hole {
    pub(crate) fn punch(&mut self) {
        self.refused = self.memory.punch(self.offset, self.length).is_err();
    }
}

/// Holes that are punched together.
pub(crate) type Lot = Vec<Hole>;

#[derive(Debug)]
pub(crate) struct Puncher {
    workers: Workers<Lot>,
}

impl Puncher {
    /// None where there is one CPU only: a thread would take as much time as it spares. Called before the pager chooses a
    /// CPU.
    pub(crate) fn new() -> io::Result<Option<Self>> {
        if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
            return Ok(None);
        }
        let work = || |lot: &mut Lot| lot.iter_mut().for_each(Hole::punch);
        Ok(Some(Puncher { workers: Workers::new("mager-punch", 1, 1, work)? }))
    }

    pub(crate) fn begin(&mut self, lot: Lot) {
        self.workers.start(lot);
        self.workers.submit();
    }

    /// A lot that is done; with `wait`, of the one that was begun.
    pub(crate) fn finished(&mut self, wait: bool) -> Option<Lot> {
        loop {
            let done = self.workers.finished();
            if done.is_some() || !wait {
                return done;
            }
            let _ = poll(&mut [PollFd::from_borrowed_fd(self.workers.wait_fd(), PollFlags::IN)], None);
        }
    }
}
