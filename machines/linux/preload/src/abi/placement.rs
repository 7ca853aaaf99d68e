//! sched_setaffinity(2), sched_getaffinity(2) and their pthread forms: a thread sees and sets its own mask, wherever the
//! pager has pulled it.

use super::{next, refused};
use crate::start::managed;
use crate::{masks, sys};
use std::ffi::{c_int, c_void};

fn is_caller(thread: c_int) -> bool {
    thread == 0 || thread == sys::thread()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sched_setaffinity(thread: c_int, size: usize, mask: *const c_void) -> c_int {
    let done = next!(c"sched_setaffinity" as fn(thread: c_int, size: usize, mask: *const c_void) -> c_int);
    if done == 0 && managed().is_some() && is_caller(thread) {
        masks::chosen();
    }
    done
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sched_getaffinity(thread: c_int, size: usize, mask: *mut c_void) -> c_int {
    let own = managed().filter(|_| is_caller(thread)).and_then(|_| masks::own());
    let Some(own) = own else {
        return next!(c"sched_getaffinity" as fn(thread: c_int, size: usize, mask: *mut c_void) -> c_int);
    };
    // SAFETY: the caller has made room for `size` bytes there.
    if unsafe { masks::write(&own, mask.cast(), size) } { 0 } else { refused(libc::EINVAL) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_getaffinity_np(
    thread: libc::pthread_t,
    size: usize,
    mask: *mut c_void,
) -> c_int {
    // SAFETY: it takes nothing.
    if thread != unsafe { libc::pthread_self() } {
        return next!(
            c"pthread_getaffinity_np" as fn(thread: libc::pthread_t, size: usize, mask: *mut c_void) -> c_int
        );
    }
    // SAFETY: the caller's room.
    match unsafe { sched_getaffinity(0, size, mask) } {
        0 => 0,
        _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_setaffinity_np(
    thread: libc::pthread_t,
    size: usize,
    mask: *const c_void,
) -> c_int {
    let done = next!(
        c"pthread_setaffinity_np" as fn(thread: libc::pthread_t, size: usize, mask: *const c_void) -> c_int
    );
    // SAFETY: it takes nothing.
    if done == 0 && managed().is_some() && thread == unsafe { libc::pthread_self() } {
        masks::chosen();
    }
    done
}
