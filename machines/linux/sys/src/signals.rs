//! Threads that the program's signals are not for. Source: pthread_sigmask(3).

use std::mem::MaybeUninit;

/// Runs `work` with all signals blocked, but for those of its own mistakes; threads it makes keep them blocked.
pub fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    let former = mask(&all());
    let done = work();
    mask(&former);
    done
}

fn all() -> libc::sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: it fills the set it is given.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    for mistake in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT] {
        // SAFETY: the set has been filled, and the number is that of a signal.
        unsafe { libc::sigdelset(set.as_mut_ptr(), mistake) };
    }
    // SAFETY: it has been filled.
    unsafe { set.assume_init() }
}

/// Blocks exactly these; what was blocked before.
fn mask(set: &libc::sigset_t) -> libc::sigset_t {
    let mut former = MaybeUninit::zeroed();
    // SAFETY: both point to sets.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, former.as_mut_ptr()) };
    // SAFETY: it has been filled, or is the empty set that zeros are.
    unsafe { former.assume_init() }
}
