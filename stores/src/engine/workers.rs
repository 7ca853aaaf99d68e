//! Threads that do one kind of work while their owner goes on.
//!
//! One lock over what is to do and what is done. The bell is readable exactly while something was rung for and not
//! fetched: at every `lot`th piece that is done, and when there is nothing more to do.

use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

#[derive(Debug)]
struct State<T> {
    to_do: VecDeque<T>,
    done: VecDeque<T>,
    /// Done since the bell was last rung.
    unrung: usize,
    rung: bool,
    closing: bool,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    more: Condvar,
    bell: OwnedFd,
    lot: usize,
}

/// The threads, and what they were given.
pub(crate) struct Workers<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    /// Started and not submitted.
    started: Vec<T>,
}

impl<T> fmt::Debug for Workers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} pieces not submitted", self.threads.len(), self.started.len())
    }
}

impl<T: Send + 'static> Workers<T> {
    /// At least one thread; `work` makes for each of them what it does.
    pub(crate) fn new<W>(name: &str, threads: usize, lot: usize, work: impl Fn() -> W) -> io::Result<Self>
    where
        W: FnMut(&mut T) + Send + 'static,
    {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (to_do, done) = (VecDeque::new(), VecDeque::new());
        let state = Mutex::new(State { to_do, done, unrung: 0, rung: false, closing: false });
        let shared = Arc::new(Shared { state, more: Condvar::new(), bell, lot });
        let mut workers = Workers { shared, threads: Vec::new(), started: Vec::new() };
        for number in 0..threads.max(1) {
            let (shared, work) = (Arc::clone(&workers.shared), work());
            let builder = thread::Builder::new().name(format!("{name}-{number}"));
            workers.threads.push(builder.spawn(move || shared.serve(work))?);
        }
        Ok(workers)
    }

    /// Takes a piece; it is begun at [`Workers::submit`].
    pub(crate) fn start(&mut self, piece: T) {
        self.started.push(piece);
    }

    /// What was started and not submitted, to be done some other way.
    pub(crate) fn started(&mut self) -> &mut Vec<T> {
        &mut self.started
    }

    pub(crate) fn submit(&mut self) {
        if self.started.is_empty() {
            return;
        }
        let count = self.started.len();
        self.shared.lock().to_do.extend(self.started.drain(..));
        for _ in 0..count.min(self.threads.len()) {
            self.shared.more.notify_one();
        }
    }

    /// A piece that is done. Never waits.
    pub(crate) fn finished(&mut self) -> Option<T> {
        let mut state = self.shared.lock();
        let done = state.done.pop_front()?;
        if state.done.is_empty() && std::mem::take(&mut state.rung) {
            let _ = rustix::io::read(&self.shared.bell, &mut [0u8; 8]);
        }
        Some(done)
    }

    /// Readable when there is something to fetch, if not at once then before long.
    pub(crate) fn wait_fd(&self) -> BorrowedFd<'_> {
        self.shared.bell.as_fd()
    }
}

impl<T> Shared<T> {
    /// A thread that panicked holding the lock has broken no promise about the two queues.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn serve(&self, mut work: impl FnMut(&mut T)) {
        while let Some(mut piece) = self.next() {
            work(&mut piece);
            let mut state = self.lock();
            state.done.push_back(piece);
            state.unrung += 1;
            if !state.rung && (state.unrung >= self.lot || state.to_do.is_empty()) {
                (state.rung, state.unrung) = (true, 0);
                let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
            }
        }
    }

    /// The next piece; `None` when there will be none.
    fn next(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(piece) = state.to_do.pop_front() {
                return Some(piece);
            }
            if state.closing {
                return None;
            }
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Workers<T> {
    /// Waits for what was submitted.
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.more.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
