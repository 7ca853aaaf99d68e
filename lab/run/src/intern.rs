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
/// Numbers below this are looked up by themselves, without hashing.
const DIRECT: u64 = 1 << 22;

/// Where a page's dense number is: the upper half of its key's hash, to tell keys apart without looking at them.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    page: u32,
}

const FREE: Slot = Slot { tag: 0, page: EMPTY };

/// Page numbers seen so far, and the dense number of each.
#[derive(Clone, Debug)]
pub struct Interner {
    /// The dense numbers of small keys.
    direct: Vec<u32>,
    slots: Vec<Slot>,
    mask: usize,
    hashed: usize,
    /// The key of each dense number, looked at when a tag says it may be the one.
    keys: Vec<u64>,
    unsettled: Vec<u32>,
}

/// A key's place and tag: the halves of a product (Fibonacci hashing), the high one mixed in.
#[inline]
fn spread(key: u64) -> (usize, u32) {
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let [a, b, c, d, e, f, g, h] = mixed.to_le_bytes();
    let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    (high as usize, low)
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
        let slots = vec![FREE; 1 << 12];
        Interner {
            direct: Vec::new(),
            mask: slots.len() - 1,
            slots,
            hashed: 0,
            keys: Vec::new(),
            unsettled: Vec::new(),
        }
    }

    /// How many different pages were seen.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.keys.len()).expect("no more pages than fit")
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number a dense page was made from.
    #[must_use]
    pub fn key(&self, page: u32) -> u64 {
        self.keys[page as usize]
    }

    /// Appends the accesses of a batch to `out`.
    pub fn intern(&mut self, pages: &[u64], writes: &[bool], out: &mut Vec<Access>) {
        assert_eq!(pages.len(), writes.len(), "a batch has as many writes as pages");
        let from = out.len();
        if pages.iter().all(|&key| key < self.direct.len() as u64) {
            self.probe(pages, writes, out, |this, key| this.direct[usize::try_from(key).unwrap_or(0)]);
        } else {
            self.probe(pages, writes, out, Self::first_guess);
        }
        let unsettled = std::mem::take(&mut self.unsettled);
        for &at in &unsettled {
            let page = self.find_or_add(pages[at as usize]);
            out[from + at as usize] = Access::new(page, writes[at as usize]);
        }
        self.unsettled = unsettled;
    }

    /// Looks each page up by `guess`, which is right or says it does not know; those are left for later.
    #[inline]
    fn probe(
        &mut self,
        pages: &[u64],
        writes: &[bool],
        out: &mut Vec<Access>,
        guess: impl Fn(&Self, u64) -> u32,
    ) {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        unsettled.resize(pages.len(), 0);
        let mut missed = 0;
        let numbered = (0u32..).zip(pages).zip(writes);
        out.extend(numbered.map(|((at, &key), &write)| {
            let page = guess(self, key);
            unsettled[missed] = at;
            missed += usize::from(page == EMPTY);
            Access(page << 1 | u32::from(write))
        }));
        unsettled.truncate(missed);
        self.unsettled = unsettled;
    }

    /// What the first slot says of `key`.
    #[inline]
    fn first_guess(&self, key: u64) -> u32 {
        if key < self.direct.len() as u64 {
            return self.direct[usize::try_from(key).unwrap_or(0)];
        }
        let (home, tag) = spread(key);
        let slot = self.slots[home & self.mask];
        let found = slot.tag == tag && self.keys.get(slot.page as usize) == Some(&key);
        if found { slot.page } else { EMPTY }
    }

    fn find_or_add(&mut self, key: u64) -> u32 {
        if key < DIRECT {
            return self.find_or_add_direct(key);
        }
        let (home, tag) = spread(key);
        let mut at = home & self.mask;
        loop {
            let slot = self.slots[at];
            if slot.page == EMPTY {
                break;
            }
            if slot.tag == tag && self.keys[slot.page as usize] == key {
                return slot.page;
            }
            at = (at + 1) & self.mask;
        }
        let page = self.add(key);
        self.slots[at] = Slot { tag, page };
        self.hashed += 1;
        if self.hashed * 2 > self.slots.len() {
            self.grow();
        }
        page
    }

    fn find_or_add_direct(&mut self, key: u64) -> u32 {
        let at = usize::try_from(key).expect("small");
        if at >= self.direct.len() {
            self.direct.resize((at + 1).next_power_of_two(), EMPTY);
        }
        if self.direct[at] == EMPTY {
            self.direct[at] = self.add(key);
        }
        self.direct[at]
    }

    fn add(&mut self, key: u64) -> u32 {
        let page = self.len();
        assert!(page < MOST, "a trace of more than 2^31 different pages");
        self.keys.push(key);
        page
    }

    fn grow(&mut self) {
        let bigger = vec![FREE; self.slots.len() * 2];
        self.mask = bigger.len() - 1;
        let old = std::mem::replace(&mut self.slots, bigger);
        for slot in old.into_iter().filter(|slot| slot.page != EMPTY) {
            let mut at = spread(self.keys[slot.page as usize]).0 & self.mask;
            while self.slots[at].page != EMPTY {
                at = (at + 1) & self.mask;
            }
            self.slots[at] = slot;
        }
    }
}
