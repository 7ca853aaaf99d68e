//! Pages: a page's worth of contents each, resident or not. The page has the state, not its entries.
//!
//! ```text
//! Absent -> Wanted -> PagingIn(f) -> Resident(f) <-> WritingBack(f)      Resident and clean -> Absent
//! ```
//! 16 bytes a page: its state in a word (`state`), its backing in two, and the first of its sharers. Owns the numbers
//! and their reuse; who may move a page from state to state is the business of `fault`, `pump` and `answer`.

use crate::chunked::Chunked;
use crate::state::{State, Word};
use crate::wait::List;
use crate::{BlockNo, EntryNo, Home, ObjectNo, SwapBlock};
use core::ops::{Index, IndexMut};
use mager_policies::PageNo;

pub(crate) const NONE: u32 = u32::MAX;

/// What a page is a page of: private memory, with the swap block it was assigned if any, or a file's block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Backing {
    object: u32,
    block: u32,
}

impl Backing {
    pub(crate) const PRIVATE: Backing = Backing { object: NONE, block: NONE };

    pub(crate) const fn file(object: ObjectNo, block: BlockNo) -> Self {
        Backing { object: object.0, block: block.0 }
    }

    pub(crate) const fn is_file(self) -> bool {
        self.object != NONE
    }

    /// Where the contents go when they are written, if a place is assigned.
    pub(crate) fn home(self) -> Option<Home> {
        match (self.object, self.block) {
            (NONE, NONE) => None,
            (NONE, block) => Some(Home::Swap(SwapBlock(block))),
            (object, block) => Some(Home::Object(ObjectNo(object), BlockNo(block))),
        }
    }

    pub(crate) fn assign(&mut self, block: SwapBlock) {
        assert!(self.home().is_none(), "page: a swap block assigned twice");
        self.block = block.0;
    }

    /// The swap block is another's from now on.
    pub(crate) fn unassign(&mut self) {
        assert!(!self.is_file(), "page: a file's block is given up");
        self.block = NONE;
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    word: Word,
    pub(crate) backing: Backing,
    /// First of the circle of entries that name this page; where frames live at sites, the frame lives at this one.
    pub(crate) sharers: Option32,
}

const _: () = assert!(size_of::<Page>() == 16);

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
    pub(crate) fn first_sharer(&self) -> Option<EntryNo> {
        self.sharers.get().map(EntryNo)
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
            None => PageNo(self.pages.push(page)),
        }
    }

    pub(crate) fn free(&mut self, number: PageNo) {
        let page = &mut self.pages[number.0];
        assert!(page.sharers.get().is_none(), "page: freed while in use");
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
