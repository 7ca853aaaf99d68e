//! Compressed memory: one allocation, cut into chunks, each chunk into slots of one size.
//!
//! A chunk belongs to a size while a slot of it is used, and to none after that. Sizes are counted in granules, 64 to
//! a page, and stretched to what a chunk can be divided into anyway. A slot is taken from a chunk of its size that has
//! one; else a chunk is taken; else a slot of the next larger size that has one. All of it is O(1). What is used never
//! exceeds what was allocated at the start, nor what was granted of it.
//!
//! Chunks in use are in a list by age, as they were taken: the oldest have what nobody has asked for the longest, more or less.
//!
//! A chunk costs memory from when it is first touched until it is given back to the system, which happens only when
//! less is granted; chunks that cost memory already are taken first.

use super::chunk::{Chunk, NO_SLOT, NONE};
use crate::ages::{Ages, LINK};
use crate::place::small;
use crate::sys::{PAGE, give_back, prefer_huge_pages, refuse_huge_pages};

/// Granules of a page: slots have up to so many.
const PER_PAGE: u32 = 64;
/// Pages of a chunk, at most; its slots, as bits of so many words.
pub(super) const MOST_PAGES: usize = 16;
const SLOT_WORDS: usize = MOST_PAGES * PER_PAGE as usize / 64;

/// What a chunk costs beside its memory.
pub(super) const CHUNK_RECORD: usize = size_of::<Chunk>() + LINK;

#[derive(Debug)]
pub(super) struct Slab {
    /// Chunks begin at `start`, with a page of the system.
    memory: Vec<u8>,
    start: usize,
    chunks: Vec<Chunk>,
    /// In bytes.
    granule: usize,
    /// Granules of a chunk.
    per_chunk: u32,
    /// Chunks that are free and cost memory; free ones that cost none, of which those never used begin at
    /// `fresh_chunks`.
    free_chunks: u32,
    empty_chunks: u32,
    fresh_chunks: u32,
    chunks_used: u32,
    /// Chunks that cost memory, used or free; there may be `granted` of them.
    touched: u32,
    granted: u32,
    /// For each size, the chunks of it with a free slot; `partial` has a bit for each list that is not empty.
    lists: [u32; PER_PAGE as usize],
    partial: u64,
    ages: Ages,
}

impl Slab {
    /// `chunks` chunks of `pages` pages each.
    pub(super) fn new(page_size: usize, chunks: usize, pages: usize) -> Self {
        let mut memory = vec![0; chunks * pages * page_size + PAGE];
        let start = memory.as_ptr().align_offset(PAGE).min(PAGE);
        prefer_huge_pages(&mut memory);
        Slab {
            memory,
            start,
            chunks: vec![Chunk::EMPTY; chunks],
            granule: page_size / PER_PAGE as usize,
            per_chunk: small(pages) * PER_PAGE,
            free_chunks: NONE,
            empty_chunks: NONE,
            fresh_chunks: 0,
            chunks_used: 0,
            touched: 0,
            granted: small(chunks),
            lists: [NONE; PER_PAGE as usize],
            partial: 0,
            ages: Ages::new(chunks),
        }
    }

    /// Bytes of chunks in use.
    pub(super) fn used(&self) -> usize {
        self.chunks_used as usize * self.chunk()
    }

    /// Can anything at all be kept?
    pub(super) fn has_room(&self) -> bool {
        self.partial != 0 || self.free_chunks != NONE || self.touched < self.granted
    }

    /// Chunks in use.
    pub(super) fn chunks_used(&self) -> usize {
        self.chunks_used as usize
    }

    /// All chunks there are.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The chunks in use, the oldest first.
    pub(super) fn by_age(&self) -> impl Iterator<Item = u32> {
        self.ages.iter()
    }

    /// The slots in use of a chunk that is.
    pub(super) fn slots(&self, number: u32) -> impl Iterator<Item = u32> {
        let Chunk { size, fresh, mut free, .. } = self.chunks[number as usize];
        let mut unused = [0u64; SLOT_WORDS];
        while free != NO_SLOT {
            unused[usize::from(free) / 64] |= 1 << (free % 64);
            let start = self.at(self.slot(number, free));
            free = u16::from_ne_bytes([self.memory[start], self.memory[start + 1]]);
        }
        debug_assert!(usize::from(fresh) <= unused.len() * 64, "slab: more slots than a chunk has");
        (0..fresh)
            .filter(move |&slot| unused[usize::from(slot) / 64] >> (slot % 64) & 1 == 0)
            .map(move |slot| number * self.per_chunk + u32::from(slot) * u32::from(size))
    }

    /// Bytes of a chunk.
    pub(super) fn chunk(&self) -> usize {
        self.per_chunk as usize * self.granule
    }

    /// From now on so many chunks may cost memory, or as many as are in use: how many that are. Free ones beyond that are
    /// given back to the system.
    pub(super) fn grant(&mut self, chunks: usize) -> usize {
        let granted = small(chunks.min(self.chunks.len()));
        if self.touched == 0 && granted < small(self.chunks.len()) {
            let all = self.chunks.len() * self.chunk();
            refuse_huge_pages(&mut self.memory[self.start..self.start + all]);
        }
        while self.touched > granted && self.free_chunks != NONE && self.give_back(self.free_chunks) {}
        self.granted = granted.max(self.touched);
        self.granted as usize
    }

    /// The first of the free chunks that cost memory costs none any more. Whether that could be done.
    fn give_back(&mut self, number: u32) -> bool {
        let (start, length) = (self.start + number as usize * self.chunk(), self.chunk());
        let given = give_back(&mut self.memory[start..start + length]);
        if given {
            self.free_chunks = self.chunks[number as usize].next;
            self.chunks[number as usize].next = self.empty_chunks;
            self.empty_chunks = number;
            self.touched -= 1;
        }
        given
    }

    /// A slot of at least `length` bytes, at most a page.
    pub(super) fn take(&mut self, length: usize) -> Option<u32> {
        let size = self.stretched(small(length.div_ceil(self.granule)).max(1));
        let chunk = match self.list(size) {
            NONE => self.take_chunk(size).or_else(|| self.larger(size))?,
            chunk => chunk,
        };
        Some(self.take_slot(chunk))
    }

    pub(super) fn free(&mut self, at: u32) {
        let number = at / self.per_chunk;
        let chunk = self.chunks[number as usize];
        assert!(chunk.used > 0, "slab: a slot is freed twice");
        let slot = (at % self.per_chunk) / u32::from(chunk.size);
        let start = self.at(at);
        self.memory[start..start + 2].copy_from_slice(&chunk.free.to_ne_bytes());
        let full = self.full(chunk);
        let record = &mut self.chunks[number as usize];
        record.free = u16::try_from(slot).unwrap_or(NO_SLOT);
        record.used -= 1;
        match (full, record.used) {
            (true, 0) => self.free_chunk(number),
            (true, _) => self.link(number),
            (false, 0) => {
                self.unlink(number);
                self.free_chunk(number);
            }
            (false, _) => {}
        }
    }

    /// How many bytes fit into a slot.
    pub(super) fn capacity(&self, at: u32) -> usize {
        usize::from(self.chunks[(at / self.per_chunk) as usize].size) * self.granule
    }

    pub(super) fn bytes(&self, at: u32) -> &[u8] {
        let start = self.at(at);
        &self.memory[start..start + self.capacity(at)]
    }

    pub(super) fn bytes_mut(&mut self, at: u32) -> &mut [u8] {
        let (start, length) = (self.at(at), self.capacity(at));
        &mut self.memory[start..start + length]
    }

    fn slot(&self, chunk: u32, slot: u16) -> u32 {
        chunk * self.per_chunk + u32::from(slot) * u32::from(self.chunks[chunk as usize].size)
    }

    /// Where a slot begins in `memory`.
    fn at(&self, at: u32) -> usize {
        self.start + at as usize * self.granule
    }

    /// The largest size of which as many slots go into a chunk.
    fn stretched(&self, granules: u32) -> u32 {
        self.per_chunk / (self.per_chunk / granules)
    }

    fn list(&self, size: u32) -> u32 {
        self.lists[size as usize - 1]
    }

    fn larger(&self, size: u32) -> Option<u32> {
        let above = self.partial & u64::MAX.checked_shl(size).unwrap_or(0);
        (above != 0).then(|| self.lists[above.trailing_zeros() as usize])
    }

    fn full(&self, chunk: Chunk) -> bool {
        u32::from(chunk.used) == self.per_chunk / u32::from(chunk.size)
    }

    fn take_chunk(&mut self, size: u32) -> Option<u32> {
        let number = self.any_chunk()?;
        self.chunks_used += 1;
        let record = &mut self.chunks[number as usize];
        (record.used, record.fresh, record.free) = (0, 0, NO_SLOT);
        record.size = u16::try_from(size).unwrap_or(u16::MAX);
        self.link(number);
        self.ages.push(number);
        Some(number)
    }

    /// A chunk that nobody uses, if need be one that costs nothing yet.
    fn any_chunk(&mut self) -> Option<u32> {
        if self.free_chunks != NONE {
            let number = self.free_chunks;
            self.free_chunks = self.chunks[number as usize].next;
            return Some(number);
        }
        if self.touched == self.granted {
            return None;
        }
        self.touched += 1;
        if self.empty_chunks != NONE {
            let number = self.empty_chunks;
            self.empty_chunks = self.chunks[number as usize].next;
            return Some(number);
        }
        self.fresh_chunks += 1;
        Some(self.fresh_chunks - 1)
    }

    fn free_chunk(&mut self, number: u32) {
        self.ages.remove(number);
        self.chunks[number as usize].next = self.free_chunks;
        self.free_chunks = number;
        self.chunks_used -= 1;
    }

    /// Of a chunk that has a free slot.
    fn take_slot(&mut self, number: u32) -> u32 {
        let chunk = self.chunks[number as usize];
        let slot = if chunk.free == NO_SLOT { chunk.fresh } else { chunk.free };
        let at = self.slot(number, slot);
        let start = self.at(at);
        let next = u16::from_ne_bytes([self.memory[start], self.memory[start + 1]]);
        let record = &mut self.chunks[number as usize];
        if chunk.free == NO_SLOT {
            record.fresh += 1;
        } else {
            record.free = next;
        }
        record.used += 1;
        if self.full(self.chunks[number as usize]) {
            self.unlink(number);
        }
        at
    }

    fn link(&mut self, number: u32) {
        let size = usize::from(self.chunks[number as usize].size);
        let head = self.lists[size - 1];
        if head != NONE {
            self.chunks[head as usize].prev = number;
        }
        let record = &mut self.chunks[number as usize];
        (record.prev, record.next) = (NONE, head);
        self.lists[size - 1] = number;
        self.partial |= 1 << (size - 1);
    }

    fn unlink(&mut self, number: u32) {
        let Chunk { prev, next, size, .. } = self.chunks[number as usize];
        let size = usize::from(size);
        match prev {
            NONE => self.lists[size - 1] = next,
            prev => self.chunks[prev as usize].next = next,
        }
        if next != NONE {
            self.chunks[next as usize].prev = prev;
        }
        if self.lists[size - 1] == NONE {
            self.partial &= !(1 << (size - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes and frees slots by a seed; each keeps its own bytes.
    fn churn(seed: u64, page_size: usize, chunks: usize, pages: usize) {
        let mut random = crate::faults::Dice::new(seed);
        let mut slab = Slab::new(page_size, chunks, pages);
        let mut held: Vec<(u32, usize, u8)> = Vec::new();
        for step in 0..5000u32 {
            let length = usize::try_from(random.below(u64::try_from(page_size).unwrap())).unwrap() + 1;
            if random.below(5) < 3
                && let Some(at) = slab.take(length)
            {
                assert!(slab.capacity(at) >= length);
                let mark = u8::try_from(step % 251).unwrap();
                slab.bytes_mut(at)[..length].fill(mark);
                held.push((at, length, mark));
            } else if !held.is_empty() {
                let which = random.below(u64::try_from(held.len()).unwrap());
                let (at, length, mark) = held.swap_remove(usize::try_from(which).unwrap());
                let bytes = &slab.bytes(at)[..length];
                let kept = bytes[0] == mark && bytes[1..] == bytes[..length - 1];
                assert!(kept, "seed {seed} step {step}: another slot's bytes");
                slab.free(at);
            }
            assert!(slab.used() <= chunks * pages * page_size);
            if step % 100 == 0 {
                let mut used: Vec<u32> = slab.by_age().flat_map(|chunk| slab.slots(chunk)).collect();
                let mut mine: Vec<u32> = held.iter().map(|&(at, ..)| at).collect();
                used.sort_unstable();
                mine.sort_unstable();
                assert_eq!(used, mine, "seed {seed} step {step}: the slots in use");
            }
            if random.below(50) == 0 {
                let granted = usize::try_from(random.below(u64::try_from(chunks).unwrap() + 1)).unwrap();
                assert!(slab.grant(granted) * pages * page_size >= slab.used());
            }
            assert!(slab.chunks_used <= slab.touched && slab.touched <= slab.granted);
        }
        held.iter().for_each(|&(at, ..)| slab.free(at));
        assert_eq!((slab.used(), slab.partial), (0, 0), "everything was given back");
        slab.grant(chunks);
        let whole = (0..).take_while(|_| slab.take(page_size).is_some()).count();
        assert_eq!(whole, chunks * pages, "every chunk can be used for whole pages again");
    }

    #[test]
    fn slots_do_not_overlap_and_come_back() {
        for seed in 1..9 {
            churn(seed, 4096, 12, 16);
            churn(seed, 4096, 9, 4);
            churn(seed, 65536, 4, 4);
        }
    }

    #[test]
    fn a_larger_slot_is_taken_when_nothing_else_is_left() {
        let mut slab = Slab::new(4096, 1, 4);
        let large = slab.take(4096).unwrap();
        let small = slab.take(10).unwrap();
        assert_eq!((slab.capacity(large), slab.capacity(small)), (4096, 4096));
        assert!(slab.has_room());
        assert!(slab.take(1).is_some() && slab.take(1).is_some());
        assert!(!slab.has_room() && slab.take(1).is_none());
    }

    #[test]
    fn no_more_chunks_cost_memory_than_were_granted() {
        let mut slab = Slab::new(4096, 6, 4);
        assert_eq!(slab.grant(2), 2);
        let held: Vec<u32> = std::iter::from_fn(|| slab.take(4096)).collect();
        assert_eq!((held.len(), slab.has_room()), (8, false));
        assert_eq!(slab.grant(1), 2, "both are in use");
        held[4..].iter().for_each(|&at| slab.free(at));
        assert!(slab.has_room(), "a free chunk that costs memory already can be used");
        assert_eq!((slab.grant(1), slab.has_room(), slab.used()), (1, false, 16384));
        assert_eq!(slab.grant(99), 6);
        let all: Vec<u32> = std::iter::from_fn(|| slab.take(4096)).collect();
        assert_eq!(all.len(), 20, "one that was given back is used again");
        assert!(slab.bytes(all[0]).iter().all(|&byte| byte == 0), "its bytes were given back");
    }

    #[test]
    #[should_panic(expected = "freed twice")]
    fn a_slot_freed_twice_is_noticed_when_its_chunk_is_empty() {
        let mut slab = Slab::new(4096, 1, 4);
        let at = slab.take(100).unwrap();
        slab.free(at);
        slab.free(at);
    }
}
