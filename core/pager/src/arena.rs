//! Arenas: each one's regions, the directory of its page table, and its share of the swap reservations.
//!
//! The directory has two levels, so that an arena of terabytes costs next to nothing until it is touched:
//! root (one pointer per 2^18 pages) -> directory block (512 chunk numbers) -> chunk (512 entries).

use crate::entry::{CHUNK_BITS, CHUNK_PAGES};
use crate::region::Regions;
use crate::{ArenaId, Pages, VirtPage};
use alloc::{boxed::Box, vec, vec::Vec};

const DIR_BITS: u32 = 9;
const NO_CHUNK: u32 = u32::MAX;

type Directory = [u32; 1 << DIR_BITS];

#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) regions: Regions,
    /// Swap blocks reserved by this arena's private pages.
    pub(crate) reserved: u32,
    root: Box<[Option<Box<Directory>>]>,
}

impl Arena {
    fn new(arena_pages: u32) -> Self {
        let blocks = arena_pages.div_ceil(1 << (CHUNK_BITS + DIR_BITS)) as usize;
        Arena { regions: Regions::default(), reserved: 0, root: vec![None; blocks].into_boxed_slice() }
    }

    /// The number of the chunk that holds `page`'s entry, if it was ever touched. `page` is inside the arena.
    #[inline]
    pub(crate) fn chunk(&self, page: VirtPage) -> Option<u32> {
        let directory = self.root[(page.0 >> (CHUNK_BITS + DIR_BITS)) as usize].as_ref()?;
        let number = directory[(page.0 >> CHUNK_BITS) as usize & ((1 << DIR_BITS) - 1)];
        (number != NO_CHUNK).then_some(number)
    }

    pub(crate) fn set_chunk(&mut self, page: VirtPage, number: u32) {
        let block = &mut self.root[(page.0 >> (CHUNK_BITS + DIR_BITS)) as usize];
        let directory = block.get_or_insert_with(|| Box::new([NO_CHUNK; 1 << DIR_BITS]));
        directory[(page.0 >> CHUNK_BITS) as usize & ((1 << DIR_BITS) - 1)] = number;
    }

    /// Every touched chunk, with its first page, in the order of addresses.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = (VirtPage, u32)> {
        let blocks = u32::try_from(self.root.len()).expect("an arena has at most 2^31 pages");
        (0..blocks).flat_map(|high| self.chunks_in(high))
    }

    /// The touched chunks that hold entries of `pages`, which lie inside the arena; in the order of addresses.
    pub(crate) fn chunks_within(&self, pages: Pages) -> impl Iterator<Item = (VirtPage, u32)> {
        let last = pages.start.0 + (pages.count - 1);
        let first = pages.start.0 & !(CHUNK_PAGES - 1);
        let blocks = first >> (CHUNK_BITS + DIR_BITS)..=last >> (CHUNK_BITS + DIR_BITS);
        blocks
            .flat_map(|high| self.chunks_in(high))
            .filter(move |(start, _)| (first..=last).contains(&start.0))
    }

    /// The touched chunks of one directory block.
    fn chunks_in(&self, high: u32) -> impl Iterator<Item = (VirtPage, u32)> {
        self.root[high as usize].iter().flat_map(move |directory| {
            let numbered = directory.iter().zip(0u32..);
            numbered
                .filter(|&(&number, _)| number != NO_CHUNK)
                .map(move |(&number, low)| (VirtPage((high << DIR_BITS | low) * CHUNK_PAGES), number))
        })
    }
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    arena: Option<Arena>,
}

/// All arenas, by slot; the lowest free slot is used first.
#[derive(Debug, Default)]
pub(crate) struct Arenas {
    slots: Vec<Slot>,
    live: u32,
}

impl Arenas {
    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    pub(crate) fn add(&mut self, arena_pages: u32) -> Option<ArenaId> {
        let slot = match self.slots.iter().position(|slot| slot.arena.is_none()) {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::default());
                self.slots.len() - 1
            }
        };
        let id = ArenaId { slot: u32::try_from(slot).ok()?, generation: self.slots[slot].generation };
        self.slots[slot].arena = Some(Arena::new(arena_pages));
        self.live += 1;
        Some(id)
    }

    /// Takes an arena out; its handle is stale from now on.
    pub(crate) fn take(&mut self, id: ArenaId) -> Option<Arena> {
        self.get(id)?;
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.live -= 1;
        slot.arena.take()
    }

    #[inline]
    pub(crate) fn get(&self, id: ArenaId) -> Option<&Arena> {
        let slot = self.slots.get(id.slot as usize)?;
        if slot.generation == id.generation { slot.arena.as_ref() } else { None }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ArenaId) -> Option<&mut Arena> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        if slot.generation == id.generation { slot.arena.as_mut() } else { None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ArenaId, &Arena)> {
        self.slots.iter().zip(0u32..).filter_map(|(slot, number)| {
            let id = ArenaId { slot: number, generation: slot.generation };
            slot.arena.as_ref().map(|arena| (id, arena))
        })
    }
}
