//! Unsafe calls: the kernel's swap.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Highest priority, so that other swap of the machine is used last.
const FIRST: i32 = 0x8000 | 0x7fff;

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

fn answer(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(crate) fn swap_on(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: the path is a string; whether it names swap is the kernel's to look at.
    answer(unsafe { libc::swapon(path.as_ptr(), FIRST) })
}

pub(crate) fn swap_off(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: as above.
    answer(unsafe { libc::swapoff(path.as_ptr()) })
}
