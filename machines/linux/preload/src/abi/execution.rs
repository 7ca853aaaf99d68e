//! fork(3), execve(2), posix_spawn(3), system(3), popen(3), pthread_create(3): what a program makes keeps its memory, its
//! place and us. execl(3) and its kin are in `listed.rs`.

use super::allocation::{free, malloc};
use super::{next, refused};
use crate::environment::{Kept, with_ours};
use crate::start::{managed, server};
use crate::{children, masks, sys};
use mager_linux_client::fork_or_refuse;
use std::ffi::{c_char, c_int, c_uint, c_void};

pub(super) type Strings = *const *mut c_char;

/// What is executed next runs where the thread itself wants to be, and has what is ours in its environment.
///
/// # Safety
/// `environment` is null, or pointers to strings, the last one null.
unsafe fn ready(environment: Strings) -> Ready {
    // SAFETY: the caller's word.
    let ready = Ready { kept: unsafe { with_ours(environment) }, given: environment };
    // After what may have touched pages: a thread that goes on faulting is pulled again.
    masks::let_go();
    ready
}

struct Ready {
    kept: Option<Kept>,
    given: Strings,
}

impl Ready {
    fn environment(&self) -> Strings {
        self.kept.as_ref().map_or(self.given, Kept::as_ptr)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> c_int {
    match managed() {
        None => sys::fork(),
        Some(_) => children::fork().unwrap_or_else(refused),
    }
}

// Forks that the C library makes by itself.

#[unsafe(no_mangle)]
unsafe extern "C" fn forkpty(
    terminal: *mut c_int,
    name: *mut c_char,
    settings: *const c_void,
    size: *const c_void,
) -> c_int {
    let fork = || {
        next!(
            c"forkpty"
                as fn(
                    terminal: *mut c_int,
                    name: *mut c_char,
                    settings: *const c_void,
                    size: *const c_void,
                ) -> c_int
        )
    };
    if managed().is_none() {
        return fork();
    }
    let forked = children::aside(&mut || {
        fork_or_refuse(fork).map_err(|_| {
            // SAFETY: the C library has put it there.
            let terminal = c_uint::try_from(unsafe { *terminal }).unwrap_or(c_uint::MAX);
            let _ = sys::close_range(terminal, terminal, 0);
            libc::ENOMEM
        })
    });
    forked.unwrap_or_else(refused)
}

/// Its parent ends whatever becomes of the child: which says so, if it has no memory.
#[unsafe(no_mangle)]
unsafe extern "C" fn daemon(stays: c_int, speaks: c_int) -> c_int {
    let mut fork = || Ok(next!(c"daemon" as fn(stays: c_int, speaks: c_int) -> c_int));
    if managed().is_none() {
        return fork().unwrap_or_else(refused);
    }
    children::aside(&mut fork).unwrap_or_else(refused)
}

/// Who registers before anything is allocated would run later than we do: after the copy, and in a child before it has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn __register_atfork(
    before: *const c_void,
    parent: *const c_void,
    child: *const c_void,
    library: *const c_void,
) -> c_int {
    server();
    next!(
        c"__register_atfork"
            as fn(
                before: *const c_void,
                parent: *const c_void,
                child: *const c_void,
                library: *const c_void,
            ) -> c_int
    )
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn execve(
    path: *const c_char,
    arguments: Strings,
    environment: Strings,
) -> c_int {
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
    next!(c"execve" as fn(path: *const c_char, arguments: Strings, environment: Strings) -> c_int)
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn execvpe(
    file: *const c_char,
    arguments: Strings,
    environment: Strings,
) -> c_int {
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
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
unsafe extern "C" fn fexecve(fd: c_int, arguments: Strings, environment: Strings) -> c_int {
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
    next!(c"fexecve" as fn(fd: c_int, arguments: Strings, environment: Strings) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn execveat(
    dir: c_int,
    path: *const c_char,
    arguments: Strings,
    environment: Strings,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
    next!(
        c"execveat"
            as fn(
                dir: c_int,
                path: *const c_char,
                arguments: Strings,
                environment: Strings,
                flags: c_int,
            ) -> c_int
    )
}

// The C library starts the shell of these two by itself, with the environment that it knows.

#[unsafe(no_mangle)]
unsafe extern "C" fn system(command: *const c_char) -> c_int {
    masks::let_go();
    next!(c"system" as fn(command: *const c_char) -> c_int)
}

/// About as large as what the C library allocates for a stream.
const STREAM: usize = 512;

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, how: *const c_char) -> *mut c_void {
    // The stream, which it makes before the shell, lies beside this: its page is there then, and the thread not pulled again.
    // SAFETY: it takes any size.
    let block = unsafe { malloc(STREAM) };
    // SAFETY: nobody else has it.
    unsafe { free(block) };
    masks::let_go();
    next!(c"popen" as fn(command: *const c_char, how: *const c_char) -> *mut c_void)
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
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
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
    // SAFETY: the caller's strings, by the manual page.
    let ready = unsafe { ready(environment) };
    let environment = ready.environment();
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
