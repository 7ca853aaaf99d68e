//! Page numbers of any size become dense ones, in the order they first appear.
//!
//! The table is open-addressed and never shrinks. A batch is looked up in two passes: the first probes one slot for
//! each access without a branch that depends on memory, so that many cache misses are under way at once; the second
//! settles the few that were not at home in their first slot.

/// One access as the simulations take it: a dense page number and whether it writes, in 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access(u32);

impl Access {
    /// An access to `page`, below 2^31.
    #[inline]
    #[must_use]
    pub fn new(page: u32, write: bool) -> Self {
        Access(page << 1 | u32::from(write))
    }

    /// The dense page number.
    #[inline]
    #[must_use]
    pub fn page(self) -> u32 {
        self.0 >> 1
    }

    /// Whether it writes.
    #[inline]
    #[must_use]
    pub fn write(self) -> bool {
        self.0 & 1 != 0
    }
}

const EMPTY: u32 = u32::MAX;
/// More pages than this do not fit an [`Access`].
const MOST: u32 = u32::MAX >> 1;

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    page: u32,
}

/// Page numbers seen so far, and the dense number of each.
#[derive(Clone, Debug)]
pub struct Interner {
    slots: Vec<Slot>,
    shift: u32,
    len: u32,
    unsettled: Vec<u32>,
}

/// Keys spread over the slots by their high bits: Fibonacci hashing.
#[inline]
fn spread(key: u64) -> u64 {
    let mixed = key ^ (key >> 32);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Default for Interner {
    fn default() -> Self {
        Interner::new()
    }
}

impl Interner {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Interner {
            slots: vec![Slot { key: 0, page: EMPTY }; 1 << 12],
            shift: 64 - 12,
            len: 0,
            unsettled: Vec::new(),
        }
    }

    /// How many different pages were seen.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        let at = spread(key) >> self.shift;
        usize::try_from(at).expect("an index of the table")
    }

    /// Appends the accesses of a batch to `out`.
    pub fn intern(&mut self, pages: &[u64], writes: &[bool], out: &mut Vec<Access>) {
        assert_eq!(pages.len(), writes.len(), "a batch has as many writes as pages");
        let from = out.len();
        self.probe(pages, writes, out);
        let mut unsettled = std::mem::take(&mut self.unsettled);
        for &at in &unsettled {
            let key = pages[at as usize];
            let page = self.find_or_add(key);
            out[from + at as usize] = Access::new(page, writes[at as usize]);
        }
        unsettled.clear();
        self.unsettled = unsettled;
    }

    /// Looks in the first slot of each page; those not found there are left for later.
    fn probe(&mut self, pages: &[u64], writes: &[bool], out: &mut Vec<Access>) {
        self.unsettled.resize(pages.len(), 0);
        let mut unsettled = 0;
        let mut at = 0;
        let (slots, shift) = (&self.slots[..], self.shift);
        out.extend(pages.iter().zip(writes).map(|(&key, &write)| {
            let home = usize::try_from(spread(key) >> shift).expect("an index of the table");
            let slot = slots[home];
            let missed = slot.key != key || slot.page == EMPTY;
            self.unsettled[unsettled] = at;
            unsettled += usize::from(missed);
            at += 1;
            Access(slot.page << 1 | u32::from(write))
        }));
        self.unsettled.truncate(unsettled);
    }

    fn find_or_add(&mut self, key: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = self.home(key);
        loop {
            let slot = self.slots[at];
            if slot.page == EMPTY {
                return self.add(at, key);
            }
            if slot.key == key {
                return slot.page;
            }
            at = (at + 1) & mask;
        }
    }

    fn add(&mut self, at: usize, key: u64) -> u32 {
        assert!(self.len < MOST, "a trace of more than 2^31 different pages");
        let page = self.len;
        self.len += 1;
        self.slots[at] = Slot { key, page };
        if self.len as usize * 2 > self.slots.len() {
            self.grow();
        }
        page
    }

    fn grow(&mut self) {
        let bigger = vec![Slot { key: 0, page: EMPTY }; self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, bigger);
        self.shift -= 1;
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| slot.page != EMPTY) {
            let mut at = self.home(slot.key);
            while self.slots[at].page != EMPTY {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}
