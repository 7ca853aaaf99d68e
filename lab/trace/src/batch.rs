//! A batch of accesses, and how addresses become pages.

/// Accesses in order, by column, so that each step over them touches only what it needs.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The page numbers, or object numbers, touched.
    pub pages: Vec<u64>,
    /// Whether each access writes.
    pub writes: Vec<bool>,
}

impl Batch {
    /// Takes all accesses out, keeping the room for others.
    pub fn clear(&mut self) {
        self.pages.clear();
        self.writes.clear();
    }

    /// How many accesses there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Adds one access.
    #[inline]
    pub fn push(&mut self, page: u64, write: bool) {
        self.pages.push(page);
        self.writes.push(write);
    }
}

/// How byte addresses become page numbers: by a page size that is a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    shift: u32,
}

impl Pages {
    /// Pages of `bytes` bytes; none unless it is a power of two.
    #[must_use]
    pub fn of(bytes: u64) -> Option<Self> {
        bytes.is_power_of_two().then(|| Pages { shift: bytes.trailing_zeros() })
    }

    /// The size of a page in bytes.
    #[must_use]
    pub fn size(self) -> u64 {
        1 << self.shift
    }

    /// The page an address lies in.
    #[inline]
    #[must_use]
    pub fn page(self, address: u64) -> u64 {
        address >> self.shift
    }

    /// Adds one access for each page that `size` bytes from `address` lie in; size 0 counts as 1.
    #[inline]
    pub fn split(self, address: u64, size: u64, write: bool, out: &mut Batch) {
        let first = self.page(address);
        let last = self.page(address.saturating_add(size.saturating_sub(1)));
        out.push(first, write);
        if last != first {
            (first + 1..=last).for_each(|page| out.push(page, write));
        }
    }
}

impl Default for Pages {
    fn default() -> Self {
        Pages { shift: 12 }
    }
}
