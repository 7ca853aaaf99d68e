//! Where this process's own descriptors are: out of the way of a program that counts on the low numbers.
//!
//! Source: fcntl(2) (F_DUPFD_CLOEXEC).

use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, Ordering};

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
