//! Where frames change hands: at the end of each step, in one function.
//!
//! A free frame goes to the demand at the head of the queue; else the policy proposes a victim: a clean one is
//! surrendered at once, a dirty one starts a write-back promised to the queue. Promised write-backs never exceed
//! the demands (with [`Event::Tick`](crate::Event::Tick), the low-water mark's frames on top; with
//! [`Event::Evict`](crate::Event::Evict), what it was asked for).
//!
//! The demand at the head is looked at again *before* a frame is taken for it: one that no longer needs its frame
//! must not cost another page its own. A frame taken from the very page that the head wants to copy is *stolen*:
//! it passes to the writer with its bytes, or a pager with one usable frame would read and evict for ever.

use crate::entry::Target;
use crate::fault::Way;
use crate::state::State;
use crate::wait::Demand;
use crate::{Denied, Effect, Effects, EntryNo, Fault, Pager};
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
            Demand::PageIn(page) => self.memory.pages[page].has_sharers(),
            Demand::Copy { fault, source } => self.copier(fault, source).is_some(),
        }
    }

    /// The entry that still wants a copy of `source`, and how.
    pub(crate) fn copier(&self, fault: Fault, source: PageNo) -> Option<(EntryNo, Way)> {
        let entry = self.memory.names(fault, Target::Page(source))?;
        let page = &self.memory.pages[source];
        page.state().readable_frame()?;
        match self.memory.way(page, entry, fault.access) {
            Way::InPlace => None,
            way @ (Way::Leave | Way::Keep) => Some((entry, way)),
        }
    }

    /// A frame that its writer is to keep, or whose site is gone, cannot change hands while it is written home.
    fn must_wait(&self, demand: Demand) -> bool {
        match demand {
            Demand::Copy { fault, source } => match self.memory.pages[source].state() {
                State::WritingBack { frame, .. } => {
                    let keep = self.copier(fault, source).is_some_and(|(_, way)| way == Way::Keep);
                    keep || self.memory.frames[frame].displaced()
                }
                State::Free | State::Absent | State::Wanted | State::PagingIn(_) | State::Resident { .. } => {
                    false
                }
            },
            Demand::Fill(_) | Demand::PageIn(_) => false,
        }
    }

    /// A page that was wanted lost its last sharer, or all who waited for it, before it got a frame.
    pub(crate) fn abandon(&mut self, page: PageNo, out: &mut Effects) {
        assert!(self.memory.pages[page].state() == State::Wanted, "demand: a page-in for a page not wanted");
        let waiting = self.memory.take_waiting(page);
        self.memory.pages[page].set_state(State::Absent);
        self.run_waiters(waiting, page, Ok(()), out);
        self.finish_dead(page, out);
    }

    /// Makes room for the head.
    #[inline]
    fn replace(&mut self, head: Demand, out: &mut Effects) -> Room {
        let incoming = match head {
            Demand::PageIn(page) => Some(page),
            Demand::Fill(_) | Demand::Copy { .. } => None,
        };
        match self.propose(incoming, out) {
            Some(victim) if self.finds_no_block(victim) => Room::Later,
            Some(victim) => self.take_victim(victim, out).map_or(Room::Changed, Room::Frame),
            None if self.memory.in_flight > 0 => Room::Later,
            None => {
                self.memory.demands.pop_front();
                self.deny(head, Denied::NoMemory, out);
                Room::Changed
            }
        }
    }

    /// Whether this victim would have to be written, and there is no block for it before some I/O is answered.
    #[inline]
    pub(crate) fn finds_no_block(&self, frame: FrameNo) -> bool {
        if !self.memory.swap.is_full() {
            return false;
        }
        let page = self.memory.page_in(frame).expect("core map: a victim has a page");
        let page = &self.memory.pages[page];
        matches!(page.state(), State::Resident { dirty: true, .. }) && !page.backing.has_home()
    }

    /// The victim's frame, if it could be had at once and was not stolen.
    #[inline]
    pub(crate) fn take_victim(&mut self, frame: FrameNo, out: &mut Effects) -> Option<FrameNo> {
        let page = self.memory.page_in(frame).expect("core map: a victim has a page");
        match self.memory.pages[page].state() {
            State::Resident { dirty: true, .. } => {
                self.write_back(page, frame, true, out);
                None
            }
            State::Resident { dirty: false, .. } => {
                let free = self.surrender(page, frame, out);
                self.free_unnamed(page, out);
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
            self.memory.pages[page].state() == State::Resident { frame, dirty: true },
            "write-back: not dirty"
        );
        let home = self.memory.home_for_writing(page);
        self.memory.pages[page].set_state(State::WritingBack { frame, promised });
        if !self.memory.frames[frame].pinned() {
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
        self.memory.empty(frame, out);
        self.leave(page);
        Some(frame)
    }

    /// The page has no frame any more. A page without a home was zeros: its entry is untouched again.
    #[inline]
    fn leave(&mut self, page: PageNo) {
        self.memory.pages[page].set_state(State::Absent);
        if !self.memory.pages[page].backing.has_home()
            && let Some(entry) = self.memory.first_sharer(&self.memory.pages[page])
        {
            self.memory.unlink(entry, page);
            self.memory.entries[entry].set_target(Target::Zero);
        }
    }

    /// Frees an absent page that no entry names.
    #[inline]
    pub(crate) fn free_unnamed(&mut self, page: PageNo, out: &mut Effects) {
        if !self.memory.pages[page].has_sharers() && self.memory.pages[page].state() == State::Absent {
            self.free_page(page, out);
        }
    }

    /// `demand`, off the queue already, will not be met.
    pub(crate) fn deny(&mut self, demand: Demand, why: Denied, out: &mut Effects) {
        match demand {
            Demand::Fill(fault) | Demand::Copy { fault, .. } => self.memory.resume(fault.who, Err(why), out),
            Demand::PageIn(page) => {
                let waiting = self.memory.take_waiting(page);
                self.memory.pages[page].set_state(State::Absent);
                self.run_waiters(waiting, page, Err(why), out);
                self.free_unnamed(page, out);
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
            if self.finds_no_block(frame) {
                return;
            }
            if let Some(frame) = self.take_victim(frame, out) {
                self.memory.frames.put_free(frame);
            }
        }
    }
}
