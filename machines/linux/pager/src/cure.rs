//! How pages that were denied can be touched again, when their range is mapped anew, discarded or not mapped any more.

use crate::machine::Machine;
use mager_pager::{ArenaId, Pages, Site, VirtPage};

impl Machine {
    /// A range of the arena's own memory is mapped anew or not at all: what was denied there is forgotten.
    pub(crate) fn cure(&mut self, arena: ArenaId, pages: Pages) {
        let cured = self.forget_denied(arena, pages);
        cured.into_iter().for_each(|page| self.cure_page(Site { arena, page: VirtPage(page) }));
    }

    /// Only a copy takes poison away (a hole does not), so the page is put there and taken away again; whoever stores to it
    /// between is told of, and waits. If there is a page again by now, showing that does it. Where there is no room for it,
    /// the client's agent has to.
    fn cure_page(&mut self, at: Site) {
        let Some(record) = self.arenas.get_mut(at.arena) else { return };
        if !self.budget.room(record.allowance, 1) {
            return record.zap((at.page.0, None), self.near);
        }
        let Some(attached) = &record.attached else { return };
        let offset = u64::from(at.page.0) * self.page_size;
        match attached.uffd.copy(attached.base + offset, &self.zeros[..self.scratch.len()], true) {
            Ok(()) => _ = record.memory.punch(offset, self.page_size),
            Err(_) => _ = attached.uffd.show(attached.base + offset, self.page_size, true),
        }
    }

    /// What was denied in a range is forgotten, as the client's new mapping takes the poison away. Which pages they were.
    pub(crate) fn forget_denied(&mut self, arena: ArenaId, pages: Pages) -> Vec<u32> {
        self.arrive();
        self.punch_holes();
        let Some(record) = self.arenas.get_mut(arena) else { return Vec::new() };
        let end = pages.start.0.saturating_add(pages.count);
        let denied: Vec<u32> = record.poisoned.range(pages.start.0..end).copied().collect();
        denied.iter().for_each(|page| _ = record.poisoned.remove(page));
        denied
    }
}
