//! Where the pager's socket is, and that it goes.

use std::path::PathBuf;

/// Where a pager of this user listens, and is looked for.
#[must_use]
pub fn default() -> PathBuf {
    let uid = rustix::process::getuid().as_raw();
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    match named.into_iter().chain([usual]).find(|dir| dir.is_dir()) {
        Some(dir) => dir.join("mager.sock"),
        None => PathBuf::from(format!("/tmp/mager-{uid}.sock")),
    }
}

/// A socket that is removed when the pager ends, however it ends.
#[derive(Debug)]
pub(super) struct Removed(pub(super) PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // The pager has removed it itself, if it ended well.
        let _ = std::fs::remove_file(&self.0);
    }
}
