//! How pages that were denied can be touched again, when their range is mapped anew, discarded or not mapped any more.

use crate::machine::Machine;
use mager_pager::{ArenaId, Pages};

impl Machine {
    /// A range of the arena's own memory is mapped anew or not at all: what was denied there is forgotten.
    pub(crate) fn cure(&mut self, arena: ArenaId, pages: Pages) {
        let cured = self.forget_denied(arena, pages);
        let Some(record) = self.arenas.get_mut(arena) else { return };
        for page in cured {
            // Only a copy takes poison away (a hole does not), so the page is put there and taken away again. Where there
            // is no room for it, the client's agent has to.
            if !self.budget.room(record.allowance, 1) {
                record.zap((page, None), self.near);
            } else if let Some(attached) = &record.attached {
                let offset = u64::from(page) * self.page_size;
                let _ = attached.uffd.copy(attached.base + offset, &self.zeros[..self.scratch.len()], false);
                let _ = record.memory.punch(offset, self.page_size);
            }
        }
    }

    /// The same, where the client's new mapping takes the poison away. Which pages they were.
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
