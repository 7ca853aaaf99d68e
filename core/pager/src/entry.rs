//! Page-table entries and the pool of 512-entry chunks they live in.
//!
//! An entry says which page a virtual page shows and what the hardware lets happen there now. 4 bytes:
//!
//! ```text
//!  31 30 29                                               0
//! +-----+--------------------------------------------------+
//! | now | a page, a link of a page's `sharers`, or a special |
//! +-----+--------------------------------------------------+
//!        0 .. 3 * 2^28              .. 2^30 - 16   .. 2^30
//! ```

use crate::config::MAX_PAGES;
use crate::sharers::LinkNo;
use crate::{Access, ArenaId, Site, VirtPage};
use alloc::{boxed::Box, vec::Vec};
use core::ops::{Index, IndexMut};
use mager_policies::PageNo;

/// A sharer: one page-table entry of any arena, by its place in the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct EntryNo(pub(crate) u32);

pub(crate) const CHUNK_BITS: u32 = 9;
pub(crate) const CHUNK_PAGES: u32 = 1 << CHUNK_BITS;
const LINKS: u32 = MAX_PAGES;
const SPECIAL: u32 = LINKS + LinkNo::MOST;
const PAGE_MASK: u32 = (1 << 30) - 1;

const _: () = assert!(SPECIAL + 3 <= PAGE_MASK);
/// Entries have numbers of 31 bits.
pub(crate) const ENTRY_BITS: u32 = 31;

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

/// What an entry has in it: what it shows, or the link that knows that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Named {
    Target(Target),
    /// A page that others show as well.
    Link(LinkNo),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pte(u32);

impl Pte {
    pub(crate) const NOTHING: Pte = Pte::new(Target::Nothing);

    pub(crate) const fn new(target: Target) -> Self {
        Pte(target.bits())
    }

    #[inline]
    pub(crate) fn named(self) -> Named {
        Named::Target(match self.0 & PAGE_MASK {
            page if page < LINKS => Target::Page(PageNo(page)),
            link if link < SPECIAL => return Named::Link(LinkNo(link - LINKS)),
            SPECIAL => Target::Nothing,
            word if word == SPECIAL + 1 => Target::Zero,
            _ => Target::Lazy,
        })
    }

    /// Names another target; what the hardware shows is left as it is.
    pub(crate) fn set_target(&mut self, target: Target) {
        self.set(target.bits());
    }

    pub(crate) fn set_link(&mut self, link: LinkNo) {
        self.set(LINKS + link.0);
    }

    fn set(&mut self, named: u32) {
        self.0 = self.0 & !PAGE_MASK | named;
    }

    /// What the hardware lets happen here now; `None`: not mapped.
    #[inline]
    pub(crate) fn now(self) -> Option<Access> {
        match self.0 >> 30 {
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
        self.0 = self.0 & PAGE_MASK | bits << 30;
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
        self.chunks.len() - self.free.len() + more < 1 << (ENTRY_BITS - CHUNK_BITS)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_names_and_shows_comes_back() {
        let targets = [
            Target::Nothing,
            Target::Zero,
            Target::Lazy,
            Target::Page(PageNo(0)),
            Target::Page(PageNo(MAX_PAGES - 1)),
        ];
        let links = [LinkNo(0), LinkNo(LinkNo::MOST - 1)];
        for now in [None, Some(Access::Trap), Some(Access::Read), Some(Access::Write)] {
            let mut entry = Pte::NOTHING;
            entry.set_now(now);
            for target in targets {
                entry.set_target(target);
                assert_eq!((entry.named(), entry.now()), (Named::Target(target), now));
            }
            for link in links {
                entry.set_link(link);
                assert_eq!((entry.named(), entry.now()), (Named::Link(link), now));
            }
        }
    }
}
