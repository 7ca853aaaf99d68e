//! Every invariant, stated once. Each panic names the one that is broken.

use crate::arena::Arena;
use crate::entry::{CHUNK_PAGES, Entries, Target};
use crate::memory::Memory;
use crate::page::{Kept, Page};
use crate::state::State;
use crate::wait::{Demand, Waiter};
use crate::{Access, ArenaId, EntryNo, Home, Pages, Sharing, Site};
use alloc::vec::Vec;
use mager_policies::PageNo;

impl Memory {
    pub(crate) fn check(&self) {
        self.pages.iter().for_each(|(number, page)| self.check_page(number, page));
        self.check_frames();
        self.check_entries();
        self.check_swap();
        self.check_waiting();
    }

    /// Frames a policy holds: the page is there, and nobody pinned it.
    pub(crate) fn replaceable(&self) -> u32 {
        let there =
            |page: &Page| page.state().readable_frame().is_some_and(|frame| !self.frames[frame].pinned());
        self.pages.iter().map(|(_, page)| u32::from(there(page))).sum()
    }

    fn check_page(&self, number: PageNo, page: &Page) {
        let frame = match page.state() {
            State::PagingIn(frame) => Some(frame),
            State::Free
            | State::Absent
            | State::Wanted
            | State::Resident { .. }
            | State::WritingBack { .. } => page.state().readable_frame(),
        };
        if let Some(frame) = frame {
            assert_eq!(
                self.frames[frame].page(),
                Some(number),
                "invariant: a page and its frame name each other"
            );
        } else {
            assert!(page.backing.has_home(), "invariant: an absent page has a home");
        }
        if !page.has_sharers() {
            let ghost = page.backing.is_file() && page.state().readable_frame().is_some();
            assert!(
                ghost || page.state().busy(),
                "invariant: page {number} without sharers is a ghost or in flight"
            );
        }
        if let Some(Home::Object(object, block)) = self.home(number) {
            assert_eq!(
                self.objects.find(object, block),
                Some(number),
                "invariant: one page per (object, block)"
            );
        }
        let waiting = !self.waiting(number).is_empty();
        assert!(!waiting || page.state().busy(), "invariant: faults wait only on pages in flight");
        self.check_protections(number, page);
    }

    /// Contract rule 19: what a sharer may do is a function of the page's state alone.
    fn check_protections(&self, number: PageNo, page: &Page) {
        let allowed = self.allowed(page);
        for (place, entry) in self.sharers(number).enumerate() {
            let now = self.entries[entry].now();
            assert_eq!(self.target(entry), Target::Page(number), "invariant: a sharer names its page");
            match self.config.sharing {
                Sharing::Frame => {
                    assert_eq!(now, allowed, "invariant: protections follow the state of page {number}")
                }
                Sharing::Place => {
                    assert!(now <= allowed, "invariant: no right beyond the state of page {number}")
                }
            }
            let elsewhere = self.by_place(page) && place > 0;
            assert!(!elsewhere || now.is_none(), "invariant: a frame by place is mapped at its place only");
        }
    }

    fn check_frames(&self) {
        let (mut used, mut evictable, mut pinned) = (0, 0, 0);
        for (frame, record) in self.frames.iter() {
            let Some(page) = record.page() else { continue };
            used += 1;
            evictable += u32::from(self.evictable(frame));
            pinned += u32::from(record.pinned());
            assert_eq!(
                record.pinned(),
                self.pins.of_frame(frame) > 0,
                "invariant: a pinned frame has its pins"
            );
            let state = self.pages[page].state();
            let holds = state == State::PagingIn(frame) || state.readable_frame() == Some(frame);
            assert!(holds, "invariant: a page and its frame name each other");
        }
        let (free, withheld) = (self.frames.free_count(), self.frames.withheld() as usize);
        assert_eq!(
            used + free + withheld,
            self.config.usable_frames() as usize,
            "invariant: a frame is free, withheld or holds a page"
        );
        let idle = |frame| self.frames[frame].page().is_none();
        assert!(
            self.frames.free_list().chain(self.frames.withheld_list()).all(idle),
            "invariant: free and withheld frames hold no page"
        );
        assert!(
            withheld == 0 || self.frames.pinned.max(self.config.low_water) < self.circulating(),
            "invariant: a frame that is neither pinned nor kept free stays in circulation"
        );
        assert_eq!(evictable, self.frames.evictable, "invariant: the count of evictable frames");
        assert_eq!(pinned, self.frames.pinned, "invariant: the count of pinned frames");
    }

    fn check_entries(&self) {
        let named: usize = self.arenas.iter().map(|(id, arena)| self.check_table(id, arena)).sum();
        let sharers: usize = self.pages.iter().map(|(page, _)| self.sharers(page).count()).sum();
        assert_eq!(named, sharers, "invariant: every entry that names a page is its sharer");
        let links: u32 = self.pages.iter().map(|(page, _)| self.check_sharers(page)).sum();
        assert_eq!(links, self.links.live(), "invariant: every link is some page's");
    }

    /// One page table against the arena's regions, both in the order of addresses. How many entries name a page.
    fn check_table(&self, id: ArenaId, arena: &Arena) -> usize {
        let mut named = 0;
        let mut regions = arena.regions.iter().peekable();
        for (first, chunk) in arena.chunks() {
            let count = CHUNK_PAGES.min(self.config.arena_pages - first.0);
            for page in (Pages { start: first, count }).iter() {
                while regions.next_if(|(pages, _)| pages.start.0 + pages.count <= page.0).is_some() {}
                let mapped = regions.peek().is_some_and(|(pages, _)| pages.start <= page);
                let entry = Entries::at(chunk, page);
                let target = self.target(entry);
                assert_eq!(mapped, target != Target::Nothing, "invariant: entries and regions agree");
                self.check_untouched(entry, target);
                named += usize::from(matches!(target, Target::Page(_)));
                assert_eq!(self.entries.site(entry), Site { arena: id, page }, "invariant: entry's site");
            }
        }
        named
    }

    fn check_untouched(&self, entry: EntryNo, target: Target) {
        let now = self.entries[entry].now();
        match target {
            Target::Nothing | Target::Lazy => {
                assert!(now.is_none(), "invariant: nothing to show, nothing mapped")
            }
            Target::Zero => assert!(
                now.is_none() || now == Some(Access::Read) && self.config.sharing == Sharing::Frame,
                "invariant: the zero page is never written"
            ),
            Target::Page(_) => {}
        }
    }

    fn check_swap(&self) {
        let by_arenas: u32 = self.arenas.iter().map(|(_, arena)| arena.reserved).sum();
        assert_eq!(self.swap.reserved(), by_arenas + self.swap.lingering, "invariant: reservations add up");
        let mut assigned = 0;
        for (_, page) in self.pages.iter() {
            if let Kept::Swap(block) = page.backing.kept() {
                assigned += 1;
                assert!(!self.swap.is_free(block), "invariant: a page's swap block is not free");
            }
        }
        assert_eq!(assigned, self.swap.assigned(), "invariant: every assigned block is some page's home");
        let private = self.pages.iter().filter(|(_, page)| !page.backing.is_file()).count();
        let owed = self.swap.owed as usize;
        assert!(
            private <= self.swap.reserved() as usize + owed,
            "invariant: every private page has its reservation, or is owed a block while in flight"
        );
        let dead = |page: &Page| !page.backing.is_file() && !page.has_sharers();
        let dead: Vec<&Page> = self.pages.iter().map(|(_, page)| page).filter(|page| dead(page)).collect();
        let flying = dead.iter().filter(|page| page.state() != State::Wanted).count();
        assert_eq!(dead.len(), self.swap.lingering as usize + owed, "invariant: pages nobody names add up");
        assert!(owed <= flying, "invariant: a page that is owed a block is in flight");
    }

    fn check_waiting(&self) {
        let (mut promised, mut in_flight, mut wanted, mut flushing) = (0, 0, 0, 0);
        let mut waiting = 0;
        for (number, page) in self.pages.iter() {
            match page.state() {
                State::Wanted => wanted += 1,
                State::PagingIn(_) => in_flight += 1,
                State::WritingBack { promised: promise, .. } => {
                    in_flight += 1;
                    promised += u32::from(promise);
                }
                State::Free | State::Absent | State::Resident { .. } => {}
            }
            for waiter in self.waiters.iter(self.waiting(number)) {
                waiting += 1;
                flushing += usize::from(matches!(waiter, Waiter::Flush(_)));
            }
        }
        assert_eq!(promised, self.promised, "invariant: the count of promised write-backs");
        assert_eq!(in_flight, self.in_flight, "invariant: the count of I/Os in flight");
        assert_eq!(waiting, self.waiters.waiting(), "invariant: who waits, waits on a page");
        let page_ins = self.demands.iter().filter(|demand| matches!(demand, Demand::PageIn(_))).count();
        assert_eq!(wanted, page_ins, "invariant: a page is wanted exactly while its page-in is queued");
        assert!(flushing >= self.flushes.live(), "invariant: a flush waits on at least one page");
        if self.in_flight == 0 {
            assert!(self.demands.is_empty(), "invariant: with nothing in flight nobody waits for a frame");
        }
    }
}
