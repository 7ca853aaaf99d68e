//! The C functions that take the place of the C library's. Each does as its manual page says.

mod advice;
mod allocation;
mod descriptors;
mod execution;
mod listed;
mod mapping;
mod placement;
mod remapping;
mod signals;

use crate::sys;
use mager_linux_client::Error;
use std::ffi::{c_int, c_void};

/// -1, and why.
fn refused(errno: c_int) -> c_int {
    sys::set_errno(errno);
    -1
}

fn answer(done: Result<(), c_int>) -> c_int {
    done.map_or_else(refused, |()| 0)
}

/// Memory that is not to be had is ENOMEM, whatever the reason.
fn no_memory(_: Error) -> c_int {
    libc::ENOMEM
}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

/// Calls the function of this name and type that would have been called without us.
macro_rules! next {
    ($name:literal as fn($($argument:ident: $type:ty),* $(,)?) -> $result:ty) => {{
        static NEXT: crate::sys::Next = crate::sys::Next::new($name);
        // SAFETY: the C library's function of this name is of this type.
        let next: unsafe extern "C" fn($($type),*) -> $result = unsafe { std::mem::transmute(NEXT.get()) };
        // SAFETY: the arguments are the caller's, who has kept to the manual page.
        unsafe { next($($argument),*) }
    }};
}
use next;
