//! Ahead of faults: pages come in, or are filled with zeros, where the machine guesses that they will be touched.
//!
//! ```text
//! state            by frame                     by place
//! ---------------  ---------------------------  ------------------------------------
//! (untouched)      write: zero-fill             read or write: zero-fill
//! Absent           page-in                      page-in, where its frame would live
//! Resident, clean  write, private and shared with nobody: dirty, mapped for writing
//! all others       nothing
//! ```
//! A guess with `Trap` is a faint one: the page comes in unreferenced, and leaves as such unless it is touched.
//!
//! A guess may be wrong, so it takes a frame that is free and that nobody waits for, or none; it evicts nothing,
//! nobody is resumed, and a page-in that fails leaves the page absent. A wrong guess of a write costs a write home.

use crate::entry::Target;
use crate::frame::Flight;
use crate::state::State;
use crate::{Access, Effects, EntryNo, Kind, Pager, Sharing, Site};
use mager_policies::{FrameNo, PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// Whatever `access` to `at` will need, if a frame is to spare. Cold beside the faults it saves.
    #[cold]
    pub(crate) fn ahead(&mut self, at: Site, access: Access, out: &mut Effects) {
        let Some(entry) = self.memory.entry(at) else { return };
        if access == Access::Write
            && let Target::Page(page) = self.memory.target(entry)
            && let State::Resident { frame, dirty: false } = self.memory.pages[page].state()
        {
            return self.memory.write_ahead(entry, page, frame, out);
        }
        if !self.memory.demands.is_empty() || self.memory.frames.free_count() == 0 {
            return;
        }
        match self.memory.target(entry) {
            Target::Nothing => {}
            Target::Zero => self.fill_ahead(entry, access, out),
            Target::Page(page) => self.read_ahead(entry, page, access, out),
            Target::Lazy if self.memory.shows_elsewhere(at) => {}
            Target::Lazy => {
                if let Some(page) = self.memory.resolve(entry, at) {
                    self.read_ahead(entry, page, access, out);
                }
            }
        }
    }

    fn fill_ahead(&mut self, entry: EntryNo, access: Access, out: &mut Effects) {
        let costs_no_frame = self.memory.config.sharing == Sharing::Frame && access < Access::Write;
        if !costs_no_frame && access != Access::Trap {
            let frame = self.take_ahead();
            self.fill_with_zeros(entry, access, frame, out);
        }
    }

    fn read_ahead(&mut self, entry: EntryNo, number: PageNo, access: Access, out: &mut Effects) {
        let page = &self.memory.pages[number];
        let elsewhere = self.memory.by_place(page) && self.memory.first_sharer(page) != Some(entry);
        if page.state() == State::Absent && !elsewhere {
            let frame = self.take_ahead();
            self.read_into(number, entry, frame, out);
            if access == Access::Trap {
                self.memory.frames[frame].set_flight(Flight::Guessed);
            }
        }
    }

    fn take_ahead(&mut self) -> FrameNo {
        self.memory.counters.aheads += 1;
        self.memory.frames.take_free().expect("ahead: a frame is free, as was seen before")
    }
}

impl crate::memory::Memory {
    /// A page that is in `frame`, clean, is going to be written to.
    fn write_ahead(&mut self, entry: EntryNo, number: PageNo, frame: FrameNo, out: &mut Effects) {
        let page = &self.pages[number];
        let shown = self.entries[entry].now();
        if page.backing.is_file() || !self.sole(page) || shown.is_none() {
            return;
        }
        self.pages[number].set_state(State::Resident { frame, dirty: true });
        let allowed = self.allowed(&self.pages[number]);
        if allowed != shown {
            self.map(entry, frame, allowed, out);
        }
    }

    /// Whether the page of the file mapping at `at` is under way or in a frame, for other mappings or as a ghost.
    fn shows_elsewhere(&self, at: Site) -> bool {
        let kind = self.arenas.get(at.arena).and_then(|arena| arena.regions.find(at.page));
        let Some(Kind::Object(object, block)) = kind else { return false };
        let known = self.objects.find(object, block);
        known.is_some_and(|page| self.pages[page].state() != State::Absent)
    }
}
