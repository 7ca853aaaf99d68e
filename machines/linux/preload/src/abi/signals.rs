//! sigaction(2), signal(2): a program that handles SIGSEGV itself is called for what is not ours; in a child between its
//! fork and its first own instruction, the touch of memory it has not been given yet is.

use super::{next, refused};
use mager_linux_sys::handed_on;
use std::ffi::c_int;
use std::mem::MaybeUninit;

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
unsafe extern "C" fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    if signal != libc::SIGSEGV {
        return next!(c"signal" as fn(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t);
    }
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    let mut new = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: an action of zeros is one.
    let action = unsafe { new.assume_init_mut() };
    (action.sa_sigaction, action.sa_flags) = (handler, libc::SA_RESTART);
    // SAFETY: both are actions.
    if unsafe { sigaction(signal, new.as_ptr(), old.as_mut_ptr()) } != 0 {
        refused(libc::EINVAL);
        return libc::SIG_ERR;
    }
    // SAFETY: it has been filled, or is zeros.
    unsafe { old.assume_init() }.sa_sigaction
}
