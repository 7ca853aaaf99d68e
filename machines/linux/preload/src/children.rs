//! Forks: the zones are looked at by nobody while it happens, and the child goes on with its own.

use crate::address::{self, Owner};
use crate::start::{managed, set_forking, while_forking};
use crate::{masks, sys, tell};
use mager_linux_client::fork_or_refuse;
use mager_linux_sys::{SignalMask, on_another_stack};
use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The thread that has closed the gate for a fork.
static FORKER: AtomicI32 = AtomicI32::new(0);
/// Its process.
static PARENT: AtomicI32 = AtomicI32::new(0);
/// The signals that it had blocked before. Behind the gate.
static SIGNALS: Mutex<Option<SignalMask>> = Mutex::new(None);

/// What is registered later runs earlier before a fork, and later after it: so this comes around the connection's own
/// handlers, and within the program's, which lock what other threads may have.
pub(crate) fn watch_forks() {
    sys::at_fork(before, after);
}

/// Forks; or an error number, and then there is no child.
pub(crate) fn fork() -> Result<c_int, c_int> {
    aside(&mut || fork_or_refuse(sys::fork).map_err(|_| libc::ENOMEM))
}

/// Calls what forks, where that can be.
///
/// What a thread stores after its arena was copied and before it has forked is not the child's. That must not be its stack,
/// so one that has its stack in the arena (a coroutine's) forks on another; and the C library's own words about a thread lie
/// on the stack that it was begun with, which cannot be changed.
pub(crate) fn aside(fork: &mut dyn FnMut() -> Result<c_int, c_int>) -> Result<c_int, c_int> {
    if address::owner(sys::words_of_thread()) != Owner::Elsewhere {
        tell::say(
            "a thread whose stack a program has allocated itself cannot fork here: fork in another thread",
        );
        return Err(libc::ENOMEM);
    }
    let mut child = Err(libc::ENOMEM);
    let here = std::ptr::from_ref(&child).addr();
    if address::owner(here) == Owner::Elsewhere {
        return fork();
    }
    on_another_stack(&mut || child = fork()).map_err(|_| libc::ENOMEM)?;
    child
}

/// Whether the caller is the thread that forks, or what has become of it in the child.
pub(crate) fn is_forker() -> bool {
    FORKER.load(Ordering::Relaxed) == sys::thread() || PARENT.load(Ordering::Relaxed) != sys::process()
}

extern "C" fn before() {
    let Some(managed) = managed() else { return };
    let signals = SignalMask::hold();
    // Whoever has it may be allocating, and so comes first.
    sys::lock_streams();
    managed.gate.close();
    *signals_of_forker() = Some(signals);
    FORKER.store(sys::thread(), Ordering::Relaxed);
    PARENT.store(sys::process(), Ordering::Relaxed);
    set_forking(true);
}

extern "C" fn after() {
    let Some(managed) = while_forking() else { return };
    let is_child = PARENT.load(Ordering::Relaxed) != sys::process();
    if FORKER.load(Ordering::Relaxed) == 0 || !is_forker() {
        return;
    }
    FORKER.store(0, Ordering::Relaxed);
    PARENT.store(sys::process(), Ordering::Relaxed);
    let signals = signals_of_forker().take();
    set_forking(false);
    managed.gate.open();
    sys::unlock_streams(is_child);
    if is_child {
        masks::let_go();
        managed.zones(|zones| zones.guard_again());
    }
    signals.into_iter().for_each(SignalMask::restore);
}

fn signals_of_forker() -> MutexGuard<'static, Option<SignalMask>> {
    SIGNALS.lock().unwrap_or_else(PoisonError::into_inner)
}
