//! `errno`, and the sentence that goes with it.

use crate::mappings::{Wrong, invalid};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// Why the last call of this thread that failed did so: one sentence, valid until the next one fails.
#[unsafe(no_mangle)]
pub extern "C" fn mager_last_error() -> *const c_char {
    LAST.with_borrow(|last| last.as_ptr())
}

/// The value, or what C is told instead of it.
pub(super) fn told<R>(otherwise: R, call: impl FnOnce() -> Result<R, Wrong>) -> R {
    // A panic must not run into C.
    let done = catch_unwind(AssertUnwindSafe(call));
    match done.unwrap_or_else(|_| Err(Wrong(libc::EIO, "a bug in mager".to_owned()))) {
        Ok(value) => value,
        Err(Wrong(errno, why)) => {
            LAST.set(CString::new(why.replace('\0', " ")).unwrap_or_default());
            // SAFETY: the thread has an errno.
            let here = unsafe { libc::__errno_location() };
            // SAFETY: it is there as long as the thread.
            unsafe { here.write(errno) };
            otherwise
        }
    }
}

/// 0 or -1.
pub(super) fn status(call: impl FnOnce() -> Result<(), Wrong>) -> c_int {
    told(-1, || call().map(|()| 0))
}

/// A string that may be left out.
///
/// # Safety
/// It is null, or ends with a zero byte and lives as long as the answer is used.
pub(super) unsafe fn text<'a>(text: *const c_char) -> Result<Option<&'a str>, Wrong> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| invalid("a string is not UTF-8"))
}

/// What a handle points to.
///
/// # Safety
/// It is null or was made by this library and not freed yet.
pub(super) unsafe fn handle<'a, T>(handle: *const T) -> Result<&'a T, Wrong> {
    // SAFETY: the caller's promise.
    unsafe { handle.as_ref() }.ok_or_else(|| invalid("a null pointer"))
}
