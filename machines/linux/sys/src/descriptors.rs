//! Where this process's own descriptors are: out of the way of a program that counts on the low numbers. And a pipe
//! whose writer it does not outlive.
//!
//! Source: fcntl(2) (F_DUPFD_CLOEXEC, F_SETOWN, F_SETSIG, O_ASYNC).

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// As in the kernel's `asm-generic/fcntl.h`; the C library's binding lacks it.
const F_SETSIG: libc::c_int = 10;

static FLOOR: AtomicI32 = AtomicI32::new(0);

/// From now on descriptors that connections and arenas live by have this number or a higher one, where there is room.
pub fn keep_descriptors_above(floor: i32) {
    FLOOR.store(floor, Ordering::Relaxed);
}

pub(crate) fn lift(fd: OwnedFd) -> OwnedFd {
    match FLOOR.load(Ordering::Relaxed) {
        0 => fd,
        floor => rustix::io::fcntl_dupfd_cloexec(&fd, floor).unwrap_or(fd),
    }
}

/// From now on the process is killed when the pipe is written to or its last writer is gone: without a thread that waits
/// for it, and whatever its threads wait for. Gone already, that is an error, and the process lives on. Safe in a signal
/// handler.
///
/// Not for a socket that something was just received from: its sender may be about to tell of that.
pub fn die_with_writer(end: &impl AsFd) -> io::Result<()> {
    let armed = arm(end);
    if armed.is_err() {
        let _ = outlive_writer(end);
    }
    armed
}

/// Not any more. Closing `end` is not enough, as long as another process has it too.
pub fn outlive_writer(end: &impl AsFd) -> io::Result<()> {
    set(end, libc::F_SETFL, 0)
}

fn arm(end: &impl AsFd) -> io::Result<()> {
    set(end, F_SETSIG, libc::SIGKILL)?;
    set(end, libc::F_SETOWN, rustix::process::getpid().as_raw_nonzero().get())?;
    set(end, libc::F_SETFL, libc::O_ASYNC)?;
    let mut gone = [PollFd::new(end, PollFlags::empty())];
    let gone = rustix::io::retry_on_intr(|| poll(&mut gone, Some(&Timespec::default())))? > 0;
    if gone { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
}

/// Past the C library's fcntl, in whose place another may stand that has to be looked for first.
fn set(end: &impl AsFd, what: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: these commands take a number, and change what the kernel does about the pipe, nothing here.
    let done = unsafe { libc::syscall(libc::SYS_fcntl, end.as_fd().as_raw_fd(), what, value) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
