//! Discard: private pages read as zeros again, while their sites, mappings and reservations stay.
//!
//! A page in flight cannot be freed before its I/O is answered, but its site goes on at once: it has given the page
//! up, not its reservation. Until the answer there may be one private page more than reservations; such pages are
//! *owed* a block by the store. So it can happen, and only then, that a dirty page finds no block when it is to be
//! written for the first time; whoever wants its frame waits for the answer that is bound to come (`pump`).

use crate::entry::{CHUNK_PAGES, Entries, Target};
use crate::state::State;
use crate::wait::{Demand, Waiter};
use crate::{Access, ArenaId, Effects, EntryNo, Kind, Pager, Pages, Refused, Sharing, Site, VirtPage};
use alloc::vec::Vec;
use mager_policies::{FrameNo, PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// Makes a range of private pages read as zeros, and frees what they occupied: at once, or when the I/O in
    /// flight is answered. Every page must be mapped, private, and not pinned. Faults that wait for a page of the
    /// range run again. Sharers of the pages in other arenas keep them. Costs O(pages touched).
    pub fn discard(&mut self, arena: ArenaId, pages: Pages, out: &mut Effects) -> Result<(), Refused> {
        self.discardable(arena, pages)?;
        let mut unwanted = false;
        let chunks: Vec<_> = self.memory.live(arena).chunks_within(pages).collect();
        let end = pages.start.0 + pages.count;
        for (first, chunk) in chunks {
            let from = first.0.max(pages.start.0);
            let to = (first.0 + CHUNK_PAGES).min(end);
            for page in from..to {
                unwanted |= self.discard_entry(Entries::at(chunk, VirtPage(page)), out);
            }
        }
        if unwanted {
            self.cancel_page_ins(out);
        }
        self.pump(out);
        Ok(())
    }

    fn discardable(&self, arena: ArenaId, pages: Pages) -> Result<(), Refused> {
        let parts = self.memory.range(arena, pages)?.regions.within(pages);
        if parts.iter().map(|(part, _)| part.count).sum::<u32>() != pages.count {
            return Err(Refused::NotMapped);
        }
        if parts.iter().any(|&(_, kind)| kind != Kind::Swap) {
            return Err(Refused::NotPrivate);
        }
        if self.pinned_in(arena, pages) { Err(Refused::Pinned) } else { Ok(()) }
    }

    /// One entry is untouched again. Whether a queued page-in may have lost its reason.
    fn discard_entry(&mut self, entry: EntryNo, out: &mut Effects) -> bool {
        let Target::Page(number) = self.memory.target(entry) else { return false };
        let state = self.memory.pages[number].state();
        self.memory.swap.owed += self.drop_sharer(entry, number, out);
        self.memory.entries[entry].set_target(Target::Zero);
        if self.memory.config.sharing == Sharing::Frame {
            self.memory.map(entry, FrameNo(0), Some(Access::Read), out);
        }
        if state.busy() {
            self.rerun_waiters_at(self.memory.entries.site(entry), number, out);
        }
        state == State::Wanted
    }

    /// Whoever waits at `at` for `page` waits for the wrong page now; the others go on waiting, in their order.
    fn rerun_waiters_at(&mut self, at: Site, page: PageNo, out: &mut Effects) {
        let mut list = self.memory.take_waiting(page);
        while let Some(waiter) = self.memory.waiters.pop(&mut list) {
            match waiter {
                Waiter::Fault(fault) if fault.at == at => self.fault(fault, out),
                Waiter::Fault(_) | Waiter::Flush(_) => self.memory.wait(page, waiter),
            }
        }
    }

    /// Page-ins that nobody waits for leave the queue, so that every page that is owed a block is in flight.
    fn cancel_page_ins(&mut self, out: &mut Effects) {
        let mut unneeded = Vec::new();
        let pages = &self.memory.pages;
        self.memory.demands.retain(|demand| match *demand {
            Demand::PageIn(page) if !pages[page].has_sharers() || pages[page].wanted_by().is_empty() => {
                unneeded.push(page);
                false
            }
            Demand::PageIn(_) | Demand::Fill(_) | Demand::Copy { .. } => true,
        });
        unneeded.into_iter().for_each(|page| self.abandon(page, out));
    }
}
