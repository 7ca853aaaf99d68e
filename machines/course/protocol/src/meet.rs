//! Where host and applications meet: one socket for each working directory of a pager.
//!
//! The place depends on nothing but the user and the directory (by device and inode, so that every path to it is
//! the same), unless the environment names another. Creating, checking and removing it is the host's.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Names the socket itself; `mager course run` sets it for its application.
pub const SOCKET_VARIABLE: &str = "MAGER_COURSE_SOCKET";

/// Names the directory in which sockets are kept.
pub const RUNTIME_VARIABLE: &str = "MAGER_RUNTIME_DIR";

/// What names of sockets end in.
pub const SUFFIX: &str = ".course";

/// The directory, for this user alone, in which sockets are kept.
#[must_use]
pub fn runtime_dir() -> PathBuf {
    if let Some(named) = set(RUNTIME_VARIABLE) {
        return PathBuf::from(named);
    }
    let uid = rustix::process::getuid().as_raw();
    let session = PathBuf::from(format!("/run/user/{uid}"));
    match fs::metadata(&session) {
        Ok(found) if found.is_dir() && found.uid() == uid => session.join("mager"),
        _ => PathBuf::from(format!("/tmp/mager-{uid}")),
    }
}

/// The socket of a pager whose working directory is `dir`.
///
/// # Errors
/// When the directory cannot be looked at.
pub fn socket_of(dir: &Path) -> io::Result<PathBuf> {
    let found = fs::metadata(dir)?;
    Ok(runtime_dir().join(format!("{:x}-{:x}{SUFFIX}", found.dev(), found.ino())))
}

/// The socket an application looks for: the one the environment names, else that of its working directory.
///
/// # Errors
/// When the working directory cannot be looked at.
pub fn socket_of_application() -> io::Result<PathBuf> {
    match set(SOCKET_VARIABLE) {
        Some(named) => Ok(PathBuf::from(named)),
        None => socket_of(Path::new(".")),
    }
}

fn set(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_to_a_directory_leads_to_one_socket() {
        assert_eq!(socket_of(Path::new(".")).unwrap(), socket_of(&std::env::current_dir().unwrap()).unwrap());
        assert_ne!(socket_of(Path::new(".")).unwrap(), socket_of(Path::new("..")).unwrap());
    }
}
