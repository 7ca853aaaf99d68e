//! Everything the pager knows but the policy: the tables, and the few moves that keep them in step.
//!
//! Owns rule "protections are a pure function of the page's state" ([`Memory::allowed`], [`Memory::protect`]) and
//! the circles of sharers. Decides nothing: that is for `fault`, `pump`, `answer` and `control`.

use crate::arena::Arenas;
use crate::entry::{Entries, Target};
use crate::frame::Frames;
use crate::object::Objects;
use crate::page::{Option32, Page, Pages};
use crate::pin::Pins;
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

    /// Whether exactly one entry names `page`.
    #[inline]
    pub(crate) fn sole(&self, page: &Page) -> bool {
        page.first_sharer().is_some_and(|first| self.entries[first].next == first)
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
        let (Some(first), Some(frame)) = (page.first_sharer(), page.state().readable_frame()) else { return };
        let allowed = self.allowed(page);
        let raise = self.config.sharing == Sharing::Frame;
        let mut entry = first;
        loop {
            let pte = self.entries[entry];
            let wanted = if raise { allowed } else { pte.now().min(allowed) };
            if wanted != pte.now() {
                self.map(entry, frame, wanted, out);
            }
            entry = pte.next;
            if entry == first {
                return;
            }
        }
    }

    /// Shows a page that has just come in to its sharers, unless a fault that waited for it has had that done. Sites
    /// that get no more than they are given on their own fault get it here if the page came `unasked`, ahead of any.
    #[inline]
    pub(crate) fn show_first(&mut self, page: PageNo, unasked: bool, out: &mut Effects) {
        let first = self.pages[page].first_sharer().expect("answer: a page that came in has sharers");
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
        let Some(first) = self.pages[page].first_sharer() else { return };
        let mut entry = first;
        loop {
            self.unmap_entry(entry, frame, out);
            entry = self.entries[entry].next;
            if entry == first {
                return;
            }
        }
    }

    /// Makes `entry` name `page`, as the last of its sharers.
    pub(crate) fn link(&mut self, entry: EntryNo, page: PageNo) {
        self.entries[entry].set_target(Target::Page(page));
        let Some(first) = self.pages[page].first_sharer() else {
            (self.entries[entry].next, self.entries[entry].prev) = (entry, entry);
            self.pages[page].sharers = Option32::some(entry.0);
            return;
        };
        let last = self.entries[first].prev;
        (self.entries[entry].next, self.entries[entry].prev) = (first, last);
        self.entries[last].next = entry;
        self.entries[first].prev = entry;
    }

    /// Takes `entry` out of the sharers of `page`; what it names is for the caller to say.
    pub(crate) fn unlink(&mut self, entry: EntryNo, page: PageNo) {
        let (next, prev) = (self.entries[entry].next, self.entries[entry].prev);
        if next == entry {
            self.pages[page].sharers = Option32::NONE;
            return;
        }
        self.entries[prev].next = next;
        self.entries[next].prev = prev;
        if self.pages[page].first_sharer() == Some(entry) {
            self.pages[page].sharers = Option32::some(next.0);
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

    /// Where `page` is written: its home, which a private page is given now if it has none.
    pub(crate) fn home_for_writing(&mut self, page: PageNo) -> Home {
        if self.pages[page].backing.home().is_none() {
            let block = self.swap.assign();
            self.pages[page].backing.assign(block);
        }
        self.pages[page].backing.home().expect("page: it was assigned a home just now")
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
        match self.pages[number].backing.home() {
            Some(Home::Swap(block)) => {
                self.swap.release(block);
                out.push(Effect::Release { block });
            }
            Some(Home::Object(object, block)) => self.objects.remove(object, block),
            None => {}
        }
        self.pages.free(number);
    }

    #[inline]
    pub(crate) fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>, out: &mut Effects) {
        out.push(Effect::Resume { who, outcome });
    }
}
