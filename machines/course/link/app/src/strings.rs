//! The string and memory functions whose order of accesses the course fixes: byte by byte, ascending, the source
//! before the destination. Volatile, so that no compiler makes wider accesses of them, or calls to themselves.

use std::ffi::{c_char, c_int, c_void};

/// # Safety
/// As the C library's: both places hold `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, count: usize) -> *mut c_void {
    for at in 0..count {
        put(to.cast(), at, get(from.cast(), at));
    }
    to
}

/// # Safety
/// As the C library's: the place holds `count` bytes.
#[unsafe(no_mangle)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "C takes the low byte")]
pub unsafe extern "C" fn memset(to: *mut c_void, value: c_int, count: usize) -> *mut c_void {
    for at in 0..count {
        put(to.cast(), at, value as u8);
    }
    to
}

/// # Safety
/// As the C library's: `from` ends in a zero, `to` holds as many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcpy(to: *mut c_char, from: *const c_char) -> *mut c_char {
    for at in 0.. {
        let byte = get(from.cast(), at);
        put(to.cast(), at, byte);
        if byte == 0 {
            break;
        }
    }
    to
}

/// # Safety
/// As the C library's: `from` ends in a zero or holds `count` bytes, `to` holds `count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncpy(to: *mut c_char, from: *const c_char, count: usize) -> *mut c_char {
    let mut ended = false;
    for at in 0..count {
        let byte = if ended { 0 } else { get(from.cast(), at) };
        put(to.cast(), at, byte);
        ended |= byte == 0;
    }
    to
}

/// # Safety
/// As the C library's: both end in a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strcmp(left: *const c_char, right: *const c_char) -> c_int {
    compare(left.cast(), right.cast(), usize::MAX)
}

/// # Safety
/// As the C library's: both end in a zero or hold `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strncmp(left: *const c_char, right: *const c_char, count: usize) -> c_int {
    compare(left.cast(), right.cast(), count)
}

fn compare(left: *const u8, right: *const u8, count: usize) -> c_int {
    for at in 0..count {
        let (left, right) = (get(left, at), get(right, at));
        if left != right || left == 0 {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}

#[inline(always)]
fn get(from: *const u8, at: usize) -> u8 {
    // SAFETY: only called by this file's functions, whose callers answer for every byte up to the end.
    unsafe { from.wrapping_add(at).read_volatile() }
}

#[inline(always)]
fn put(to: *mut u8, at: usize, byte: u8) {
    // SAFETY: only called by this file's functions, whose callers answer for every byte up to the end.
    unsafe { to.wrapping_add(at).write_volatile(byte) }
}
