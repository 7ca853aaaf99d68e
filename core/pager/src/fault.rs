//! What happens on a fault: one match on the state of the page.
//!
//! ```text
//! state         read               write, in place        write, shared by fork
//! ------------  -----------------  ---------------------  -----------------------
//! (untouched)   zero page          demand: zero-fill      demand: zero-fill
//! Absent        demand: page-in, and wait on the page; then again from the top
//! Wanted, PagingIn                 wait on the page; then again from the top
//! Resident      map                dirty, map             demand: copy
//! WritingBack   map, read-only     wait on the page       demand: copy
//! ```
//! Where frames live at sites ([`Sharing::Place`]), reading a shared page that lives at another site is a copy
//! too, and reading an untouched page is a zero-fill.

use crate::entry::Target;
use crate::page::{Backing, Page};
use crate::state::State;
use crate::wait::{Demand, Waiter};
use crate::{Access, Denied, Effects, EntryNo, Fault, Pager, Sharing, Site, VirtPage};
use mager_policies::{FrameNo, PageNo, Policy};

/// How an access to a page that is there can be satisfied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// On the frame itself.
    InPlace,
    /// The faulter leaves the page for a copy of its own.
    Leave,
    /// The frame stays where the faulter is and becomes its own; the copy is for the others.
    Keep,
}

impl<P: Policy> Pager<P> {
    /// Runs `fault` from the top.
    pub(crate) fn fault(&mut self, fault: Fault, out: &mut Effects) {
        let Some(entry) = self.memory.entry(fault.at) else {
            return self.memory.resume(fault.who, Err(Denied::BadAddress), out);
        };
        match self.memory.target(entry) {
            Target::Nothing => self.memory.resume(fault.who, Err(Denied::BadAddress), out),
            Target::Zero => self.untouched(entry, fault, out),
            Target::Page(page) => self.on_page(page, entry, fault, out),
            Target::Lazy => match self.memory.resolve(entry, fault.at) {
                Some(page) => self.on_page(page, entry, fault, out),
                None => self.memory.resume(fault.who, Err(Denied::NoMemory), out),
            },
        }
    }

    fn untouched(&mut self, entry: EntryNo, fault: Fault, out: &mut Effects) {
        if fault.access == Access::Write || self.memory.config.sharing == Sharing::Place {
            return self.memory.demands.push_back(Demand::Fill(fault));
        }
        self.memory.map(entry, FrameNo(0), Some(Access::Read), out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    fn on_page(&mut self, number: PageNo, entry: EntryNo, fault: Fault, out: &mut Effects) {
        let page = self.memory.pages[number];
        match page.state() {
            State::Free => unreachable!("page: an entry names a free page"),
            State::Absent => {
                self.memory.pages[number].set_state(State::Wanted);
                self.memory.demands.push_back(Demand::PageIn(number));
                self.memory.wait(number, Waiter::Fault(fault));
            }
            State::Wanted | State::PagingIn(_) => self.memory.wait(number, Waiter::Fault(fault)),
            State::Resident { frame, .. } => match self.memory.way(&page, entry, fault.access) {
                Way::InPlace => self.in_place(number, frame, entry, fault, out),
                Way::Leave | Way::Keep => self.ask_copy(number, frame, fault, out),
            },
            // Where frames live at sites, and this one's is gone: it is nowhere to be shown until it has moved.
            State::WritingBack { frame, .. } if self.memory.frames[frame].displaced() => {
                self.memory.wait(number, Waiter::Fault(fault));
            }
            State::WritingBack { frame, .. } => match self.memory.way(&page, entry, fault.access) {
                Way::InPlace if fault.access < Access::Write => {
                    self.in_place(number, frame, entry, fault, out)
                }
                Way::InPlace | Way::Keep => {
                    self.memory.protect(number, out);
                    self.memory.wait(number, Waiter::Fault(fault));
                }
                Way::Leave => self.ask_copy(number, frame, fault, out),
            },
        }
    }

    #[inline]
    fn in_place(&mut self, page: PageNo, frame: FrameNo, entry: EntryNo, fault: Fault, out: &mut Effects) {
        let before = self.memory.entries[entry].now();
        if fault.access == Access::Write {
            self.memory.pages[page].set_state(State::Resident { frame, dirty: true });
        }
        self.memory.reference(frame);
        self.memory.protect(page, out);
        self.memory.show_faulter(entry, page, before, out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    /// The source is referenced now and not again at the grant, so that replacement can take it if it must.
    fn ask_copy(&mut self, source: PageNo, frame: FrameNo, fault: Fault, out: &mut Effects) {
        self.memory.reference(frame);
        self.memory.protect(source, out);
        self.memory.demands.push_back(Demand::Copy { fault, source });
    }
}

impl crate::memory::Memory {
    /// The entry for `at`, if the arena lives and the page is mapped or its chunk was ever touched.
    #[inline]
    pub(crate) fn entry(&mut self, at: Site) -> Option<EntryNo> {
        if at.page.0 >= self.config.arena_pages {
            return None;
        }
        match self.arenas.get(at.arena)?.chunk(at.page) {
            Some(chunk) => Some(crate::entry::Entries::at(chunk, at.page)),
            None => self.touch_chunk(at),
        }
    }

    /// Makes the chunk of page-table entries around `at`, if `at` is mapped and there is room for it.
    pub(crate) fn touch_chunk(&mut self, at: Site) -> Option<EntryNo> {
        use crate::entry::{CHUNK_PAGES, Entries, Pte};
        let arena = self.arenas.get_mut(at.arena)?;
        if arena.regions.find(at.page).is_none() || !self.entries.room_for(1) {
            return None;
        }
        let first = VirtPage(at.page.0 & !(CHUNK_PAGES - 1));
        let count = CHUNK_PAGES.min(self.config.arena_pages - first.0);
        let chunk = self.entries.add_chunk(at.arena, first);
        arena.set_chunk(first, chunk);
        for (pages, kind) in arena.regions.within(crate::Pages { start: first, count }) {
            let target = match kind {
                crate::Kind::Swap => Target::Zero,
                crate::Kind::Object(..) => Target::Lazy,
            };
            pages.iter().for_each(|page| self.entries[Entries::at(chunk, page)] = Pte::new(target));
        }
        Some(Entries::at(chunk, at.page))
    }

    /// Gives an entry of a file mapping its page, on first touch. `None`: no page number is left.
    pub(crate) fn resolve(&mut self, entry: EntryNo, at: Site) -> Option<PageNo> {
        let kind = self.arenas.get(at.arena).and_then(|arena| arena.regions.find(at.page));
        let Some(crate::Kind::Object(object, block)) = kind else {
            unreachable!("page table: a lazy entry outside any file mapping")
        };
        let page = self.file_page(object, block)?;
        self.link(entry, page);
        Some(page)
    }

    /// The one page of (object, block), a new one if nobody knows it; `None`: no number is left for what is needed.
    pub(crate) fn file_page(&mut self, object: crate::ObjectNo, block: crate::BlockNo) -> Option<PageNo> {
        if !self.links.room_for(1) {
            return None;
        }
        if let Some(page) = self.objects.find(object, block) {
            return Some(page);
        }
        if self.objects.pages() >= crate::config::MAX_PAGES - self.config.swap_blocks {
            return None;
        }
        let slot = self.objects.slot(object, block)?;
        let page = self.pages.add(Backing::file(slot), State::Absent);
        self.objects.insert(slot, page);
        Some(page)
    }

    /// How `access` by `entry` to its page can go on while the page is in a frame.
    #[inline]
    pub(crate) fn way(&self, page: &Page, entry: EntryNo, access: Access) -> Way {
        if page.backing.is_file() || self.sole(page) {
            return Way::InPlace;
        }
        match (self.config.sharing, self.first_sharer(page) == Some(entry), access) {
            (Sharing::Frame, _, Access::Write) | (Sharing::Place, false, _) => Way::Leave,
            (Sharing::Place, true, Access::Write) => Way::Keep,
            (Sharing::Frame | Sharing::Place, _, Access::Trap | Access::Read) => Way::InPlace,
        }
    }
}
