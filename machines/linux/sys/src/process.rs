//! Another process, held so that its number cannot come to mean a third one; and what this one may have.
//!
//! Sources: pidfd_open(2), getrlimit(2), signal(2).

use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getpid, getrlimit, pidfd_open, pidfd_send_signal,
    setrlimit, waitpid,
};
use std::io;

/// The process, unless it is the caller's own, or gone.
#[must_use]
pub fn process(pid: i32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(pid).filter(|&pid| pid != getpid())?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Ends it.
pub fn kill(process: &OwnedFd) -> io::Result<()> {
    Ok(pidfd_send_signal(process, Signal::KILL)?)
}

/// Lets this process have as many descriptors as it may; how many.
pub fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // If it is refused the old one holds.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Has this process, and every one it executes, take no notice of a signal.
pub fn ignore(signal: Signal) -> io::Result<()> {
    // SAFETY: ignoring a signal runs no code of ours; one that cannot be ignored is an error.
    let before = unsafe { libc::signal(signal.as_raw(), libc::SIG_IGN) };
    if before == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits for a child that ends by itself, so that nothing of it is left. Somebody else may have.
pub fn reap(child: i32) {
    let Some(child) = Pid::from_raw(child) else { return };
    let _ = rustix::io::retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
}
