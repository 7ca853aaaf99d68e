//! A bare ring, kept full: all this benchmark's unsafe code.

use io_uring::types::Fd;
use io_uring::{IoUring, opcode, squeue::Entry};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;

pub struct BareRing {
    ring: IoUring,
    pages: *mut u8,
    depth: usize,
}

impl BareRing {
    pub fn new(depth: usize) -> Self {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new private mapping disturbs nothing.
        let pages = unsafe { mmap_anonymous(ptr::null_mut(), depth * 4096, access, MapFlags::PRIVATE) };
        let ring = IoUring::new(u32::try_from(depth).unwrap()).unwrap();
        BareRing { ring, pages: pages.unwrap().cast(), depth }
    }

    /// All blocks, `depth` of them in flight.
    pub fn run(&mut self, file: &File, blocks: &[u32], write: bool) {
        let mut free: Vec<usize> = (0..self.depth).collect();
        for &block in blocks {
            while free.is_empty() {
                self.ring.submit_and_wait(1).unwrap();
                self.take(&mut free);
            }
            let slot = free.pop().unwrap();
            let entry = self.entry(file, slot, block, write);
            // SAFETY: the slot's page is used by this entry alone until it is answered; `run` waits for all.
            unsafe { self.ring.submission().push(&entry) }.unwrap();
        }
        while free.len() < self.depth {
            self.ring.submit_and_wait(1).unwrap();
            self.take(&mut free);
        }
    }

    fn take(&mut self, free: &mut Vec<usize>) {
        for answer in self.ring.completion() {
            assert_eq!(answer.result(), 4096);
            free.push(usize::try_from(answer.user_data()).unwrap());
        }
    }

    fn entry(&self, file: &File, slot: usize, block: u32, write: bool) -> Entry {
        let (fd, at) = (Fd(file.as_raw_fd()), self.pages.wrapping_add(slot * 4096));
        let offset = u64::from(block) * 4096;
        let entry = if write {
            opcode::Write::new(fd, at, 4096).offset(offset).build()
        } else {
            opcode::Read::new(fd, at, 4096).offset(offset).build()
        };
        entry.user_data(slot as u64)
    }
}

impl Drop for BareRing {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing is in flight: `run` waits for all.
        let _ = unsafe { munmap(self.pages.cast(), self.depth * 4096) };
    }
}
