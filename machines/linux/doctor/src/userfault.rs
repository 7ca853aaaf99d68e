//! A userfaultfd and what can be asked of it, over mappings of our own: each feature alone, where `mager-linux-sys` wants
//! all that the machine needs or nothing.

use crate::sys::{self, Mapping};
use linux_raw_sys::general as raw;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub(crate) use raw::{
    UFFD_FEATURE_MINOR_SHMEM, UFFD_FEATURE_MISSING_SHMEM, UFFD_FEATURE_PAGEFAULT_FLAG_WP,
    UFFD_FEATURE_POISON, UFFD_FEATURE_THREAD_ID, UFFD_FEATURE_WP_HUGETLBFS_SHMEM, UFFDIO_REGISTER_MODE_MINOR,
    UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
};

/// A userfaultfd after its handshake.
#[derive(Debug)]
pub(crate) struct Userfault(OwnedFd);

/// A fault that waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// Address of the page.
    pub(crate) page: u64,
    /// `UFFD_PAGEFAULT_FLAG_*`.
    pub(crate) flags: u64,
    /// Who waits; 0 without that feature.
    pub(crate) thread: u32,
}

impl Event {
    /// The page is in memory but not in the page table.
    pub(crate) fn minor(&self) -> bool {
        self.flags & u64::from(raw::UFFD_PAGEFAULT_FLAG_MINOR) != 0
    }

    /// The page is there and protected against the write.
    pub(crate) fn protected(&self) -> bool {
        self.flags & u64::from(raw::UFFD_PAGEFAULT_FLAG_WP) != 0
    }
}

/// Asks a new descriptor for features: every one the kernel has, if the asked ones are among them.
fn handshake(fd: &OwnedFd, features: u32) -> io::Result<u64> {
    let mut api = raw::uffdio_api { api: u64::from(raw::UFFD_API), features: u64::from(features), ioctls: 0 };
    sys::ask(fd.as_fd(), &mut api)?;
    Ok(api.features)
}

impl Userfault {
    /// By the device, else by the system call; faults of the kernel too.
    pub(crate) fn open(features: u32) -> io::Result<Self> {
        let fd = sys::userfault_by_device().or_else(|_| sys::userfault_by_call(0))?;
        Self::new(fd, features)
    }

    /// Makes the handshake over a descriptor.
    pub(crate) fn new(fd: OwnedFd, features: u32) -> io::Result<Self> {
        handshake(&fd, features)?;
        Ok(Userfault(fd))
    }

    /// All features of the kernel; uses the descriptor up.
    pub(crate) fn features(fd: &OwnedFd) -> io::Result<u64> {
        handshake(fd, 0)
    }

    /// Watches all of `mapping` in `mode` (`UFFDIO_REGISTER_MODE_*`).
    pub(crate) fn register(&self, mapping: &Mapping, mode: u32) -> io::Result<()> {
        let range = raw::uffdio_range { start: mapping.address(0), len: mapping.bytes() as u64 };
        sys::ask(self.fd(), &mut raw::uffdio_register { range, mode: u64::from(mode), ioctls: 0 })
    }

    /// Fills missing pages from `bytes`, read-only if `protect`, and wakes who waits there.
    pub(crate) fn copy(&self, page: u64, bytes: &[u8], protect: bool) -> io::Result<()> {
        let mode = if protect { u64::from(raw::UFFDIO_COPY_MODE_WP) } else { 0 };
        let (src, len) = (bytes.as_ptr().expose_provenance() as u64, bytes.len() as u64);
        sys::ask(self.fd(), &mut raw::uffdio_copy { dst: page, src, len, mode, copy: 0 })
    }

    /// Puts pages that are in memory into the page table, and wakes who waits there.
    pub(crate) fn resume(&self, page: u64, bytes: u64) -> io::Result<()> {
        let range = raw::uffdio_range { start: page, len: bytes };
        sys::ask(self.fd(), &mut raw::uffdio_continue { range, mode: 0, mapped: 0 })
    }

    /// Protects pages against writes, or lets writes go on again.
    pub(crate) fn protect(&self, page: u64, bytes: u64, on: bool) -> io::Result<()> {
        let range = raw::uffdio_range { start: page, len: bytes };
        sys::ask(self.fd(), &mut raw::uffdio_writeprotect { range, mode: u64::from(on) })
    }

    /// Makes every later access to missing pages a SIGBUS.
    pub(crate) fn poison(&self, page: u64, bytes: u64) -> io::Result<()> {
        let range = raw::uffdio_range { start: page, len: bytes };
        sys::ask(self.fd(), &mut raw::uffdio_poison { range, mode: 0, updated: 0 })
    }

    /// The next fault; blocks if the descriptor does. `None`: nothing now, or not a fault.
    pub(crate) fn event(&self) -> io::Result<Option<Event>> {
        let mut message = [0u8; 32];
        match rustix::io::read(self.fd(), &mut message) {
            Ok(32) => Ok(decode(&message)),
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for a fault up to `ms` milliseconds.
    pub(crate) fn wait(&self, ms: u32) -> io::Result<Option<Event>> {
        let fd = self.fd();
        let timeout = Timespec { tv_sec: i64::from(ms / 1000), tv_nsec: i64::from(ms % 1000) * 1_000_000 };
        match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout))? {
            0 => Ok(None),
            _ => self.event(),
        }
    }

    /// The descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A message, as `struct uffd_msg` has it.
fn decode(message: &[u8; 32]) -> Option<Event> {
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|i| message[at + i]));
    let thread = u32::from_ne_bytes(std::array::from_fn(|i| message[24 + i]));
    let fault = u32::from(message[0]) == raw::UFFD_EVENT_PAGEFAULT;
    fault.then(|| Event { page: word(16), flags: word(8), thread })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_no_faults_are_told_apart() {
        let mut message = [0u8; 32];
        message[0] = 0x13;
        assert_eq!(decode(&message), None);
        message[0] = 0x12;
        message[8] = 4;
        message[17] = 0x10;
        message[24] = 7;
        let event = decode(&message).expect("a fault");
        assert_eq!(event, Event { page: 0x1000, flags: 4, thread: 7 });
        assert!(event.minor() && !event.protected());
    }
}
