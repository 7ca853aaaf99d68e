//! The page-table entry that pager and host share: 32 bits, as the university's header lays them out.

use crate::ARENA_PAGES;
use std::fmt;

/// One page-table entry: bits 0-29 physical page, bit 30 read enable, bit 31 write enable.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Entry(u32);

/// The 256 entries of one process.
pub type PageTable = [Entry; ARENA_PAGES];

const PAGE: u32 = (1 << 30) - 1;
const READ: u32 = 1 << 30;
const WRITE: u32 = 1 << 31;

impl Entry {
    /// No frame, no rights.
    pub const NONE: Entry = Entry(0);

    /// An entry that names `frame` with these rights. Bits of `frame` above the 30th are dropped.
    #[must_use]
    pub const fn new(frame: u32, read: bool, write: bool) -> Entry {
        let read = if read { READ } else { 0 };
        let write = if write { WRITE } else { 0 };
        Entry((frame & PAGE) | read | write)
    }

    /// The entry these 32 bits encode; every pattern is an entry, though not every one is legal.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Entry {
        Entry(bits)
    }

    /// The 32 bits as the C headers see them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The physical page.
    #[must_use]
    pub const fn frame(self) -> u32 {
        self.0 & PAGE
    }

    /// May the process read?
    #[must_use]
    pub const fn read(self) -> bool {
        self.0 & READ != 0
    }

    /// May the process write?
    #[must_use]
    pub const fn write(self) -> bool {
        self.0 & WRITE != 0
    }

    /// What the hardware sees of this entry: without any right the frame does not matter.
    #[must_use]
    pub const fn effective(self) -> Entry {
        if self.read() || self.write() { self } else { Entry::NONE }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rights = match (self.read(), self.write()) {
            (true, true) => "rw",
            (true, false) => "r",
            (false, true) => "w",
            (false, false) => "-",
        };
        write!(f, "Entry({:#x} {rights})", self.frame())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_keeps_frame_and_rights_apart() {
        let entry = Entry::new(PAGE, true, false);
        assert_eq!(entry.bits(), 0x7fff_ffff);
        assert_eq!(entry.frame(), PAGE);
        assert!(entry.read() && !entry.write());
        assert_eq!(Entry::new(3, true, true).bits(), 0xc000_0003);
    }

    #[test]
    fn without_rights_every_frame_looks_the_same_to_the_hardware() {
        assert_eq!(Entry::new(7, false, false).effective(), Entry::NONE);
        assert_eq!(Entry::new(7, true, false).effective(), Entry::new(7, true, false));
    }
}
