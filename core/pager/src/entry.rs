//! Page-table entries and the pool of 512-entry chunks they live in.
//!
//! An entry says which page a virtual page shows and what the hardware lets happen there now, and it is one link
//! of the circle of all entries that name the same page. 12 bytes:
//!
//! ```text
//!  31 30 29                            0
//! +-----+-------------------------------+----------+----------+
//! | now | page number, or a special one |   next   |   prev   |
//! +-----+-------------------------------+----------+----------+
//! ```

use crate::{Access, ArenaId, Site, VirtPage};
use alloc::{boxed::Box, vec::Vec};
use core::ops::{Index, IndexMut};
use mager_policies::PageNo;

/// A sharer: one page-table entry of any arena, by its place in the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct EntryNo(pub(crate) u32);

pub(crate) const CHUNK_BITS: u32 = 9;
pub(crate) const CHUNK_PAGES: u32 = 1 << CHUNK_BITS;
const SPECIAL: u32 = (1 << 30) - 16;
const PAGE_MASK: u32 = (1 << 30) - 1;

/// What a virtual page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Nothing is mapped here.
    Nothing,
    /// Private memory nobody has written: zeros.
    Zero,
    /// Part of a file mapping that was never touched here; the arena's regions know which block.
    Lazy,
    /// A page.
    Page(PageNo),
}

impl Target {
    const fn bits(self) -> u32 {
        match self {
            Target::Nothing => SPECIAL,
            Target::Zero => SPECIAL + 1,
            Target::Lazy => SPECIAL + 2,
            Target::Page(page) => page.0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pte {
    word: u32,
    pub(crate) next: EntryNo,
    pub(crate) prev: EntryNo,
}

impl Pte {
    pub(crate) const NOTHING: Pte = Pte::new(Target::Nothing);

    pub(crate) const fn new(target: Target) -> Self {
        Pte { word: target.bits(), next: EntryNo(u32::MAX), prev: EntryNo(u32::MAX) }
    }

    #[inline]
    pub(crate) fn target(self) -> Target {
        match self.word & PAGE_MASK {
            page if page < SPECIAL => Target::Page(PageNo(page)),
            SPECIAL => Target::Nothing,
            word if word == SPECIAL + 1 => Target::Zero,
            _ => Target::Lazy,
        }
    }

    /// Names another target; what the hardware shows is left as it is.
    pub(crate) fn set_target(&mut self, target: Target) {
        self.word = self.word & !PAGE_MASK | target.bits();
    }

    /// What the hardware lets happen here now; `None`: not mapped.
    #[inline]
    pub(crate) fn now(self) -> Option<Access> {
        match self.word >> 30 {
            0 => None,
            1 => Some(Access::Trap),
            2 => Some(Access::Read),
            _ => Some(Access::Write),
        }
    }

    pub(crate) fn set_now(&mut self, now: Option<Access>) {
        let bits = match now {
            None => 0,
            Some(Access::Trap) => 1,
            Some(Access::Read) => 2,
            Some(Access::Write) => 3,
        };
        self.word = self.word & PAGE_MASK | bits << 30;
    }
}

#[derive(Debug)]
struct Chunk {
    arena: ArenaId,
    first: u32,
    entries: Box<[Pte; CHUNK_PAGES as usize]>,
}

/// Every touched chunk of every page table; freed chunks are kept and used again.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
}

impl Entries {
    /// Whether there are numbers for `more` further chunks.
    pub(crate) fn room_for(&self, more: usize) -> bool {
        self.chunks.len() - self.free.len() + more < 1 << (32 - CHUNK_BITS)
    }

    /// A chunk for pages `first..first + 512` of `arena`, every entry `Nothing`.
    pub(crate) fn add_chunk(&mut self, arena: ArenaId, first: VirtPage) -> u32 {
        if let Some(number) = self.free.pop() {
            let chunk = &mut self.chunks[number as usize];
            (chunk.arena, chunk.first) = (arena, first.0);
            return number;
        }
        let entries = Box::new([Pte::NOTHING; CHUNK_PAGES as usize]);
        self.chunks.push(Chunk { arena, first: first.0, entries });
        u32::try_from(self.chunks.len() - 1).expect("chunk numbers were checked when the range was mapped")
    }

    /// Takes a chunk back, of which every entry is `Nothing` again.
    pub(crate) fn free_chunk(&mut self, number: u32) {
        self.free.push(number);
    }

    /// The entry of chunk `number` for virtual page `page`.
    #[inline]
    pub(crate) fn at(number: u32, page: VirtPage) -> EntryNo {
        EntryNo(number << CHUNK_BITS | page.0 & (CHUNK_PAGES - 1))
    }

    #[inline]
    pub(crate) fn site(&self, entry: EntryNo) -> Site {
        let chunk = &self.chunks[(entry.0 >> CHUNK_BITS) as usize];
        Site { arena: chunk.arena, page: VirtPage(chunk.first + (entry.0 & (CHUNK_PAGES - 1))) }
    }
}

impl Index<EntryNo> for Entries {
    type Output = Pte;
    #[inline]
    fn index(&self, entry: EntryNo) -> &Pte {
        &self.chunks[(entry.0 >> CHUNK_BITS) as usize].entries[(entry.0 & (CHUNK_PAGES - 1)) as usize]
    }
}

impl IndexMut<EntryNo> for Entries {
    #[inline]
    fn index_mut(&mut self, entry: EntryNo) -> &mut Pte {
        &mut self.chunks[(entry.0 >> CHUNK_BITS) as usize].entries[(entry.0 & (CHUNK_PAGES - 1)) as usize]
    }
}
