//! Pages in compressed memory: packed into the slots of a slab, and unpacked again.
//!
//! LZ4 by the crate in Rust, with its safe decoder. On pages of a running program it packs in 3.4 us, as the C library
//! does, and unpacks in 1.4 (C: 0.9); its faster decoder needs 7.5 for a page that is zeros but for its first bytes.
//!
//! Who has which page is the caller's table; this knows slots only.

mod chunk;
mod compressor;
mod slab;

use crate::OpenError;
use crate::checksum::checksum;
use crate::place::{small, wide};
use crate::table::{MOST, Place};
pub(crate) use compressor::{Compressor, Packed};
use lz4_flex::block::decompress_into;
use slab::{CHUNK_RECORD, MOST_PAGES, Slab};

/// The compressor's table and the structures themselves, generously.
const FIXED: usize = 32 * 1024;
/// Before the bytes of a packed page: how many they are, and of which block, with a bit that says that it is leaving.
const HEADER: usize = 6;
const LEAVING: u32 = 1 << 31;
/// A page that is a double word over and over is kept as that, which no other page is packed into: LZ4 needs a byte for
/// each 255.
const WORD: usize = 8;
/// Chunks that are looked through for pages to leave.
const LOOKED_THROUGH: usize = 16;
/// Of all chunks this part, and no more than so many, is to be unused of those that should be used at most.
const SHORT_PART: usize = 32;
const SHORT_MOST: usize = 64;

/// What is wrong with a packed page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Damage {
    Checksum { expected: u32, found: u32 },
    Unpack,
}

/// Compressed memory within a budget.
#[derive(Debug)]
pub(crate) struct Pack {
    slab: Slab,
    page_size: usize,
    checksums: bool,
    budget: usize,
    /// A page is kept if it packs to so many bytes, or fewer.
    most_kept: usize,
    /// What is used whether there are pages or not.
    fixed: usize,
    /// Chunks that should be used at most.
    aim: usize,
    compressor: Compressor,
    /// For a page packed here and now; `None` while that goes on.
    scratch: Option<Packed>,
    pub(crate) pages: u64,
    pub(crate) incompressible: u64,
}

impl Pack {
    /// At most `budget` bytes, everything included but the caller's table.
    pub(crate) fn new(page_size: usize, budget: usize, checksums: bool) -> Result<Self, OpenError> {
        let scratch = Packed::room(page_size);
        let pages = if budget / page_size / 16 >= 64 { MOST_PAGES } else { 4 };
        let chunk = pages * page_size + CHUNK_RECORD;
        let chunks = budget.saturating_sub(FIXED + scratch) / chunk;
        if chunks == 0 {
            let least = wide(FIXED + scratch + chunk);
            return Err(OpenError::TooSmall { asked: wide(budget), least });
        }
        let most = u64::from(MOST) * wide(page_size / 64);
        if wide(budget) > most {
            return Err(OpenError::TooMuch { what: "bytes of compressed memory", asked: wide(budget), most });
        }
        Ok(Pack {
            slab: Slab::new(page_size, chunks, pages),
            page_size,
            checksums,
            budget,
            most_kept: page_size,
            fixed: FIXED + scratch + chunks * CHUNK_RECORD,
            aim: chunks,
            compressor: Compressor::new(page_size, checksums),
            scratch: Some(Packed::new(page_size)),
            pages: 0,
            incompressible: 0,
        })
    }

    /// Bytes in use, everything included.
    pub(crate) fn used(&self) -> usize {
        self.fixed + self.slab.used()
    }

    /// From now on so many bytes may be used, everything included, or as many as are; how many that are.
    pub(crate) fn grant(&mut self, bytes: usize) -> usize {
        self.fixed + self.slab.grant(self.chunks_of(bytes)) * self.slab.chunk()
    }

    /// Only pages are to be kept that save three eighths of their size at least. A page in memory that holds packed ones
    /// instead of one as it is has to save reads of the device: as many more pages as it holds, each at the price of
    /// packing and unpacking. That is about 15 us where a read takes 40.
    pub(crate) fn keep_small_ones(&mut self) {
        self.most_kept = self.page_size / 8 * 5;
    }

    /// By how much room grows and shrinks.
    pub(crate) fn step(&self) -> usize {
        self.slab.chunk()
    }

    pub(crate) fn budget(&self) -> usize {
        self.budget
    }

    /// Can anything at all be kept?
    pub(crate) fn has_room(&self) -> bool {
        self.aim > 0 && self.slab.has_room()
    }

    /// At most so many bytes should be used, everything included.
    pub(crate) fn aim(&mut self, bytes: usize) {
        self.aim = self.chunks_of(bytes).min(self.slab.chunks());
    }

    /// How many chunks are used beyond what should be, some of which are kept unused for what comes.
    pub(crate) fn beyond_aim(&self) -> usize {
        let kept_unused = (self.slab.chunks() / SHORT_PART).clamp(1, SHORT_MOST);
        self.slab.chunks_used().saturating_sub(self.aim.saturating_sub(kept_unused))
    }

    /// How many chunks so many bytes are, everything included.
    fn chunks_of(&self, bytes: usize) -> usize {
        bytes.saturating_sub(self.fixed) / self.slab.chunk()
    }

    /// Pages that have been here the longest and are not leaving yet, those of so many chunks, as many as `into` has room
    /// for: their blocks, and the slots they are in.
    pub(crate) fn oldest(&self, chunks: usize, into: &mut Vec<(u32, u32)>) {
        let mut found = 0;
        for chunk in self.slab.by_age().take(LOOKED_THROUGH) {
            let before = into.len();
            let whose = self.slab.slots(chunk).map(|at| (self.whose(at), at));
            let room = into.capacity() - before;
            into.extend(whose.filter(|(block, _)| block & LEAVING == 0).take(room));
            found += usize::from(into.len() > before);
            if found == chunks || into.len() == into.capacity() {
                return;
            }
        }
    }

    /// The page in this slot is leaving, until the slot is another page's.
    pub(crate) fn leaves(&mut self, at: u32) {
        let block = self.whose(at) | LEAVING;
        self.slab.bytes_mut(at)[2..HEADER].copy_from_slice(&block.to_ne_bytes());
    }

    /// The page in this slot does not leave after all.
    pub(crate) fn stays(&mut self, at: u32) {
        let block = self.whose(at) & !LEAVING;
        self.slab.bytes_mut(at)[2..HEADER].copy_from_slice(&block.to_ne_bytes());
    }

    /// Whether the slot has had no other page since this block's began to leave.
    pub(crate) fn is_leaving(&self, at: u32, block: u32) -> bool {
        self.whose(at) == block | LEAVING
    }

    fn whose(&self, at: u32) -> u32 {
        let slot = self.slab.bytes(at);
        u32::from_ne_bytes([slot[2], slot[3], slot[4], slot[5]])
    }

    /// Packs a page here and now, and keeps it as [`Pack::keep`] does.
    pub(crate) fn put(&mut self, block: u32, page: &[u8], old: Option<Place>) -> Option<Place> {
        if old.is_none() && !self.has_room() {
            return None;
        }
        let mut packed = self.scratch.take().expect("pack: one page at a time is packed here");
        self.compressor.pack(page, &mut packed);
        let place = self.keep(block, page, &packed, old);
        self.scratch = Some(packed);
        place
    }

    /// Keeps a page, of which `packed` was made, if need be in the slot of the place that it replaces. That place is
    /// free afterwards, unless there was no room: then it is as it was.
    pub(crate) fn keep(
        &mut self,
        block: u32,
        page: &[u8],
        packed: &Packed,
        old: Option<Place>,
    ) -> Option<Place> {
        let length = packed.body().map_or(self.page_size, |body| HEADER + body.len());
        if length > self.most_kept {
            self.incompressible += 1;
            return None;
        }
        let at = self.slab.take(length).or_else(|| self.reuse(old, length))?;
        self.fill(at, block, page, packed.body());
        if let Some(old) = old
            && slot(old) != Some(at)
        {
            self.free(old);
        }
        // A slot that was used again stays counted once.
        self.pages += u64::from(old.and_then(slot) != Some(at));
        self.incompressible += u64::from(packed.body().is_none());
        let sum = packed.sum();
        Some(if packed.body().is_some() { Place::Packed { at, sum } } else { Place::Raw { at, sum } })
    }

    /// Fills `into` with the page at a place of compressed memory.
    pub(crate) fn get(&self, place: Place, into: &mut [u8]) -> Result<(), Damage> {
        match place {
            Place::Packed { at, sum } => {
                let slot = self.slab.bytes(at);
                let length = usize::from(u16::from_ne_bytes([slot[0], slot[1]]));
                let packed = slot.get(HEADER..HEADER + length).ok_or(Damage::Unpack)?;
                self.verify(packed, sum)?;
                unpack(packed, into)
            }
            Place::Raw { at, sum } => {
                let page = &self.slab.bytes(at)[..self.page_size];
                self.verify(page, sum)?;
                into.copy_from_slice(page);
                Ok(())
            }
            Place::Same(_) | Place::File { .. } => Err(Damage::Unpack),
        }
    }

    /// Gives the room of a place back, if it is in compressed memory.
    pub(crate) fn free(&mut self, place: Place) {
        if let Some(at) = slot(place) {
            self.slab.free(at);
            self.pages -= 1;
        }
    }

    fn reuse(&self, old: Option<Place>, length: usize) -> Option<u32> {
        old.and_then(slot).filter(|&at| self.slab.capacity(at) >= length)
    }

    fn fill(&mut self, at: u32, block: u32, page: &[u8], packed: Option<&[u8]>) {
        let slot = self.slab.bytes_mut(at);
        let Some(body) = packed else { return slot[..page.len()].copy_from_slice(page) };
        let header = u16::try_from(body.len()).unwrap_or(u16::MAX);
        slot[..2].copy_from_slice(&header.to_ne_bytes());
        slot[2..HEADER].copy_from_slice(&block.to_ne_bytes());
        slot[HEADER..HEADER + body.len()].copy_from_slice(body);
    }

    fn verify(&self, bytes: &[u8], expected: u32) -> Result<(), Damage> {
        let found = if self.checksums { checksum(bytes) } else { expected };
        if found == expected { Ok(()) } else { Err(Damage::Checksum { expected, found }) }
    }
}

fn unpack(packed: &[u8], into: &mut [u8]) -> Result<(), Damage> {
    if packed.len() == WORD {
        into.chunks_exact_mut(WORD).for_each(|it| it.copy_from_slice(packed));
        return Ok(());
    }
    let unpacked = decompress_into(packed, into).map_err(|_| Damage::Unpack)?;
    if unpacked == into.len() { Ok(()) } else { Err(Damage::Unpack) }
}

fn slot(place: Place) -> Option<u32> {
    match place {
        Place::Packed { at, .. } | Place::Raw { at, .. } => Some(at),
        Place::Same(_) | Place::File { .. } => None,
    }
}

/// The word that a page consists of, if it is one word over and over.
pub(crate) fn same_filled(page: &[u8]) -> Option<u32> {
    repeated::<4>(page).map(|word| u32::from_ne_bytes(*word))
}

/// What a page consists of, if it is `N` bytes over and over.
fn repeated<const N: usize>(page: &[u8]) -> Option<&[u8; N]> {
    let word = page.first_chunk::<N>()?;
    // Most pages differ at once: the words between are looked at only if the last is the same.
    (page.ends_with(word) && page[N..] == page[..page.len() - N]).then_some(word)
}

/// Fills a page with one word.
pub(crate) fn fill_same(word: u32, page: &mut [u8]) {
    if word == 0 {
        page.fill(0);
    } else {
        page.chunks_exact_mut(4).for_each(|it| it.copy_from_slice(&word.to_ne_bytes()));
    }
}

/// As an index of a block into a table.
pub(crate) fn index(block: u64) -> Option<u32> {
    (block <= u64::from(MOST)).then(|| small(usize::try_from(block).unwrap_or(usize::MAX)))
}
