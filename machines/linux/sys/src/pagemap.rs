//! Which pages of a process are in its page tables.
//!
//! Source: Documentation/admin-guide/mm/pagemap.rst: 64 bits for each page of the address space, bit 63 is set where an
//! entry shows memory. Whose process it is may read that of the same user, unless it has made itself undumpable.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use std::io;

/// The page table of a process, as far as it may be looked at.
#[derive(Debug)]
pub struct Pagemap(OwnedFd);

/// Bytes of an entry, and the bit of it that says that memory is shown.
const ENTRY: usize = 8;
const PRESENT: u64 = 1 << 63;
/// What entries are of, whatever the size of a page of ours.
const UNIT: u64 = 4096;

/// Pages that are looked at in one call.
pub const LOOKED_AT: u32 = 16;

impl Pagemap {
    /// That of process `pid`.
    pub fn open(pid: i32) -> io::Result<Self> {
        let path = format!("/proc/{pid}/pagemap");
        let map = Pagemap(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?);
        // One may open what one may not read.
        map.present(0, UNIT, 1)?;
        Ok(map)
    }

    /// For each of `count` pages of `page_size` bytes from `address` on, at most [`LOOKED_AT`], a bit: whether an entry shows
    /// any of it. The process is not stopped, and a page that is not asked for is not touched.
    pub fn present(&self, address: u64, page_size: u64, count: u32) -> io::Result<u32> {
        let mut bits = 0;
        let units = usize::try_from(page_size / UNIT).unwrap_or(1).max(1);
        let mut entries = [0u8; LOOKED_AT as usize * ENTRY * MOST_UNITS];
        let wanted = &mut entries[..count.min(LOOKED_AT) as usize * units.min(MOST_UNITS) * ENTRY];
        let got = rustix::io::retry_on_intr(|| {
            rustix::io::pread(&self.0, &mut *wanted, address / UNIT * ENTRY as u64)
        })?;
        for (at, entry) in wanted[..got].as_chunks::<ENTRY>().0.iter().enumerate() {
            if u64::from_ne_bytes(*entry) & PRESENT != 0 {
                bits |= 1 << (at / units);
            }
        }
        Ok(bits)
    }
}

/// Of the largest pages that arenas have, 64 KiB.
const MOST_UNITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryFile, Window};

    #[test]
    fn pages_are_there_once_they_are_touched_until_they_are_zapped() {
        let (size, own) = (16 * UNIT, i32::try_from(std::process::id()).expect("a process id"));
        let file = MemoryFile::sealed("mager-test", size).expect("a file");
        let window = Window::reserve(size, UNIT, 0).expect("room");
        window.map(0, size, &file, 0, true).expect("a mapping");
        let map = Pagemap::open(own).expect("one's own page table can be read");
        let now = || map.present(window.base(), UNIT, 16).expect("it can be read");
        file.write(3 * UNIT, &[1; 4096]).expect("a page");
        assert_eq!(now(), 0);
        // SAFETY: the mapping is there, and nobody else has it.
        let read = unsafe { window.pointer(3 * UNIT).read_volatile() };
        assert_eq!((read, now() >> 3 & 1), (1, 1));
        assert_eq!(map.present(window.base(), 4 * UNIT, 4).expect("it can be read") & 1, 1);
        window.zap([(3 * UNIT, UNIT)]);
        assert_eq!(now() >> 3 & 1, 0);
    }

    #[test]
    fn a_process_that_is_not_there_has_none() {
        assert!(Pagemap::open(i32::MAX).is_err());
    }
}
