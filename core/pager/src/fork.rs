//! Fork: nothing is copied but page-table entries.
//!
//! | parent's page | child's entry |
//! |---|---|
//! | untouched | untouched |
//! | zeros by place, never written | untouched |
//! | any other private page | the same page; nobody may write to it in place any more |
//! | file page | the same page, with the rights it has |

use crate::entry::{CHUNK_PAGES, Entries, Pte, Target};
use crate::state::State;
use crate::{Access, ArenaId, Effects, EntryNo, Pager, Pages, Refused, Sharing, VirtPage};
use alloc::vec::Vec;
use mager_policies::{FrameNo, PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// A new arena with the parent's contents at this moment. Refused without change if fewer reservations are
    /// free than the parent has private pages, or while a private page of the parent is pinned.
    pub fn fork(&mut self, parent: ArenaId, out: &mut Effects) -> Result<ArenaId, Refused> {
        let reserved = self.memory.arenas.get(parent).ok_or(Refused::NoArena(parent))?.reserved;
        self.enough_swap(reserved)?;
        if self.private_pins(parent) {
            return Err(Refused::Pinned);
        }
        let chunks: Vec<_> = self.memory.live(parent).chunks().collect();
        let entries = chunks.len() as u64 * u64::from(CHUNK_PAGES);
        if !self.memory.entries.room_for(chunks.len()) || !self.memory.links.room_for(entries) {
            return Err(Refused::Full);
        }
        let child = self.create()?;
        self.memory.swap.reserve(reserved);
        let regions = self.memory.live(parent).regions.clone();
        for (pages, kind) in regions.iter() {
            if let crate::Kind::Object(object, _) = kind {
                self.memory.objects.used(object, pages.count);
            }
        }
        let arena = self.memory.live(child);
        (arena.regions, arena.reserved) = (regions, reserved);
        chunks.into_iter().for_each(|(first, chunk)| self.fork_chunk(child, first, chunk, out));
        Ok(child)
    }

    fn fork_chunk(&mut self, child: ArenaId, first: VirtPage, chunk: u32, out: &mut Effects) {
        let copy = self.memory.entries.add_chunk(child, first);
        self.memory.live(child).set_chunk(first, copy);
        let count = CHUNK_PAGES.min(self.memory.config.arena_pages - first.0);
        for page in (Pages { start: first, count }).iter() {
            self.fork_entry(Entries::at(chunk, page), Entries::at(copy, page), out);
        }
    }

    fn fork_entry(&mut self, parent: EntryNo, child: EntryNo, out: &mut Effects) {
        let target = self.memory.target(parent);
        match target {
            Target::Nothing => {}
            Target::Lazy => self.memory.entries[child] = Pte::new(target),
            Target::Zero => self.memory.fork_zero(child, out),
            Target::Page(page) if self.memory.zeros_by_place(page) => {
                self.memory.entries[child] = Pte::new(Target::Zero);
            }
            Target::Page(page) => {
                self.memory.link(child, page);
                self.memory.protect(page, out);
            }
        }
    }
}

impl crate::memory::Memory {
    fn fork_zero(&mut self, child: EntryNo, out: &mut Effects) {
        self.entries[child] = Pte::new(Target::Zero);
        if self.config.sharing == Sharing::Frame {
            self.map(child, FrameNo(0), Some(Access::Read), out);
        }
    }

    /// A resident page that was never written: its contents need no sharing.
    fn zeros_by_place(&self, page: PageNo) -> bool {
        let page = &self.pages[page];
        !page.backing.has_home() && matches!(page.state(), State::Resident { dirty: false, .. })
    }
}
