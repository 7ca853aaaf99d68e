//! Where this process's own descriptors are: out of the way of a program that counts on the low numbers. And a socket
//! that it does not outlive.
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

/// From now on the process is killed when the other end of this socket is closed, or says anything: without a thread that
/// waits for it, and whatever its threads wait for. Closed already, it is an error. Safe in a signal handler.
pub fn die_with_peer(socket: &impl AsFd) -> io::Result<()> {
    set(socket, F_SETSIG, libc::SIGKILL)?;
    set(socket, libc::F_SETOWN, rustix::process::getpid().as_raw_nonzero().get())?;
    set(socket, libc::F_SETFL, libc::O_ASYNC)?;
    let mut end = [PollFd::new(socket, PollFlags::empty())];
    let closed = poll(&mut end, Some(&Timespec::default()))? > 0;
    if closed { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
}

/// Not any more.
pub fn outlive_peer(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::F_SETFL, 0)?;
    set(socket, F_SETSIG, 0)
}

fn set(socket: &impl AsFd, what: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: these commands take a number, and change what the kernel does about the socket, nothing here.
    let done = unsafe { libc::fcntl(socket.as_fd().as_raw_fd(), what, value) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
