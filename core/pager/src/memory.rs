//! Everything the pager knows but the policy: the tables, and the few moves that keep them in step.
//!
//! Owns rule "protections are a pure function of the page's state" ([`Memory::allowed`], [`Memory::protect`]).
//! Decides nothing: that is for `fault`, `pump`, `answer` and `control`.

use crate::arena::Arenas;
use crate::entry::Entries;
use crate::frame::Frames;
use crate::object::Objects;
use crate::page::{Kept, Page, Pages};
use crate::pin::Pins;
use crate::sharers::Links;
use crate::state::State;
use crate::swap::Swap;
use crate::view::Counters;
use crate::wait::{Demands, Flushes, List, Waiter, Waiters};
use crate::{Access, Config, Denied, Effect, Effects, EntryNo, Home, References, Sharing, Ticket};
use mager_policies::{FrameNo, PageNo};

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) config: Config,
    pub(crate) arenas: Arenas,
    pub(crate) entries: Entries,
    pub(crate) links: Links,
    pub(crate) pages: Pages,
    pub(crate) frames: Frames,
    pub(crate) swap: Swap,
    pub(crate) objects: Objects,
    pub(crate) pins: Pins,
    pub(crate) waiters: Waiters,
    pub(crate) demands: Demands,
    pub(crate) flushes: Flushes,
    /// Write-backs whose frame is spoken for.
    pub(crate) promised: u32,
    /// Reads and writes not answered yet.
    pub(crate) in_flight: u32,
    pub(crate) counters: Counters,
}

impl Memory {
    pub(crate) fn new(config: Config) -> Self {
        Memory {
            arenas: Arenas::default(),
            entries: Entries::default(),
            links: Links::new(),
            pages: Pages::new(),
            frames: Frames::new(config.first_frame(), config.frames),
            swap: Swap::new(config.swap_blocks),
            objects: Objects::default(),
            pins: Pins::default(),
            waiters: Waiters::default(),
            demands: Demands::new(),
            flushes: Flushes::default(),
            promised: 0,
            in_flight: 0,
            counters: Counters::default(),
            config,
        }
    }

    /// Whether this page's frame lives at one site, its first sharer.
    #[inline]
    pub(crate) fn by_place(&self, page: &Page) -> bool {
        self.config.sharing == Sharing::Place && !page.backing.is_file()
    }

    /// What the page's state lets its sharers do without a fault; `None`: it may not be mapped at all.
    #[inline]
    pub(crate) fn allowed(&self, page: &Page) -> Option<Access> {
        let (frame, newer) = match page.state() {
            State::Resident { frame, dirty } => (frame, dirty),
            State::WritingBack { frame, .. } => (frame, false),
            State::Free | State::Absent | State::Wanted | State::PagingIn(_) => return None,
        };
        if self.config.references == References::Trap && !self.frames[frame].referenced() {
            return Some(Access::Trap);
        }
        let writable = newer && (page.backing.is_file() || self.sole(page));
        Some(if writable { Access::Write } else { Access::Read })
    }

    /// Brings every sharer's mapping in line with the page's state. Sites that get no more than they are given on
    /// their own fault (frames by place) are only lowered here.
    #[inline]
    pub(crate) fn protect(&mut self, number: PageNo, out: &mut Effects) {
        let page = &self.pages[number];
        let (Some(first), Some(frame)) = (self.first_sharer(page), page.state().readable_frame()) else {
            return;
        };
        let allowed = self.allowed(page);
        let raise = self.config.sharing == Sharing::Frame;
        let mut entry = first;
        loop {
            let pte = self.entries[entry];
            let wanted = if raise { allowed } else { pte.now().min(allowed) };
            if wanted != pte.now() {
                self.map(entry, frame, wanted, out);
            }
            entry = self.next_sharer(entry);
            if entry == first {
                return;
            }
        }
    }

    /// Shows a page that has just come in to its sharers, unless a fault that waited for it has had that done. Sites
    /// that get no more than they are given on their own fault get it here if the page came `unasked`, ahead of any.
    #[inline]
    pub(crate) fn show_first(&mut self, page: PageNo, unasked: bool, out: &mut Effects) {
        let first = self.first_sharer(&self.pages[page]).expect("answer: a page that came in has sharers");
        if self.entries[first].now().is_some() {
            return;
        }
        self.protect(page, out);
        if unasked && self.config.sharing == Sharing::Place {
            self.show_unasked(first, page, out);
        }
    }

    #[cold]
    fn show_unasked(&mut self, entry: EntryNo, page: PageNo, out: &mut Effects) {
        let page = &self.pages[page];
        let frame = page.state().readable_frame().expect("answer: a page that came in is in a frame");
        let allowed = self.allowed(page);
        self.map(entry, frame, allowed, out);
    }

    /// Shows `entry` what it faulted for, unless that was done since it showed `before`: the machine may have lost a
    /// mapping that is in place as far as we know.
    #[inline]
    pub(crate) fn show_faulter(
        &mut self,
        entry: EntryNo,
        page: PageNo,
        before: Option<Access>,
        out: &mut Effects,
    ) {
        if self.entries[entry].now() == before {
            let page = &self.pages[page];
            let frame = page.state().readable_frame().expect("fault: a page that is shown is in a frame");
            let allowed = self.allowed(page);
            self.map(entry, frame, allowed, out);
        }
    }

    /// Maps `frame` at `entry`, whatever was there.
    #[inline]
    pub(crate) fn map(&mut self, entry: EntryNo, frame: FrameNo, access: Option<Access>, out: &mut Effects) {
        self.entries[entry].set_now(access);
        let at = self.entries.site(entry);
        if let Some(access) = access {
            out.push(Effect::Map { at, frame, access });
        }
    }

    /// Takes the mapping of `frame` at `entry` away, if there is one.
    #[inline]
    pub(crate) fn unmap_entry(&mut self, entry: EntryNo, frame: FrameNo, out: &mut Effects) {
        if self.entries[entry].now().is_some() {
            self.entries[entry].set_now(None);
            out.push(Effect::Unmap { at: self.entries.site(entry), frame });
        }
    }

    /// Takes `frame` away from every sharer of `page`.
    #[inline]
    pub(crate) fn unmap_sharers(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        let Some(first) = self.first_sharer(&self.pages[page]) else { return };
        let mut entry = first;
        loop {
            self.unmap_entry(entry, frame, out);
            entry = self.next_sharer(entry);
            if entry == first {
                return;
            }
        }
    }

    /// Waits on `page`.
    #[inline]
    pub(crate) fn wait(&mut self, page: PageNo, waiter: Waiter) {
        let mut list = self.waiting(page);
        self.waiters.push(&mut list, waiter);
        self.set_waiting(page, list);
    }

    /// Who waits on `page`.
    #[inline]
    pub(crate) fn waiting(&self, page: PageNo) -> List {
        match self.pages[page].state() {
            State::Wanted => self.pages[page].wanted_by(),
            State::PagingIn(frame) | State::WritingBack { frame, .. } => self.frames[frame].waiting(),
            State::Free | State::Absent | State::Resident { .. } => List::EMPTY,
        }
    }

    #[inline]
    fn set_waiting(&mut self, page: PageNo, list: List) {
        match self.pages[page].state() {
            State::Wanted => self.pages[page].set_wanted_by(list),
            State::PagingIn(frame) | State::WritingBack { frame, .. } => self.frames[frame].set_waiting(list),
            State::Free | State::Absent | State::Resident { .. } => {
                unreachable!("wait: on a page that nothing is to happen to")
            }
        }
    }

    /// Takes everyone who waits on `page` off it, before its state changes to one in which nobody does.
    #[inline]
    pub(crate) fn take_waiting(&mut self, page: PageNo) -> List {
        let list = self.waiting(page);
        if !list.is_empty() {
            self.set_waiting(page, List::EMPTY);
        }
        list
    }

    /// Where the contents of `page` go when they are written, if a place is assigned.
    #[inline]
    pub(crate) fn home(&self, page: PageNo) -> Option<Home> {
        match self.pages[page].backing.kept() {
            Kept::Nowhere => None,
            Kept::Swap(block) => Some(Home::Swap(block)),
            Kept::File(slot) => {
                let (object, block) = self.objects.block(slot);
                Some(Home::Object(object, block))
            }
        }
    }

    /// Where `page` is written: its home, which a private page is given now if it has none.
    pub(crate) fn home_for_writing(&mut self, page: PageNo) -> Home {
        if !self.pages[page].backing.has_home() {
            let block = self.swap.assign();
            self.pages[page].backing.assign(block);
        }
        self.home(page).expect("page: it was assigned a home just now")
    }

    /// Nobody needs the bytes in `frame` any more: not mapped, not in flight.
    #[inline]
    pub(crate) fn empty(&mut self, frame: FrameNo, out: &mut Effects) {
        self.frames.empty(frame);
        if self.config.sharing == Sharing::Place {
            out.push(Effect::Empty { frame });
        }
    }

    /// Empties `frame` and puts it at the end of the free list.
    pub(crate) fn release(&mut self, frame: FrameNo, out: &mut Effects) {
        self.empty(frame, out);
        self.frames.put_free(frame);
    }

    /// Gives a page's number, its swap block and its place in the file index back.
    pub(crate) fn free_page(&mut self, number: PageNo, out: &mut Effects) {
        match self.pages[number].backing.kept() {
            Kept::Swap(block) => {
                self.swap.release(block);
                out.push(Effect::Release { block });
            }
            Kept::File(slot) => self.objects.remove(slot),
            Kept::Nowhere => {}
        }
        self.pages.free(number);
    }

    #[inline]
    pub(crate) fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>, out: &mut Effects) {
        out.push(Effect::Resume { who, outcome });
    }
}
