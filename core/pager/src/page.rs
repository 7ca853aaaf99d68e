//! Pages: a page's worth of contents each, resident or not. The page has the state, not its entries.
//!
//! ```text
//! Absent -> Wanted -> PagingIn(f) -> Resident(f) <-> WritingBack(f)      Resident and clean -> Absent
//! ```
//! 12 bytes a page: its state (`state`), its backing, and the first of its sharers, a word each. Owns the numbers
//! and their reuse; who may move a page from state to state is the business of `fault`, `pump` and `answer`.

use crate::chunked::Chunked;
use crate::config::MAX_PAGES;
use crate::entry::ENTRY_BITS;
use crate::object::Slot;
use crate::sharers::LinkNo;
use crate::state::{State, Word};
use crate::wait::List;
use crate::{EntryNo, SwapBlock};
use core::ops::{Index, IndexMut};
use mager_policies::PageNo;

pub(crate) const NONE: u32 = u32::MAX;

/// What a page is a page of: private memory, with the swap block it was assigned if any, or a file's block.
///
/// ```text
///  31   30                          0
/// +----+-----------------------------+
/// | is file | slot of the file index, or swap block, or all ones: none yet
/// +----+-----------------------------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Backing(u32);

const FILE: u32 = 1 << 31;

const _: () = assert!(MAX_PAGES < Backing::PRIVATE.0 && Slot::MOST < FILE);

/// Where contents go when they are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// Private, and no place is assigned.
    Nowhere,
    Swap(SwapBlock),
    /// In the block of a file that the index knows for this slot.
    File(Slot),
}

impl Backing {
    pub(crate) const PRIVATE: Backing = Backing(FILE - 1);

    pub(crate) const fn file(slot: Slot) -> Self {
        Backing(FILE | slot.0)
    }

    #[inline]
    pub(crate) const fn is_file(self) -> bool {
        self.0 & FILE != 0
    }

    #[inline]
    pub(crate) fn has_home(self) -> bool {
        self != Backing::PRIVATE
    }

    #[inline]
    pub(crate) fn kept(self) -> Kept {
        match self {
            Backing::PRIVATE => Kept::Nowhere,
            Backing(word) if self.is_file() => Kept::File(Slot(word & !FILE)),
            Backing(block) => Kept::Swap(SwapBlock(block)),
        }
    }

    pub(crate) fn assign(&mut self, block: SwapBlock) {
        assert!(!self.has_home(), "page: a swap block assigned twice");
        self.0 = block.0;
    }

    /// The swap block is another's from now on.
    pub(crate) fn unassign(&mut self) {
        assert!(!self.is_file(), "page: a file's block is given up");
        *self = Backing::PRIVATE;
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    word: Word,
    pub(crate) backing: Backing,
    /// The first sharer: an entry, or from `LINK` on a link. Of a number that is free, the next such number.
    sharers: Option32,
}

const _: () = assert!(size_of::<Page>() == 12);

const LINK: u32 = 1 << ENTRY_BITS;

/// The first of those that name a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum First {
    None,
    /// And the only one.
    Sole(EntryNo),
    Link(LinkNo),
}

/// An index or none, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Option32(u32);

impl Option32 {
    pub(crate) const NONE: Option32 = Option32(NONE);

    pub(crate) const fn some(index: u32) -> Self {
        Option32(index)
    }

    #[inline]
    pub(crate) fn get(self) -> Option<u32> {
        (self.0 != NONE).then_some(self.0)
    }
}

impl Page {
    #[inline]
    pub(crate) fn state(&self) -> State {
        self.word.state()
    }

    /// Who waited for it while it was wanted must have been taken off, or would be forgotten.
    #[inline]
    pub(crate) fn set_state(&mut self, state: State) {
        assert!(self.wanted_by().is_empty(), "page: who waits for it is forgotten");
        self.word = Word::of(state);
    }

    /// Who waits for it while it is wanted. Of a page in flight, its frame knows that.
    #[inline]
    pub(crate) fn wanted_by(&self) -> List {
        self.word.wanted_by()
    }

    #[inline]
    pub(crate) fn set_wanted_by(&mut self, waiting: List) {
        assert!(self.state() == State::Wanted, "page: waited for, and not wanted");
        self.word = Word::wanted(waiting);
    }

    #[inline]
    pub(crate) fn first(&self) -> First {
        match self.sharers.get() {
            None => First::None,
            Some(link) if link >= LINK => First::Link(LinkNo(link - LINK)),
            Some(entry) => First::Sole(EntryNo(entry)),
        }
    }

    #[inline]
    pub(crate) fn set_first(&mut self, first: First) {
        self.sharers = match first {
            First::None => Option32::NONE,
            First::Sole(entry) => Option32::some(entry.0),
            First::Link(link) => Option32::some(LINK + link.0),
        };
    }

    #[inline]
    pub(crate) fn has_sharers(&self) -> bool {
        self.sharers != Option32::NONE
    }
}

/// All pages, by number; freed numbers are chained through `sharers` and used again last in, first out.
#[derive(Debug)]
pub(crate) struct Pages {
    pages: Chunked<Page>,
    free: Option32,
    live: u32,
}

impl Pages {
    pub(crate) fn new() -> Self {
        Pages { pages: Chunked::new(), free: Option32::NONE, live: 0 }
    }

    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    pub(crate) fn add(&mut self, backing: Backing, state: State) -> PageNo {
        let page = Page { word: Word::of(state), backing, sharers: Option32::NONE };
        self.live += 1;
        match self.free.get() {
            Some(number) => {
                self.free = self.pages[number].sharers;
                self.pages[number] = page;
                PageNo(number)
            }
            None => {
                assert!(self.pages.len() < MAX_PAGES, "page: more pages than can be numbered");
                PageNo(self.pages.push(page))
            }
        }
    }

    pub(crate) fn free(&mut self, number: PageNo) {
        let page = &mut self.pages[number.0];
        assert!(!page.has_sharers(), "page: freed while in use");
        assert!(page.state() != State::Free, "page: freed twice");
        page.set_state(State::Free);
        page.sharers = self.free;
        self.free = Option32::some(number.0);
        self.live -= 1;
    }

    /// The page with this number, if the number is in use.
    pub(crate) fn get(&self, number: PageNo) -> Option<&Page> {
        let page = (number.0 < self.pages.len()).then(|| &self.pages[number.0])?;
        (page.state() != State::Free).then_some(page)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PageNo, &Page)> {
        (0..self.pages.len())
            .map(|n| (PageNo(n), &self.pages[n]))
            .filter(|(_, page)| page.state() != State::Free)
    }
}

impl Index<PageNo> for Pages {
    type Output = Page;
    #[inline]
    fn index(&self, number: PageNo) -> &Page {
        &self.pages[number.0]
    }
}

impl IndexMut<PageNo> for Pages {
    #[inline]
    fn index_mut(&mut self, number: PageNo) -> &mut Page {
        &mut self.pages[number.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_is_kept_comes_back_out_of_its_word() {
        for slot in [Slot(0), Slot(Slot::MOST)] {
            let file = Backing::file(slot);
            assert_eq!((file.kept(), file.is_file(), file.has_home()), (Kept::File(slot), true, true));
        }
        for block in [SwapBlock(0), SwapBlock(MAX_PAGES - 1)] {
            let mut private = Backing::PRIVATE;
            assert_eq!(
                (private.kept(), private.is_file(), private.has_home()),
                (Kept::Nowhere, false, false)
            );
            private.assign(block);
            assert_eq!(
                (private.kept(), private.is_file(), private.has_home()),
                (Kept::Swap(block), false, true)
            );
            private.unassign();
            assert_eq!(private, Backing::PRIVATE);
        }
    }

    #[test]
    fn the_first_sharer_comes_back_out_of_its_word() {
        let mut page =
            Page { word: Word::of(State::Absent), backing: Backing::PRIVATE, sharers: Option32::NONE };
        assert_eq!((page.first(), page.has_sharers()), (First::None, false));
        let entries = [0, (1 << ENTRY_BITS) - 1].map(|entry| First::Sole(EntryNo(entry)));
        let links = [0, LinkNo::MOST - 1].map(|link| First::Link(LinkNo(link)));
        for first in entries.into_iter().chain(links) {
            page.set_first(first);
            assert_eq!((page.first(), page.has_sharers()), (first, true));
        }
        page.set_first(First::None);
        assert_eq!((page.first(), page.has_sharers()), (First::None, false));
    }
}
