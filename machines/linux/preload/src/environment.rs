//! What a program must find in its environment to be under the same budget, although its parent gives it another one.

use std::ffi::{CStr, CString, c_char};

/// The variables that make a program load this library and find the pager.
const OURS: [&str; 4] = ["LD_PRELOAD", "MAGER_RUN_SOCKET", "MAGER_RUN_ALLOW_PINNED", "MAGER_RUN_VERBOSE"];

/// An environment that has them.
pub(crate) struct Kept {
    _own: Vec<CString>,
    all: Vec<*mut c_char>,
}

impl Kept {
    pub(crate) fn as_ptr(&self) -> *const *mut c_char {
        self.all.as_ptr()
    }
}

/// `environment` with those of our variables that it lacks; `None`: it lacks none, or there is no pager.
///
/// # Safety
/// It is null, or pointers to strings, the last one null.
pub(crate) unsafe fn with_ours(environment: *const *mut c_char) -> Option<Kept> {
    let mut all = Vec::new();
    // SAFETY: the caller's word.
    while let Some(string) = unsafe { entry(environment, all.len()) } {
        all.push(string);
    }
    let lacks = |name: &str| {
        !all.iter().any(|&string| {
            // SAFETY: the caller's word: it is a string.
            let string = unsafe { CStr::from_ptr(string) }.to_bytes();
            string.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
        })
    };
    let missing = OURS.iter().filter(|name| lacks(name)).filter_map(|name| {
        let value = std::env::var_os(name)?;
        CString::new([name.as_bytes(), b"=", value.as_encoded_bytes()].concat()).ok()
    });
    let own: Vec<CString> = missing.collect();
    if own.is_empty() {
        return None;
    }
    all.extend(own.iter().map(|string| string.as_ptr().cast_mut()));
    all.push(std::ptr::null_mut());
    Some(Kept { _own: own, all })
}

/// # Safety
/// `environment` is null, or there is an entry at `index`, or the null behind the last.
unsafe fn entry(environment: *const *mut c_char, index: usize) -> Option<*mut c_char> {
    if environment.is_null() {
        return None;
    }
    // SAFETY: the caller's word.
    let place = unsafe { environment.add(index) };
    // SAFETY: the caller's word.
    let string = unsafe { place.read() };
    (!string.is_null()).then_some(string)
}
