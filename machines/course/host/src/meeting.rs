//! The socket at which applications find this host, and the lock that keeps a second host away.
//!
//! The lock is on the working directory itself and dies with the process, however it ends; so a socket nobody
//! answers is a leftover, and the next host to start removes it.

use crate::error::HostError;
use mager_course_protocol::meet::{SUFFIX, runtime_dir, socket_of};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A bound socket and the lock on the directory it serves.
#[derive(Debug)]
pub(crate) struct Meeting {
    listener: OwnedFd,
    path: PathBuf,
    dir: OwnedFd,
}

impl Meeting {
    /// Locks `dir` and listens for its applications.
    pub(crate) fn open(dir: &Path) -> Result<Meeting, HostError> {
        let locked = lock(dir)?;
        let runtime = runtime_dir();
        let path = socket_of(dir).map_err(|source| HostError::Directory { dir: dir.to_owned(), source })?;
        let failed = |source| HostError::Socket { path: path.clone(), source };
        for _ in 0..20 {
            make_private(&runtime)?;
            sweep(&runtime);
            match listen_at(&path) {
                Ok(listener) => return Ok(Meeting { listener, path, dir: locked }),
                // A host that just ended took the empty directory with it.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(failed(Errno::NOENT.into()))
    }

    pub(crate) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The working directory.
    pub(crate) fn dir(&self) -> io::Result<OwnedFd> {
        self.dir.try_clone()
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        if let Some(runtime) = self.path.parent() {
            let _ = fs::remove_dir(runtime);
        }
    }
}

fn lock(dir: &Path) -> Result<OwnedFd, HostError> {
    let failed = |error: Errno| HostError::Directory { dir: dir.to_owned(), source: error.into() };
    let opened = open(dir, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(opened),
        Err(Errno::WOULDBLOCK) => Err(HostError::Taken(dir.to_owned())),
        Err(error) => Err(failed(error)),
    }
}

/// Makes sure that `runtime` is a directory nobody else can read or replace.
fn make_private(runtime: &Path) -> Result<(), HostError> {
    let failed = |source| HostError::Socket { path: runtime.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(runtime) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = match fs::symlink_metadata(runtime) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let uid = rustix::process::getuid().as_raw();
    match found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0 {
        true => Ok(()),
        false => Err(HostError::NotPrivate(runtime.to_owned())),
    }
}

/// Removes the sockets of hosts that did not live to do it.
fn sweep(runtime: &Path) {
    let Ok(entries) = fs::read_dir(runtime) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.to_string_lossy().ends_with(SUFFIX) && deserted(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

fn deserted(path: &Path) -> bool {
    let Ok(socket) = new_socket() else { return false };
    let Ok(address) = SocketAddrUnix::new(path) else { return false };
    connect(&socket, &address) == Err(Errno::CONNREFUSED)
}

/// Listens under another name first: under its own one a socket that does not answer yet would look deserted.
fn listen_at(path: &Path) -> rustix::io::Result<OwnedFd> {
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let socket = new_socket()?;
    bind(&socket, &SocketAddrUnix::new(&fresh)?)?;
    let ready = fs::set_permissions(&fresh, Permissions::from_mode(0o600))
        .and_then(|()| Ok(listen(&socket, 64)?))
        .and_then(|()| fs::rename(&fresh, path));
    match ready {
        Ok(()) => Ok(socket),
        Err(error) => {
            let _ = fs::remove_file(&fresh);
            Err(Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
    }
}

fn new_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
}
