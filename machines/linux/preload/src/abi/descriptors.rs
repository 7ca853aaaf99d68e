//! close(2), close_range(2), closefrom(3), dup2(2): the arena's descriptors stay open, and what they are. open(2),
//! fcntl(2): no O_DIRECT, whose devices would write into memory that may have been taken away.

use super::{answer, next, refused};
use crate::descriptors::{around, is_protected};
use crate::start::{Server, server};
use crate::sys;
use std::ffi::{c_char, c_int, c_uint};
use std::sync::OnceLock;

#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    if is_protected(fd) {
        return refused(libc::EBADF);
    }
    next!(c"close" as fn(fd: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    if first > last {
        return refused(libc::EINVAL);
    }
    answer(around(first, last).try_for_each(|(first, last)| sys::close_range(first, last, flags)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn closefrom(first: c_int) {
    let first = c_uint::try_from(first).unwrap_or(0);
    // SAFETY: numbers only.
    unsafe { close_range(first, c_uint::MAX, 0) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn dup2(old: c_int, new: c_int) -> c_int {
    if is_protected(new) {
        return refused(libc::EBADF);
    }
    next!(c"dup2" as fn(old: c_int, new: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
    if is_protected(new) {
        return refused(libc::EBADF);
    }
    next!(c"dup3" as fn(old: c_int, new: c_int, flags: c_int) -> c_int)
}

/// Whether the program pins what it does direct I/O with, by its own word.
fn may_pin() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(|| std::env::var_os("MAGER_RUN_ALLOW_PINNED").is_some_and(|word| word == "1"))
}

/// A program that has not allocated anything yet is about to.
fn buffered(flags: c_int) -> c_int {
    if flags & libc::O_DIRECT == 0 || server() == Server::System || may_pin() {
        flags
    } else {
        flags & !libc::O_DIRECT
    }
}

// These take a mode only if they may create; passing one that is not there on passes on what nobody reads.

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let flags = buffered(flags);
    next!(c"open" as fn(path: *const c_char, flags: c_int, mode: c_uint) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let flags = buffered(flags);
    next!(c"open64" as fn(path: *const c_char, flags: c_int, mode: c_uint) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let flags = buffered(flags);
    next!(c"openat" as fn(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat64(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let flags = buffered(flags);
    next!(c"openat64" as fn(dir: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int)
}

// What open is in a program that has its calls checked (_FORTIFY_SOURCE), if the compiler does not know the flags. That
// a mode comes along where one is needed is for the C library to check.

#[unsafe(no_mangle)]
unsafe extern "C" fn __open_2(path: *const c_char, flags: c_int) -> c_int {
    let flags = buffered(flags);
    next!(c"__open_2" as fn(path: *const c_char, flags: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __open64_2(path: *const c_char, flags: c_int) -> c_int {
    let flags = buffered(flags);
    next!(c"__open64_2" as fn(path: *const c_char, flags: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __openat_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int {
    let flags = buffered(flags);
    next!(c"__openat_2" as fn(dir: c_int, path: *const c_char, flags: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __openat64_2(dir: c_int, path: *const c_char, flags: c_int) -> c_int {
    let flags = buffered(flags);
    next!(c"__openat64_2" as fn(dir: c_int, path: *const c_char, flags: c_int) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: usize) -> c_int {
    let argument = flags_of(command, argument);
    next!(c"fcntl" as fn(fd: c_int, command: c_int, argument: usize) -> c_int)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int {
    let argument = flags_of(command, argument);
    next!(c"fcntl64" as fn(fd: c_int, command: c_int, argument: usize) -> c_int)
}

/// Of the word that is passed only the lower half need be the flags.
fn flags_of(command: c_int, argument: usize) -> usize {
    let pinned = usize::try_from(libc::O_DIRECT).unwrap_or(0);
    if command == libc::F_SETFL && argument & pinned != 0 && buffered(libc::O_DIRECT) == 0 {
        argument & !pinned
    } else {
        argument
    }
}
