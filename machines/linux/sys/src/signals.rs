//! Which signals a thread is open to. Source: pthread_sigmask(3).

use std::mem::MaybeUninit;

/// Runs `work` with all signals blocked but SIGSEGV; threads it makes keep them blocked.
pub fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    let former = SignalMask::hold_but_for_touches();
    let done = work();
    former.restore();
    done
}

/// What a thread had blocked before its signals were held. SIGSEGV, which comes of touching what is not there yet, is not
/// among those; another fault that is blocked ends the process, as it would without a handler.
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

impl SignalMask {
    /// Signals come later, with [`SignalMask::restore`]; what was blocked stays blocked.
    pub fn hold() -> Self {
        SignalMask(mask(libc::SIG_BLOCK, &all()))
    }

    /// The same, but bad touches are handled, whatever was blocked.
    pub fn hold_but_for_touches() -> Self {
        SignalMask(mask(libc::SIG_SETMASK, &all()))
    }

    /// Exactly these are blocked again.
    pub fn restore(self) {
        mask(libc::SIG_SETMASK, &self.0);
    }
}

impl std::fmt::Debug for SignalMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignalMask")
    }
}

/// Has the calling thread block this signal, or not; whether it did before. Safe in a signal handler.
pub fn set_blocked(signal: i32, blocked: bool) -> bool {
    let how = if blocked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK };
    let former = mask(how, &with(signal, none()));
    // SAFETY: the set has been filled.
    unsafe { libc::sigismember(&raw const former, signal) == 1 }
}

/// Blocks these besides those that are. Safe in a signal handler.
pub(crate) fn block(set: &libc::sigset_t) {
    mask(libc::SIG_BLOCK, set);
}

pub(crate) fn none() -> libc::sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: it fills the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: it has been filled.
    unsafe { set.assume_init() }
}

pub(crate) fn with(signal: i32, mut set: libc::sigset_t) -> libc::sigset_t {
    // SAFETY: the set has been filled; what is no signal is refused.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    set
}

fn all() -> libc::sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: it fills the set it is given.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: the set has been filled, and the number is that of a signal.
    unsafe { libc::sigdelset(set.as_mut_ptr(), libc::SIGSEGV) };
    // SAFETY: it has been filled.
    unsafe { set.assume_init() }
}

/// What was blocked before.
fn mask(how: libc::c_int, set: &libc::sigset_t) -> libc::sigset_t {
    let mut former = MaybeUninit::zeroed();
    // SAFETY: both point to sets.
    unsafe { libc::pthread_sigmask(how, set, former.as_mut_ptr()) };
    // SAFETY: it has been filled, or is the empty set that zeros are.
    unsafe { former.assume_init() }
}
