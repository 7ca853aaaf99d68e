//! A stack for signal handlers, with more room than a thread usually has for them.
//!
//! Source: sigaltstack(2).

use rustix::mm::{MapFlags, ProtFlags};
use std::sync::OnceLock;

/// Room for a handler that makes system calls, beside what the kernel saves of the largest processors.
const ROOM: usize = 128 << 10;

static STACK: OnceLock<usize> = OnceLock::new();

/// Makes the room that [`SignalStack::lend`] lends.
pub(crate) fn make_room() {
    STACK.get_or_init(|| {
        let (rights, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a fresh mapping, where the kernel likes.
        let got = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), ROOM, rights, flags) };
        got.map_or(0, |at| at.expose_provenance())
    });
}

/// The calling thread's handlers run where there is room, until this is dropped by the same thread or, after a fork, its
/// only heir. There is one for the whole process: who lends it sees to it that nobody else does.
#[derive(Debug)]
pub struct SignalStack {
    base: usize,
    flags: libc::c_int,
    size: usize,
}

impl SignalStack {
    /// `None`: no room was made, or the thread is in a handler.
    #[must_use]
    pub fn lend() -> Option<Self> {
        let base = *STACK.get().filter(|&&base| base != 0)?;
        set(base, 0, ROOM)
    }
}

/// The former stack, if the new one is in its place.
fn set(base: usize, ss_flags: libc::c_int, ss_size: usize) -> Option<SignalStack> {
    let mut former = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    let new = libc::stack_t { ss_sp: std::ptr::with_exposed_provenance_mut(base), ss_flags, ss_size };
    // SAFETY: the memory is mapped for good and lent to one thread, or is what the thread had before.
    let done = unsafe { libc::sigaltstack(&raw const new, &raw mut former) };
    let base = former.ss_sp.expose_provenance();
    (done == 0).then_some(SignalStack {
        base,
        flags: former.ss_flags & libc::SS_DISABLE,
        size: former.ss_size,
    })
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // What was lent is not given back to anyone.
        std::mem::forget(set(self.base, self.flags, self.size));
    }
}
