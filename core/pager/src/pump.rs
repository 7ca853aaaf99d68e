//! Where frames change hands: at the end of each step, in one function.
//!
//! A free frame goes to the demand at the head of the queue; else the policy proposes a victim: a clean one is
//! surrendered at once, a dirty one starts a write-back promised to the queue. Promised write-backs never exceed
//! the demands (with [`Event::Tick`](crate::Event::Tick), the low-water mark's frames on top).
//!
//! The demand at the head is looked at again *before* a frame is taken for it: one that no longer needs its frame
//! must not cost another page its own. A frame taken from the very page that the head wants to copy is *stolen*:
//! it passes to the writer with its bytes, or a pager with one usable frame would read and evict for ever.

use crate::entry::Target;
use crate::fault::Way;
use crate::page::{Backing, Option32, State};
use crate::wait::{Demand, Waiter};
use crate::{Access, Denied, Effect, Effects, EntryNo, Fault, Pager};
use mager_policies::{FrameNo, Gone, PageNo, Policy};

/// What came of making room.
enum Room {
    /// An empty frame.
    Frame(FrameNo),
    /// Nothing can be had before an I/O is answered.
    Later,
    /// The queue is not what it was: look again.
    Changed,
}

impl<P: Policy> Pager<P> {
    #[inline]
    pub(crate) fn pump(&mut self, out: &mut Effects) {
        while !self.memory.demands.is_empty() {
            let Some(demand) = self.head(out) else { return };
            let frame = match self.memory.frames.take_free() {
                Some(frame) => frame,
                None if self.all_spoken_for() => return,
                None => match self.replace(demand, out) {
                    Room::Frame(frame) => frame,
                    Room::Later => return,
                    Room::Changed => continue,
                },
            };
            self.memory.demands.pop_front();
            if self.must_wait(demand) {
                self.memory.frames.put_free(frame);
                self.run_again(demand, out);
            } else {
                self.grant(demand, frame, out);
            }
        }
    }

    fn all_spoken_for(&self) -> bool {
        self.memory.promised as usize >= self.memory.demands.len()
    }

    /// The first demand that still needs its frame; others before it run again from the top.
    #[inline]
    pub(crate) fn head(&mut self, out: &mut Effects) -> Option<Demand> {
        loop {
            let demand = *self.memory.demands.front()?;
            if self.still_needed(demand) {
                return Some(demand);
            }
            self.memory.demands.pop_front();
            self.run_again(demand, out);
        }
    }

    fn run_again(&mut self, demand: Demand, out: &mut Effects) {
        match demand {
            Demand::Fill(fault) | Demand::Copy { fault, .. } => self.fault(fault, out),
            Demand::PageIn(page) => self.abandon(page, out),
        }
    }

    #[inline]
    fn still_needed(&self, demand: Demand) -> bool {
        match demand {
            Demand::Fill(fault) => self.memory.names(fault, Target::Zero).is_some(),
            Demand::PageIn(page) => self.memory.pages[page].first_sharer().is_some(),
            Demand::Copy { fault, source } => self.copier(fault, source).is_some(),
        }
    }

    /// The entry that still wants a copy of `source`, and how.
    fn copier(&self, fault: Fault, source: PageNo) -> Option<(EntryNo, Way)> {
        let entry = self.memory.names(fault, Target::Page(source))?;
        let page = &self.memory.pages[source];
        page.state.readable_frame()?;
        match self.memory.way(page, entry, fault.access) {
            Way::InPlace => None,
            way @ (Way::Leave | Way::Keep) => Some((entry, way)),
        }
    }

    /// A frame that its writer is to keep, or whose site is gone, cannot change hands while it is written home.
    fn must_wait(&self, demand: Demand) -> bool {
        match demand {
            Demand::Copy { fault, source } => match self.memory.pages[source].state {
                State::WritingBack { frame, .. } => {
                    let keep = self.copier(fault, source).is_some_and(|(_, way)| way == Way::Keep);
                    keep || self.memory.frames[frame].displaced
                }
                State::Free | State::Absent | State::Wanted | State::PagingIn(_) | State::Resident { .. } => {
                    false
                }
            },
            Demand::Fill(_) | Demand::PageIn(_) => false,
        }
    }

    /// A page that was wanted lost its last sharer before it got a frame.
    fn abandon(&mut self, page: PageNo, out: &mut Effects) {
        assert!(self.memory.pages[page].state == State::Wanted, "demand: a page-in for a page not wanted");
        self.memory.pages[page].state = State::Absent;
        self.run_waiters(page, Ok(()), out);
        self.finish_dead(page);
    }

    /// Makes room for the head.
    #[inline]
    fn replace(&mut self, head: Demand, out: &mut Effects) -> Room {
        let incoming = match head {
            Demand::PageIn(page) => Some(page),
            Demand::Fill(_) | Demand::Copy { .. } => None,
        };
        match self.propose(incoming, out) {
            Some(victim) => self.take_victim(victim, out).map_or(Room::Changed, Room::Frame),
            None if self.memory.in_flight > 0 => Room::Later,
            None => {
                self.memory.demands.pop_front();
                self.deny(head, Denied::NoMemory, out);
                Room::Changed
            }
        }
    }

    /// The victim's frame, if it could be had at once and was not stolen.
    #[inline]
    fn take_victim(&mut self, frame: FrameNo, out: &mut Effects) -> Option<FrameNo> {
        let page = self.memory.page_in(frame).expect("core map: a victim has a page");
        match self.memory.pages[page].state {
            State::Resident { dirty: true, .. } => {
                self.write_back(page, frame, true, out);
                None
            }
            State::Resident { dirty: false, .. } => {
                let free = self.surrender(page, frame, out);
                self.free_unnamed(page);
                free
            }
            State::Free | State::Absent | State::Wanted | State::PagingIn(_) | State::WritingBack { .. } => {
                unreachable!("policy: a victim is resident")
            }
        }
    }

    /// Starts writing a dirty page home; while that goes on its contents stay as they are.
    pub(crate) fn write_back(&mut self, page: PageNo, frame: FrameNo, promised: bool, out: &mut Effects) {
        assert!(
            self.memory.pages[page].state == State::Resident { frame, dirty: true },
            "write-back: not dirty"
        );
        let home = self.memory.home_for_writing(page);
        self.memory.pages[page].state = State::WritingBack { frame, promised };
        if self.memory.frames[frame].pins == 0 {
            self.memory.frames.evictable -= 1;
        }
        self.memory.promised += u32::from(promised);
        self.memory.in_flight += 1;
        self.memory.counters.write_backs += 1;
        self.memory.protect(page, out);
        out.push(Effect::Write { frame, home });
    }

    /// A clean page leaves its frame, which is returned empty; unless the writer at the head of the queue wants a
    /// copy of just this page, and steals it.
    #[inline]
    pub(crate) fn surrender(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) -> Option<FrameNo> {
        self.memory.counters.evictions += 1;
        self.retire(frame, Gone::Evicted);
        if let Some(Demand::Copy { fault, source }) = self.memory.demands.front().copied()
            && source == page
            && let Some((entry, way)) = self.copier(fault, page)
        {
            self.memory.demands.pop_front();
            self.steal(page, frame, entry, way, fault, out);
            return None;
        }
        self.memory.unmap_sharers(page, frame, out);
        self.memory.frames.empty(frame);
        self.leave(page);
        Some(frame)
    }

    /// The page has no frame any more. A page without a home was zeros: its entry is untouched again.
    #[inline]
    fn leave(&mut self, page: PageNo) {
        self.memory.pages[page].state = State::Absent;
        if self.memory.pages[page].backing.home().is_none()
            && let Some(entry) = self.memory.pages[page].first_sharer()
        {
            self.memory.unlink(entry, page);
            self.memory.entries[entry].set_target(Target::Zero);
        }
    }

    /// Frees an absent page that no entry names.
    #[inline]
    pub(crate) fn free_unnamed(&mut self, page: PageNo) {
        if self.memory.pages[page].first_sharer().is_none() && self.memory.pages[page].state == State::Absent
        {
            self.free_page(page);
        }
    }

    /// `demand` gets `frame`, which is empty.
    fn grant(&mut self, demand: Demand, frame: FrameNo, out: &mut Effects) {
        match demand {
            Demand::Fill(fault) => self.fill(fault, frame, out),
            Demand::PageIn(page) => self.page_in(page, frame, out),
            Demand::Copy { fault, source } => self.copy(fault, source, frame, out),
        }
    }

    fn fill(&mut self, fault: Fault, frame: FrameNo, out: &mut Effects) {
        let entry = self.memory.names(fault, Target::Zero).expect("demand: looked at before it was granted");
        let dirty = fault.access == Access::Write;
        let page = self.memory.pages.add(Backing::PRIVATE, State::Resident { frame, dirty });
        self.memory.counters.zero_fills += 1;
        self.memory.frames.hold(frame, page);
        self.memory.link(entry, page);
        out.push(Effect::Zero { frame, at: fault.at });
        self.admit(frame, page);
        let allowed = self.memory.allowed(&self.memory.pages[page]);
        self.memory.map(entry, frame, allowed, out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    #[inline]
    fn page_in(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        assert!(self.memory.pages[page].state == State::Wanted, "demand: a page-in for a page not wanted");
        let home = self.memory.pages[page].backing.home().expect("page: an absent page has a home");
        let entry = self.memory.first_waiting_sharer(page);
        self.memory.pages[page].sharers = Option32::some(entry.0);
        self.memory.pages[page].state = State::PagingIn(frame);
        self.memory.frames.hold(frame, page);
        self.memory.in_flight += 1;
        self.memory.counters.page_ins += 1;
        out.push(Effect::Read { frame, home, at: self.memory.entries.site(entry) });
    }

    fn copy(&mut self, fault: Fault, source: PageNo, to: FrameNo, out: &mut Effects) {
        let (entry, way) = self.copier(fault, source).expect("demand: looked at before it was granted");
        let from = self.memory.pages[source].state.readable_frame().expect("copy: the source is in a frame");
        self.memory.counters.copies += 1;
        self.memory.unlink(entry, source);
        let own = match way {
            Way::Leave => {
                out.push(Effect::Copy { from, to, at: fault.at });
                self.new_owner(entry, to)
            }
            Way::Keep => self.keep(entry, source, from, to, out),
            Way::InPlace => unreachable!("copy: no copy is needed in place"),
        };
        self.finish_copy(entry, own, fault, out);
        self.memory.protect(source, out);
    }

    /// The writer keeps `from`; the other sharers' page moves to `to`, at the first of them.
    fn keep(
        &mut self,
        entry: EntryNo,
        source: PageNo,
        from: FrameNo,
        to: FrameNo,
        out: &mut Effects,
    ) -> PageNo {
        let State::Resident { dirty, .. } = self.memory.pages[source].state else {
            unreachable!("copy: a page in flight is not kept")
        };
        let first = self.memory.pages[source].first_sharer().expect("copy: a shared page has other sharers");
        out.push(Effect::Copy { from, to, at: self.memory.entries.site(first) });
        self.retire(from, Gone::Freed);
        let own = self.memory.pages.add(Backing::PRIVATE, State::Resident { frame: from, dirty: true });
        self.memory.frames.rename(from, own);
        self.memory.link(entry, own);
        self.memory.pages[source].state = State::Resident { frame: to, dirty };
        self.memory.frames.hold(to, source);
        self.admit(to, source);
        self.admit(from, own);
        own
    }

    /// A new private page for `entry` in `frame`, which has its bytes already.
    fn new_owner(&mut self, entry: EntryNo, frame: FrameNo) -> PageNo {
        let own = self.memory.pages.add(Backing::PRIVATE, State::Resident { frame, dirty: true });
        self.memory.frames.hold(frame, own);
        self.memory.link(entry, own);
        self.admit(frame, own);
        own
    }

    fn finish_copy(&mut self, entry: EntryNo, own: PageNo, fault: Fault, out: &mut Effects) {
        let page = self.memory.pages[own];
        let frame = page.state.readable_frame().expect("copy: the copy is in a frame");
        let allowed = self.memory.allowed(&page);
        self.memory.map(entry, frame, allowed, out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    /// `page`, clean, loses `frame` to the writer at `entry`, with the bytes in it.
    fn steal(
        &mut self,
        page: PageNo,
        frame: FrameNo,
        entry: EntryNo,
        way: Way,
        fault: Fault,
        out: &mut Effects,
    ) {
        self.memory.counters.steals += 1;
        let place = self.memory.by_place(&self.memory.pages[page]);
        let lives_at = self.memory.pages[page].first_sharer();
        self.memory.unlink(entry, page);
        if place && (way == Way::Leave || self.memory.frames[frame].displaced) {
            let old = lives_at.expect("steal: a shared page lives at a site");
            self.memory.entries[old].set_now(None);
            out.push(Effect::Copy { from: frame, to: frame, at: fault.at });
        }
        self.memory.unmap_sharers(page, frame, out);
        self.memory.frames.empty(frame);
        self.memory.pages[page].state = State::Absent;
        let own = self.new_owner(entry, frame);
        self.finish_copy(entry, own, fault, out);
    }

    /// `demand`, off the queue already, will not be met.
    pub(crate) fn deny(&mut self, demand: Demand, why: Denied, out: &mut Effects) {
        match demand {
            Demand::Fill(fault) | Demand::Copy { fault, .. } => self.memory.resume(fault.who, Err(why), out),
            Demand::PageIn(page) => {
                self.memory.pages[page].state = State::Absent;
                self.run_waiters(page, Err(why), out);
                self.free_unnamed(page);
            }
        }
    }

    /// Works ahead: frees frames up to the low-water mark, as far as no demand needs them.
    pub(crate) fn tick(&mut self, out: &mut Effects) {
        self.policy.tick();
        for _ in 0..self.memory.config.low_water {
            let coming = self.memory.frames.free_count() + self.memory.promised as usize;
            if coming >= self.memory.demands.len() + self.memory.config.low_water as usize {
                return;
            }
            let Some(frame) = self.propose(None, out) else { return };
            if let Some(frame) = self.take_victim(frame, out) {
                self.memory.frames.put_free(frame);
            }
        }
    }
}

impl crate::memory::Memory {
    /// The entry a fault is at, if it still shows `target`.
    fn names(&self, fault: Fault, target: Target) -> Option<EntryNo> {
        let chunk = self.arenas.get(fault.at.arena)?.chunk(fault.at.page)?;
        let entry = crate::entry::Entries::at(chunk, fault.at.page);
        (self.entries[entry].target() == target).then_some(entry)
    }

    /// The sharer a page is read in for: the first that waits for it, else the first there is.
    #[inline]
    fn first_waiting_sharer(&self, page: PageNo) -> EntryNo {
        let first = self.pages[page].first_sharer().expect("demand: looked at before it was granted");
        if self.entries[first].next == first {
            return first;
        }
        let waiting = self.waiters.iter(self.pages[page].waiters).find_map(|waiter| match waiter {
            Waiter::Fault(fault) => self.names(fault, Target::Page(page)),
            Waiter::Flush(_) => None,
        });
        waiting.unwrap_or(first)
    }
}
