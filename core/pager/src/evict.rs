//! Evicting by request: a page leaves its frame because the machine asks, not because anybody needs the frame.
//!
//! ```text
//! state                 what happens
//! --------------------  -------------------------------------------------------------
//! Resident, referenced  the reference is taken away: a second chance
//! Resident, clean       surrendered; its frame is free
//! Resident, dirty       written, and surrendered when that is answered, as a promise
//! all others, pinned    nothing
//! ```
//! A machine that bounds what each client holds picks among that client's pages, whatever the policy would have done.

use crate::entry::{Entries, Target};
use crate::state::State;
use crate::{Effects, Pager, Site};
use mager_policies::{FrameNo, Policy};

impl<P: Policy> Pager<P> {
    /// Has the page at `at` leave its frame, if it lives there and was not touched since this was asked last.
    #[cold]
    pub(crate) fn evict(&mut self, at: Site, out: &mut Effects) {
        let Some(frame) = self.memory.lives_at(at).filter(|&frame| self.memory.evictable(frame)) else {
            return;
        };
        if self.memory.frames[frame].referenced() {
            return self.memory.unreference(frame, out);
        }
        if self.finds_no_block(frame) {
            return;
        }
        if let Some(frame) = self.take_victim(frame, out) {
            self.memory.frames.put_free(frame);
        }
    }
}

impl crate::memory::Memory {
    /// The frame of the page at `at`, on its way into it included, unless it lives at another site.
    pub(crate) fn lives_at(&self, at: Site) -> Option<FrameNo> {
        let chunk =
            self.arenas.get(at.arena).filter(|_| at.page.0 < self.config.arena_pages)?.chunk(at.page)?;
        let entry = Entries::at(chunk, at.page);
        let Target::Page(number) = self.target(entry) else { return None };
        let page = &self.pages[number];
        let elsewhere = self.by_place(page) && self.first_sharer(page) != Some(entry);
        let coming = if let State::PagingIn(frame) = page.state() { Some(frame) } else { None };
        page.state().readable_frame().or(coming).filter(|_| !elsewhere)
    }
}
