//! The engine of io_uring: many runs in the kernel at once, one system call for a batch of them.

use super::{Ended, Engine, Run};
use crate::sys::Ring;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// How many runs the kernel has at once; others wait here.
const DEPTH: u32 = 128;

#[derive(Debug)]
pub(crate) struct Uring {
    ring: Ring,
    waiting: VecDeque<Run>,
}

impl Uring {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Uring { ring: Ring::new(DEPTH)?, waiting: VecDeque::new() })
    }

    fn push_waiting(&mut self) {
        while let Some(run) = self.waiting.pop_front() {
            if let Err(run) = self.ring.push(run) {
                self.waiting.push_front(run);
                return;
            }
        }
    }
}

impl Engine for Uring {
    fn start(&mut self, run: Run) {
        self.waiting.push_back(run);
    }

    fn submit(&mut self) {
        self.push_waiting();
        self.ring.submit();
    }

    fn finished(&mut self) -> Option<Ended> {
        if self.ring.behind() {
            self.ring.submit();
        }
        let (run, said) = self.ring.pop()?;
        if !self.waiting.is_empty() {
            self.submit();
        }
        Some(Ended { run, result: moved(said) })
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.ring.as_fd())
    }
}

/// A transfer that was interrupted, or cancelled because its thread ended, has moved nothing; the rest of it is then done by whoever asks for it.
fn moved(said: i32) -> io::Result<usize> {
    match usize::try_from(said) {
        Ok(moved) => Ok(moved),
        Err(_) if [libc::EINTR, libc::EAGAIN, libc::ECANCELED].contains(&-said) => Ok(0),
        Err(_) => Err(io::Error::from_raw_os_error(-said)),
    }
}
