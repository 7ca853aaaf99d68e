//! Exact LRU stack distances in one pass: how many other pages were touched since a page's last touch.
//!
//! Source: R. L. Mattson and others, 1970; counting by a tree over time, as F. Olken, 1981. Here the tree is flat:
//! each access has a place in time, and a bit says whether it is the last access to its page. The distance is the
//! number of bits set behind the page's last place: bits within a word, words within a block, blocks within a group,
//! then groups, each a short sum over neighbours in memory. When the places run out they are dealt anew to the pages
//! alone, so memory depends on the footprint, not on the length of the trace.

use crate::Access;

const WORD: usize = 64;
/// Bits in a block and in a group.
const BLOCK: usize = 8 * WORD;
const GROUP: usize = 64 * BLOCK;
const NEVER: u32 = u32::MAX;

/// How often each distance occurred.
#[derive(Clone, Debug, Default)]
pub struct Distances {
    /// Accesses whose distance is the index: they hit in any memory of more frames than that.
    pub hits: Vec<u64>,
    /// First accesses.
    pub cold: u64,
    /// All accesses.
    pub accesses: u64,
}

impl Distances {
    /// Misses of LRU over `frames` frames.
    #[must_use]
    pub fn misses(&self, frames: u32) -> u64 {
        let hits: u64 = self.hits.iter().take(frames as usize).sum();
        self.accesses - hits
    }

    /// Misses of LRU for every number of frames from 0 up to the footprint.
    #[must_use]
    pub fn curve(&self) -> Vec<u64> {
        let mut left = self.accesses;
        let after = self.hits.iter().map(|&hits| {
            left -= hits;
            left
        });
        std::iter::once(self.accesses).chain(after).collect()
    }
}

/// The pass under way.
#[derive(Clone, Debug)]
pub struct StackDistances {
    /// Where in time each page was touched last.
    place: Vec<u32>,
    /// Which page was touched at each place; meaningful where the bit is set.
    page_at: Vec<u32>,
    bits: Vec<u64>,
    blocks: Vec<u32>,
    groups: Vec<u32>,
    now: usize,
    pages: u32,
    found: Distances,
}

impl Default for StackDistances {
    fn default() -> Self {
        StackDistances::new()
    }
}

impl StackDistances {
    /// Before the first access.
    #[must_use]
    pub fn new() -> Self {
        let mut new = StackDistances {
            place: Vec::new(),
            page_at: Vec::new(),
            bits: Vec::new(),
            blocks: Vec::new(),
            groups: Vec::new(),
            now: 0,
            pages: 0,
            found: Distances::default(),
        };
        new.room(2 * GROUP);
        new
    }

    /// Room for `places` places, all free.
    fn room(&mut self, places: usize) {
        let places = places.next_multiple_of(GROUP);
        self.page_at = vec![0; places];
        self.bits = vec![0; places / WORD];
        self.blocks = vec![0; places / BLOCK];
        self.groups = vec![0; places / GROUP];
        self.now = 0;
    }

    /// Takes the accesses.
    pub fn run(&mut self, accesses: &[Access]) {
        self.found.accesses += accesses.len() as u64;
        for &access in accesses {
            let page = access.page() as usize;
            if page >= self.place.len() {
                self.place.resize((page + 1).next_power_of_two(), NEVER);
            }
            match self.place[page] {
                NEVER => {
                    self.found.cold += 1;
                    self.pages += 1;
                }
                place => self.again(place as usize),
            }
            self.put(access.page());
        }
    }

    /// A page touched last at `place` is touched again: counts the distance and frees the place.
    #[inline]
    fn again(&mut self, place: usize) {
        let distance = self.behind(place);
        if distance >= self.found.hits.len() {
            self.found.hits.resize((distance + 1).next_power_of_two(), 0);
        }
        self.found.hits[distance] += 1;
        self.bits[place / WORD] &= !(1 << (place % WORD));
        self.blocks[place / BLOCK] -= 1;
        self.groups[place / GROUP] -= 1;
    }

    /// Bits set behind `place`.
    #[inline]
    fn behind(&self, place: usize) -> usize {
        let word = place / WORD;
        let own = (self.bits[word] >> (place % WORD)).count_ones() - 1;
        let block_end = (place / BLOCK + 1) * (BLOCK / WORD);
        let words: u32 = self.bits[word + 1..block_end].iter().map(|bits| bits.count_ones()).sum();
        let group_end = (place / GROUP + 1) * (GROUP / BLOCK);
        let blocks: u32 = self.blocks[place / BLOCK + 1..group_end].iter().sum();
        let last = (self.now - 1) / GROUP;
        let groups: u32 = self.groups[(place / GROUP + 1).min(last + 1)..=last].iter().sum();
        (own + words + blocks + groups) as usize
    }

    /// Puts `page` at the place of now.
    #[inline]
    fn put(&mut self, page: u32) {
        if self.now == self.page_at.len() {
            self.place[page as usize] = NEVER;
            self.deal();
        }
        self.place[page as usize] = u32::try_from(self.now).expect("places are dealt anew before 2^32");
        self.page_at[self.now] = page;
        self.mark(self.now);
        self.now += 1;
    }

    #[inline]
    fn mark(&mut self, place: usize) {
        self.bits[place / WORD] |= 1 << (place % WORD);
        self.blocks[place / BLOCK] += 1;
        self.groups[place / GROUP] += 1;
    }

    /// Deals the first places to the pages in the order of their last touches, with as many again and more free.
    fn deal(&mut self) {
        let is_last = |place: usize| self.bits[place / WORD] >> (place % WORD) & 1 != 0;
        let order: Vec<u32> =
            (0..self.now).filter(|&place| is_last(place)).map(|place| self.page_at[place]).collect();
        self.room((order.len() * 3).max(2 * GROUP));
        for page in order {
            self.place[page as usize] = u32::try_from(self.now).expect("fewer than 2^31 pages");
            self.page_at[self.now] = page;
            self.mark(self.now);
            self.now += 1;
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Distances {
        self.found.hits.truncate(self.pages as usize);
        self.found
    }
}
