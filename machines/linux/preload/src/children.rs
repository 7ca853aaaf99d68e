//! Forks: the zones are looked at by nobody while it happens, and the child goes on with its own.

use crate::start::{Managed, managed, set_forking, while_forking};
use crate::{masks, sys};
use mager_linux_client::{Error, Forking};
use std::sync::atomic::{AtomicI32, Ordering};

/// The thread that has closed the gate for a fork.
static FORKER: AtomicI32 = AtomicI32::new(0);
/// Its process.
static PARENT: AtomicI32 = AtomicI32::new(0);

/// Has forks that the C library makes by itself (daemon, forkpty) close the gate, too. What is registered later runs
/// earlier before a fork, and later after it: so this comes after the connection's own.
pub(crate) fn watch_forks() {
    sys::at_fork(before, after);
}

/// Forks, unless there is not enough swap for what the child would have.
pub(crate) fn fork(managed: &Managed) -> Result<i32, Error> {
    close(managed);
    let forking = Forking::prepare().inspect_err(|_| after())?;
    let child = sys::fork();
    drop(forking);
    after();
    Ok(child)
}

fn close(managed: &Managed) {
    managed.gate.close();
    FORKER.store(sys::thread(), Ordering::Relaxed);
    PARENT.store(sys::process(), Ordering::Relaxed);
    set_forking(true);
}

/// Whether the caller is the thread that forks, or what has become of it in the child.
pub(crate) fn is_forker() -> bool {
    FORKER.load(Ordering::Relaxed) == sys::thread() || PARENT.load(Ordering::Relaxed) != sys::process()
}

extern "C" fn before() {
    if let Some(managed) = managed() {
        close(managed);
    }
}

extern "C" fn after() {
    let Some(managed) = while_forking() else { return };
    if FORKER.swap(0, Ordering::Relaxed) == 0 {
        return;
    }
    set_forking(false);
    managed.gate.open();
    if PARENT.load(Ordering::Relaxed) != sys::process() {
        masks::let_go();
        managed.zones(|zones| zones.mappings.guard_again());
    }
}
