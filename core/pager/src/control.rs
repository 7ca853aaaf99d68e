//! Control calls: arenas come and go, ranges are mapped and unmapped, pages are pinned.
//!
//! Each one checks everything first and then performs what cannot fail: a refusal changes nothing. Costs are in
//! the pages touched, never in the pages mapped.

use crate::arena::Arena;
use crate::entry::{CHUNK_PAGES, Entries, Target};
use crate::state::State;
use crate::{
    Access, ArenaId, BlockNo, Effect, Effects, EntryNo, Kind, ObjectNo, Pager, Pages, Refused, Sharing, Site,
    VirtPage,
};
use alloc::vec::Vec;
use mager_policies::{FrameNo, Gone, PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// A new arena, empty.
    pub fn create(&mut self) -> Result<ArenaId, Refused> {
        self.memory.arenas.add(self.memory.config.arena_pages).ok_or(Refused::Full)
    }

    /// Maps a private page at the lowest free virtual page and shows it as zeros at once.
    pub fn map_swap(&mut self, arena: ArenaId, out: &mut Effects) -> Result<VirtPage, Refused> {
        let page = self.lowest_free(arena)?;
        self.map_swap_at(arena, Pages::one(page))?;
        if self.memory.config.sharing == Sharing::Frame
            && let Some(entry) = self.memory.entry(Site { arena, page })
        {
            self.memory.map(entry, FrameNo(0), Some(Access::Read), out);
        }
        Ok(page)
    }

    /// Maps private pages at a given place. Nothing is shown, and nothing paid for, until they are touched.
    pub fn map_swap_at(&mut self, arena: ArenaId, pages: Pages) -> Result<(), Refused> {
        self.free_range(arena, pages)?;
        self.enough_swap(pages.count)?;
        self.memory.swap.reserve(pages.count);
        self.memory.live(arena).reserved += pages.count;
        self.memory.insert_region(arena, pages, Kind::Swap);
        Ok(())
    }

    /// Maps one block of an object at the lowest free virtual page, with the rights of the page's present state.
    pub fn map_object(
        &mut self,
        arena: ArenaId,
        object: ObjectNo,
        block: BlockNo,
        out: &mut Effects,
    ) -> Result<VirtPage, Refused> {
        let page = self.lowest_free(arena)?;
        let number = self.memory.file_page(object, block).ok_or(Refused::Full)?;
        self.memory.objects.used(object, 1);
        self.memory.insert_region(arena, Pages::one(page), Kind::Object(object, block));
        if let Some(entry) = self.memory.entry(Site { arena, page }) {
            self.memory.link(entry, number);
            self.memory.protect(number, out);
        }
        Ok(page)
    }

    /// Maps consecutive blocks of an object at a given place. Each page is looked up when it is first touched.
    pub fn map_object_at(
        &mut self,
        arena: ArenaId,
        pages: Pages,
        object: ObjectNo,
        block: BlockNo,
    ) -> Result<(), Refused> {
        self.free_range(arena, pages)?;
        block.0.checked_add(pages.count).ok_or(Refused::BadBlock)?;
        self.memory.objects.used(object, pages.count);
        self.memory.insert_region(arena, pages, Kind::Object(object, block));
        Ok(())
    }

    /// Unmaps a range of which every page is mapped and none pinned.
    pub fn unmap(&mut self, arena: ArenaId, pages: Pages, out: &mut Effects) -> Result<(), Refused> {
        let parts = self.memory.range(arena, pages)?.regions.within(pages);
        if parts.iter().map(|(part, _)| part.count).sum::<u32>() != pages.count {
            return Err(Refused::NotMapped);
        }
        if self.pinned_in(arena, pages) {
            return Err(Refused::Pinned);
        }
        let lingering = self.drop_range(arena, pages, out);
        self.forget_parts(arena, &parts, lingering);
        self.pump(out);
        Ok(())
    }

    /// Ends an arena. Its faults still waiting are resumed with [`Denied::BadAddress`](crate::Denied) in time.
    pub fn destroy(&mut self, arena: ArenaId, out: &mut Effects) -> Result<(), Refused> {
        let whole = Pages { start: VirtPage(0), count: self.memory.config.arena_pages };
        self.memory.range(arena, whole)?;
        self.unpin_all(arena);
        let lingering = self.drop_range(arena, whole, out);
        let parts: Vec<_> = self.memory.live(arena).regions.iter().collect();
        self.forget_parts(arena, &parts, lingering);
        let chunks: Vec<_> = self.memory.live(arena).chunks().collect();
        chunks.iter().for_each(|&(_, chunk)| self.memory.entries.free_chunk(chunk));
        self.memory.arenas.take(arena);
        self.pump(out);
        Ok(())
    }

    fn lowest_free(&self, arena: ArenaId) -> Result<VirtPage, Refused> {
        let page = self.memory.arenas.get(arena).ok_or(Refused::NoArena(arena))?.regions.lowest_free();
        if page.0 >= self.memory.config.arena_pages {
            return Err(Refused::ArenaFull);
        }
        if self.memory.entries.room_for(1) { Ok(page) } else { Err(Refused::Full) }
    }

    fn free_range(&self, arena: ArenaId, pages: Pages) -> Result<(), Refused> {
        let free = self.memory.range(arena, pages)?.regions.within(pages).is_empty();
        if free { Ok(()) } else { Err(Refused::Taken) }
    }

    pub(crate) fn enough_swap(&self, wanted: u32) -> Result<(), Refused> {
        let free = self.memory.swap.unreserved();
        if wanted <= free { Ok(()) } else { Err(Refused::NoSwap { wanted, free }) }
    }

    /// Drops every touched entry of a range, in the order of addresses. How many private pages live on in flight.
    fn drop_range(&mut self, arena: ArenaId, pages: Pages, out: &mut Effects) -> u32 {
        let mut lingering = 0;
        let chunks: Vec<_> = self.memory.live(arena).chunks_within(pages).collect();
        let end = pages.start.0 + pages.count;
        for (first, chunk) in chunks {
            let from = first.0.max(pages.start.0);
            let to = (first.0 + CHUNK_PAGES).min(end);
            lingering +=
                (from..to).map(|page| self.drop_entry(Entries::at(chunk, VirtPage(page)), out)).sum::<u32>();
        }
        lingering
    }

    /// One entry names nothing any more. How many private pages live on in flight because of it: one or none.
    fn drop_entry(&mut self, entry: EntryNo, out: &mut Effects) -> u32 {
        let mut lingering = 0;
        match self.memory.target(entry) {
            Target::Nothing => return 0,
            Target::Zero => self.memory.unmap_entry(entry, FrameNo(0), out),
            Target::Lazy => {}
            Target::Page(page) => lingering = self.drop_sharer(entry, page, out),
        }
        self.memory.entries[entry].set_target(Target::Nothing);
        lingering
    }

    /// `entry` does not share its page any more, which goes with its last sharer, as far as it can now. How many
    /// private pages live on in flight because of it: one or none.
    pub(crate) fn drop_sharer(&mut self, entry: EntryNo, number: PageNo, out: &mut Effects) -> u32 {
        let page = self.memory.pages[number];
        self.memory.leave_place(entry, number, out);
        self.memory.unlink(entry, number);
        if self.memory.pages[number].has_sharers() {
            self.memory.protect(number, out);
            return 0;
        }
        match page.state() {
            State::Resident { .. } if page.backing.is_file() => {}
            State::Resident { frame, .. } => {
                self.retire(frame, Gone::Freed);
                self.memory.release(frame, out);
                self.free_page(number, out);
            }
            State::Absent => self.free_page(number, out),
            // In flight: a private page lives on until it is answered.
            State::Wanted | State::PagingIn(_) | State::WritingBack { .. } => {
                return u32::from(!page.backing.is_file());
            }
            State::Free => unreachable!("page: an entry names a free page"),
        }
        0
    }

    /// The untouched side of unmapping: reservations and uses of objects go back, regions go. Pages that live on in
    /// flight hold on to their reservations.
    fn forget_parts(&mut self, arena: ArenaId, parts: &[(Pages, Kind)], lingering: u32) {
        let mut private = 0;
        for &(pages, kind) in parts {
            match kind {
                Kind::Swap => private += pages.count,
                Kind::Object(object, _) => self.memory.objects.unused(object, pages.count),
            }
            self.memory.live(arena).regions.remove(pages);
        }
        self.memory.live(arena).reserved -= private;
        self.memory.swap.unreserve(private - lingering);
        self.memory.swap.lingering += lingering;
    }
}

impl crate::memory::Memory {
    /// The arena, if it lives and `pages` lie in it.
    pub(crate) fn range(&self, arena: ArenaId, pages: Pages) -> Result<&Arena, Refused> {
        let found = self.arenas.get(arena).ok_or(Refused::NoArena(arena))?;
        let inside = pages.count > 0 && pages.end().is_some_and(|end| end <= self.config.arena_pages);
        if inside { Ok(found) } else { Err(Refused::BadRange) }
    }

    pub(crate) fn live(&mut self, arena: ArenaId) -> &mut Arena {
        self.arenas.get_mut(arena).expect("control: the arena was looked up before")
    }

    /// Records a mapping; chunks that were touched before hold its entries at once.
    fn insert_region(&mut self, arena: ArenaId, pages: Pages, kind: Kind) {
        self.live(arena).regions.insert(pages, kind);
        let target = match kind {
            Kind::Swap => Target::Zero,
            Kind::Object(..) => Target::Lazy,
        };
        let mut page = pages.start.0;
        while page < pages.start.0 + pages.count {
            let next =
                (page & !(CHUNK_PAGES - 1)).saturating_add(CHUNK_PAGES).min(pages.start.0 + pages.count);
            if let Some(chunk) = self.live(arena).chunk(VirtPage(page)) {
                (page..next).for_each(|page| {
                    self.entries[Entries::at(chunk, VirtPage(page))].set_target(target);
                });
            }
            page = next;
        }
    }

    /// The mapping at `entry` goes away. Where the frame lives at this site and others share it, it moves to the
    /// next of them, now or when its I/O is answered.
    fn leave_place(&mut self, entry: EntryNo, number: PageNo, out: &mut Effects) {
        let page = self.pages[number];
        let placed = self.by_place(&page) && self.first_sharer(&page) == Some(entry);
        let lives_here = placed && !self.sole(&page);
        match page.state() {
            State::Resident { frame, .. } if lives_here => {
                let next = self.next_sharer(entry);
                self.entries[entry].set_now(None);
                out.push(Effect::Copy { from: frame, to: frame, at: self.entries.site(next) });
            }
            State::WritingBack { frame, .. } if placed && !self.frames[frame].displaced() => {
                // Mapped or not: its bytes are at this site, and needed until the write is answered.
                self.entries[entry].set_now(None);
                out.push(Effect::Unmap { at: self.entries.site(entry), frame });
                if lives_here {
                    self.frames[frame].set_flight(crate::frame::Flight::Displaced);
                }
            }
            State::PagingIn(frame) if lives_here => {
                self.frames[frame].set_flight(crate::frame::Flight::Displaced);
            }
            State::Resident { frame, .. } | State::WritingBack { frame, .. } => {
                self.unmap_entry(entry, frame, out)
            }
            State::Absent | State::Wanted | State::PagingIn(_) | State::Free => {}
        }
    }
}
