//! fork(3), execve(2), posix_spawn(3), pthread_create(3): what a program makes keeps its memory, its place and us.

use super::{next, refused};
use crate::environment::with_ours;
use crate::start::managed;
use crate::{children, masks, sys};
use std::ffi::{c_char, c_int, c_void};

type Strings = *const *mut c_char;

#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> c_int {
    match managed() {
        None => sys::fork(),
        Some(_) => children::fork().unwrap_or_else(refused),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execve(path: *const c_char, arguments: Strings, environment: Strings) -> c_int {
    masks::let_go();
    // SAFETY: the caller's strings, by execve's manual page.
    let kept = unsafe { with_ours(environment) };
    let environment = kept.as_ref().map_or(environment, |kept| kept.as_ptr());
    next!(c"execve" as fn(path: *const c_char, arguments: Strings, environment: Strings) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvpe(file: *const c_char, arguments: Strings, environment: Strings) -> c_int {
    masks::let_go();
    // SAFETY: as above.
    let kept = unsafe { with_ours(environment) };
    let environment = kept.as_ref().map_or(environment, |kept| kept.as_ptr());
    next!(c"execvpe" as fn(file: *const c_char, arguments: Strings, environment: Strings) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execv(path: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the caller's strings, and the C library's.
    unsafe { execve(path, arguments, sys::environment()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execvp(file: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: as above.
    unsafe { execvpe(file, arguments, sys::environment()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    pid: *mut c_int,
    path: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    arguments: Strings,
    environment: Strings,
) -> c_int {
    masks::let_go();
    // SAFETY: as above.
    let kept = unsafe { with_ours(environment) };
    let environment = kept.as_ref().map_or(environment, |kept| kept.as_ptr());
    next!(
        c"posix_spawn"
            as fn(
                pid: *mut c_int,
                path: *const c_char,
                actions: *const c_void,
                attributes: *const c_void,
                arguments: Strings,
                environment: Strings,
            ) -> c_int
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    pid: *mut c_int,
    file: *const c_char,
    actions: *const c_void,
    attributes: *const c_void,
    arguments: Strings,
    environment: Strings,
) -> c_int {
    masks::let_go();
    // SAFETY: as above.
    let kept = unsafe { with_ours(environment) };
    let environment = kept.as_ref().map_or(environment, |kept| kept.as_ptr());
    next!(
        c"posix_spawnp"
            as fn(
                pid: *mut c_int,
                file: *const c_char,
                actions: *const c_void,
                attributes: *const c_void,
                arguments: Strings,
                environment: Strings,
            ) -> c_int
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    start: *mut c_void,
    argument: *mut c_void,
) -> c_int {
    if managed().is_some() {
        masks::let_go();
    }
    next!(
        c"pthread_create"
            as fn(
                thread: *mut c_void,
                attributes: *const c_void,
                start: *mut c_void,
                argument: *mut c_void,
            ) -> c_int
    )
}
