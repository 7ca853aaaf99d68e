//! Where each swap block lies: 8 bytes a block, and nothing to be paid for blocks never used.

/// The largest number of a place in memory or in the swap file.
pub(crate) const MOST: u32 = (1 << 30) - 1;

/// Where a swap block's contents are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// They are one word over and over. A block never written is zeros.
    Same(u32),
    /// In compressed memory, compressed.
    Packed { at: u32, sum: u32 },
    /// In compressed memory, as they are.
    Raw { at: u32, sum: u32 },
    /// In the swap file, at this block of it.
    File { at: u32, sum: u32 },
}

/// A place as one number; all zeros is the place of a block never written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Entry(u64);

const SAME: u64 = 0;
const PACKED: u64 = 1;
const RAW: u64 = 2;
const FILE: u64 = 3;

impl Entry {
    fn new(place: Place) -> Self {
        let (kind, at, low) = match place {
            Place::Same(word) => (SAME, 0, word),
            Place::Packed { at, sum } => (PACKED, at, sum),
            Place::Raw { at, sum } => (RAW, at, sum),
            Place::File { at, sum } => (FILE, at, sum),
        };
        assert!(at <= MOST, "table: a place beyond the largest");
        Entry(kind << 62 | u64::from(at) << 32 | u64::from(low))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number, masked")]
    fn place(self) -> Place {
        let (at, sum) = ((self.0 >> 32) as u32 & MOST, self.0 as u32);
        match self.0 >> 62 {
            SAME => Place::Same(sum),
            PACKED => Place::Packed { at, sum },
            RAW => Place::Raw { at, sum },
            _ => Place::File { at, sum },
        }
    }
}

/// The places of all blocks.
#[derive(Debug)]
pub(crate) struct Table {
    entries: Vec<u64>,
}

impl Table {
    pub(crate) fn new(blocks: usize) -> Self {
        // Zeroed memory that the system gives page by page, as it is touched.
        Table { entries: vec![0; blocks] }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, block: u32) -> Option<Place> {
        self.entries.get(block as usize).map(|&entry| Entry(entry).place())
    }

    pub(crate) fn set(&mut self, block: u32, place: Place) {
        self.entries[block as usize] = Entry::new(place).0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_comes_back() {
        let mut table = Table::new(4);
        let places = [
            Place::Same(0xFFFF_FFFF),
            Place::Packed { at: MOST, sum: 0 },
            Place::Raw { at: 0, sum: u32::MAX },
            Place::File { at: 12345, sum: 0x8000_0001 },
        ];
        for (block, &place) in (0..).zip(&places) {
            assert_eq!(table.get(block), Some(Place::Same(0)), "a block never written is zeros");
            table.set(block, place);
        }
        for (block, &place) in (0..).zip(&places) {
            assert_eq!(table.get(block), Some(place));
        }
        assert_eq!(table.get(4), None);
    }
}
