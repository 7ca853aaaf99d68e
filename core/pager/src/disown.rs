//! A clean private page gives up what the store keeps of it, when the store has no room for that any more.

use crate::entry::{Entries, Target};
use crate::page::Kept;
use crate::state::State;
use crate::{Effect, Effects, Pager, Pages, Refused, Site};
use mager_policies::{PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// The page at `at` gives its swap block back, and is dirty from then on: the frame has its only copy. Refused unless
    /// it is private, resident and clean, and has a block.
    pub fn disown(&mut self, at: Site, out: &mut Effects) -> Result<(), Refused> {
        let page = self.page_at(at)?;
        let State::Resident { frame, dirty: false } = self.memory.pages[page].state() else {
            return Err(Refused::NotResident);
        };
        let Kept::Swap(block) = self.memory.pages[page].backing.kept() else {
            return Err(Refused::NotPrivate);
        };
        self.memory.pages[page].backing.unassign();
        self.memory.pages[page].set_state(State::Resident { frame, dirty: true });
        self.memory.swap.release(block);
        out.push(Effect::Release { block });
        self.memory.protect(page, out);
        Ok(())
    }

    fn page_at(&self, at: Site) -> Result<PageNo, Refused> {
        let arena = self.memory.range(at.arena, Pages::one(at.page))?;
        let chunk = arena.chunk(at.page).ok_or(Refused::NotResident)?;
        match self.memory.target(Entries::at(chunk, at.page)) {
            Target::Page(page) => Ok(page),
            Target::Nothing | Target::Zero | Target::Lazy => Err(Refused::NotResident),
        }
    }
}
