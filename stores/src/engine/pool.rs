//! The engine of threads that wait, for where there is no io_uring.
//!
//! One lock over runs to do and runs that have ended. The bell is readable exactly while some have ended and were not
//! fetched.

use super::{Ended, Engine, Run, transfer};
use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

#[derive(Debug, Default)]
struct State {
    to_do: VecDeque<Run>,
    ended: VecDeque<Ended>,
    closing: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
    bell: OwnedFd,
}

#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Started and not submitted.
    started: Vec<Run>,
}

impl Pool {
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { state: Mutex::default(), more: Condvar::new(), bell });
        let mut pool = Pool { shared, threads: Vec::new(), started: Vec::new() };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            let builder = thread::Builder::new().name(format!("mager-io-{number}"));
            pool.threads.push(builder.spawn(move || shared.work())?);
        }
        Ok(pool)
    }
}

impl Shared {
    /// A thread that panicked holding the lock has broken no promise about the two queues.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn work(&self) {
        while let Some(mut run) = self.next() {
            let result = transfer(&mut run, 0);
            let mut state = self.lock();
            if state.ended.is_empty() {
                let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
            }
            state.ended.push_back(Ended { run, result });
        }
    }

    /// The next run; `None` when there will be none.
    fn next(&self) -> Option<Run> {
        let mut state = self.lock();
        loop {
            if let Some(run) = state.to_do.pop_front() {
                return Some(run);
            }
            if state.closing {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Engine for Pool {
    fn start(&mut self, run: Run) {
        self.started.push(run);
    }

    fn submit(&mut self) {
        if self.started.is_empty() {
            return;
        }
        let count = self.started.len();
        self.shared.lock().to_do.extend(self.started.drain(..));
        for _ in 0..count.min(self.threads.len()) {
            self.shared.more.notify_one();
        }
    }

    fn finished(&mut self) -> Option<Ended> {
        let mut state = self.shared.lock();
        let ended = state.ended.pop_front()?;
        if state.ended.is_empty() {
            let _ = rustix::io::read(&self.shared.bell, &mut [0u8; 8]);
        }
        Some(ended)
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.shared.bell.as_fd())
    }
}

impl Drop for Pool {
    /// Waits for what was submitted.
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.more.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
