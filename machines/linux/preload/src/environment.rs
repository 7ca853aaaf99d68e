//! What a program must find in its environment to be under the same budget, although its parent gives it another one.

use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

/// The variables that make a program load this library and find the pager.
const OURS: [&str; 4] = ["LD_PRELOAD", "MAGER_RUN_SOCKET", "MAGER_RUN_ALLOW_PINNED", "MAGER_RUN_VERBOSE"];

/// What they were when this program was started: it may have cleared its environment since.
static AT_START: OnceLock<Vec<(&str, CString)>> = OnceLock::new();

pub(crate) fn remember() {
    let found = OURS.iter().filter_map(|name| {
        let value = std::env::var_os(name)?;
        Some((*name, CString::new([name.as_bytes(), b"=", value.as_encoded_bytes()].concat()).ok()?))
    });
    let _ = AT_START.set(found.collect());
}

/// An environment that has them.
pub(crate) struct Kept {
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
    let at_start = AT_START.get().map_or(&[][..], Vec::as_slice);
    let missing = at_start.iter().filter(|(name, _)| lacks(name)).map(|(_, string)| string);
    let own: Vec<&CString> = missing.collect();
    if own.is_empty() {
        return None;
    }
    all.extend(own.iter().map(|string| string.as_ptr().cast_mut()));
    all.push(std::ptr::null_mut());
    Some(Kept { all })
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
