//! sigaction(2), signal(2), sysv_signal(3), sigset(3): a program that handles SIGSEGV itself, by whatever name it says so,
//! is called for what is not ours; in a child between its fork and its first own instruction, the touch of memory it has
//! not been given yet is. All other signals are the C library's.

use super::next;
use crate::sys;
use mager_linux_sys::{handed_on, set_blocked};
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::null;

#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    if signal == libc::SIGSEGV {
        // SAFETY: the caller's word: an action, or null.
        let wanted = unsafe { new.as_ref() }.copied();
        if let Some(former) = handed_on(wanted) {
            // SAFETY: the caller's word: room for an action, or null.
            if let Some(place) = unsafe { old.as_mut() } {
                *place = former;
            }
            return 0;
        }
    }
    next!(c"sigaction" as fn(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    // SAFETY: the caller's word.
    unsafe { sigaction(signal, new, old) }
}

/// Who handles SIGSEGV from now on; who did, or SIG_ERR.
fn handled(handler: libc::sighandler_t, flags: c_int) -> libc::sighandler_t {
    if handler == libc::SIG_ERR {
        sys::set_errno(libc::EINVAL);
        return libc::SIG_ERR;
    }
    let mut new = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: an action of zeros is one, and blocks nothing.
    let action = unsafe { new.assume_init_mut() };
    (action.sa_sigaction, action.sa_flags) = (handler, flags);
    exchanged(Some(action))
}

/// The handler of SIGSEGV that was there before this action, which may be none; or SIG_ERR.
fn exchanged(new: Option<&libc::sigaction>) -> libc::sighandler_t {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    let new = new.map_or(null(), std::ptr::from_ref);
    // SAFETY: an action or null, and room for one.
    if unsafe { sigaction(libc::SIGSEGV, new, old.as_mut_ptr()) } != 0 {
        return libc::SIG_ERR;
    }
    // SAFETY: it has been filled, or is zeros.
    unsafe { old.assume_init() }.sa_sigaction
}

#[unsafe(no_mangle)]
unsafe extern "C" fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    if signal == libc::SIGSEGV {
        return handled(handler, libc::SA_RESTART);
    }
    next!(c"signal" as fn(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bsd_signal(number: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: the caller's word.
    unsafe { signal(number, handler) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ssignal(number: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: the caller's word.
    unsafe { signal(number, handler) }
}

/// What signal(2) is where a compiler is held to ISO C or System V.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sysv_signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    if signal == libc::SIGSEGV {
        return handled(handler, libc::SA_RESETHAND | libc::SA_NODEFER);
    }
    next!(c"__sysv_signal" as fn(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sysv_signal(number: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: the caller's word.
    unsafe { __sysv_signal(number, handler) }
}

/// As in the C library's signal.h; its binding lacks it.
const SIG_HOLD: libc::sighandler_t = 2;

#[unsafe(no_mangle)]
unsafe extern "C" fn sigset(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    if signal != libc::SIGSEGV {
        return next!(c"sigset" as fn(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t);
    }
    let hold = handler == SIG_HOLD;
    let former = if hold { exchanged(None) } else { handled(handler, 0) };
    if former != libc::SIG_ERR && set_blocked(signal, hold) { SIG_HOLD } else { former }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sigignore(signal: c_int) -> c_int {
    if signal != libc::SIGSEGV {
        return next!(c"sigignore" as fn(signal: c_int) -> c_int);
    }
    if handled(libc::SIG_IGN, 0) == libc::SIG_ERR { -1 } else { 0 }
}
