//! A lock that can be held across a fork: whoever closed it opens it again on both sides.
//!
//! A mutex of the standard library that another thread holds at the moment of a fork stays locked in the child for ever.
//! Everything in this crate that is locked is locked behind a gate; a fork closes the gates, and so finds nothing locked.
//! Who passes has its signals held: a handler that came to the same gate would wait for its own thread, for ever.

use mager_linux_sys::SignalMask;
use rustix::thread::futex;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const OPEN: u32 = 0;
const CLOSED: u32 = 1;
/// Closed, and somebody may be waiting.
const AWAITED: u32 = 2;

/// The lock.
#[derive(Debug)]
pub struct Gate(AtomicU32);

/// The gate is closed behind whoever has this, and its signals are held.
#[derive(Debug)]
pub struct Passage<'a> {
    gate: &'a Gate,
    signals: SignalMask,
    /// Signals are a thread's own.
    thread_bound: PhantomData<*const ()>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// An open one.
    #[must_use]
    pub const fn new() -> Self {
        Gate(AtomicU32::new(OPEN))
    }

    /// One at a time.
    pub fn pass(&self) -> Passage<'_> {
        let signals = SignalMask::hold();
        self.close();
        Passage { gate: self, signals, thread_bound: PhantomData }
    }

    /// Waits until it is open, and closes it. Whoever does holds its signals.
    pub fn close(&self) {
        if self.0.compare_exchange(OPEN, CLOSED, Acquire, Relaxed).is_ok() {
            return;
        }
        while self.0.swap(AWAITED, Acquire) != OPEN {
            let _ = futex::wait(&self.0, futex::Flags::PRIVATE, AWAITED, None);
        }
    }

    /// Opens it, whoever closed it.
    pub fn open(&self) {
        if self.0.swap(OPEN, Release) == AWAITED {
            let _ = futex::wake(&self.0, futex::Flags::PRIVATE, 1);
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.gate.open();
        self.signals.restore();
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_at_a_time_passes() {
        let (gate, inside, passed) = (Gate::new(), AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let _passage = gate.pass();
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        inside.fetch_sub(1, Ordering::Relaxed);
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed), 40_000);
    }
}
