//! Engines: they carry out runs of neighbouring pages, at once or while others go on.
//!
//! An engine moves bytes and says how many; what a short or failed transfer means is the backing's business.

mod faulty;
mod inline;
mod job;
mod late;
mod pool;
mod transfer;
mod uring;
mod workers;

pub(crate) use faulty::FaultyEngine;
pub(crate) use inline::Inline;
pub(crate) use job::{Job, MOST_JOINED, OpenFile, Run};
pub(crate) use late::Late;
pub(crate) use pool::Pool;
pub(crate) use transfer::transfer;
pub(crate) use uring::Uring;
pub(crate) use workers::Workers;

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;

/// A run that an engine is through with: how many bytes were moved from its start.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) run: Run,
    pub(crate) result: io::Result<usize>,
}

/// Carries out runs, in any order. Every run that was started ends exactly once.
pub(crate) trait Engine: fmt::Debug + Send {
    /// Takes a run; it may begin now or at `submit`.
    fn start(&mut self, run: Run);

    /// Whether [`Engine::now`] does what this engine is for.
    fn at_once(&self) -> bool {
        true
    }

    /// Carries a run out here and now.
    fn now(&mut self, mut run: Run) -> Ended {
        let result = transfer(&mut run, 0);
        Ended { run, result }
    }

    /// Hands to the kernel what it has not got yet.
    fn submit(&mut self);

    /// A run that has ended. Never blocks.
    fn finished(&mut self) -> Option<Ended>;

    /// Readable when `finished` may have something that it had not before.
    fn wait_fd(&self) -> Option<BorrowedFd<'_>>;
}
