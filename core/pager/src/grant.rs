//! What a granted demand does with its frame: fill it, read into it, or copy into it; and how a frame is stolen.
//!
//! Each is finished here by its kind. Whether the demand still needs the frame was looked at just before, in `pump`.

use crate::entry::Target;
use crate::fault::Way;
use crate::page::Backing;
use crate::state::State;
use crate::wait::{Demand, Waiter};
use crate::{Access, Effect, Effects, EntryNo, Fault, Pager};
use mager_policies::{FrameNo, Gone, PageNo, Policy};

impl<P: Policy> Pager<P> {
    /// `demand` gets `frame`, which is empty.
    pub(crate) fn grant(&mut self, demand: Demand, frame: FrameNo, out: &mut Effects) {
        match demand {
            Demand::Fill(fault) => self.fill(fault, frame, out),
            Demand::PageIn(page) => self.page_in(page, frame, out),
            Demand::Copy { fault, source } => self.copy(fault, source, frame, out),
        }
    }

    fn fill(&mut self, fault: Fault, frame: FrameNo, out: &mut Effects) {
        let entry = self.memory.names(fault, Target::Zero).expect("demand: looked at before it was granted");
        self.fill_with_zeros(entry, fault.access, frame, out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    /// `entry`, untouched, gets a page of zeros in `frame`: dirty if it is to be written.
    pub(crate) fn fill_with_zeros(
        &mut self,
        entry: EntryNo,
        access: Access,
        frame: FrameNo,
        out: &mut Effects,
    ) {
        let dirty = access == Access::Write;
        let page = self.memory.pages.add(Backing::PRIVATE, State::Resident { frame, dirty });
        self.memory.counters.zero_fills += 1;
        self.memory.frames.hold(frame, page);
        self.memory.link(entry, page);
        out.push(Effect::Zero { frame, at: self.memory.entries.site(entry) });
        self.admit(frame, page);
        let allowed = self.memory.allowed(&self.memory.pages[page]);
        self.memory.map(entry, frame, allowed, out);
    }

    #[inline]
    fn page_in(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        assert!(self.memory.pages[page].state() == State::Wanted, "demand: a page-in for a page not wanted");
        let entry = self.memory.first_waiting_sharer(page);
        self.read_into(page, entry, frame, out);
    }

    /// Starts reading `page`, which is in no frame, into `frame`: for `entry`, where a frame by place will live.
    #[inline]
    pub(crate) fn read_into(&mut self, page: PageNo, entry: EntryNo, frame: FrameNo, out: &mut Effects) {
        let home = self.memory.home(page).expect("page: an absent page has a home");
        self.memory.make_first(entry, page);
        let waiting = self.memory.take_waiting(page);
        self.memory.pages[page].set_state(State::PagingIn(frame));
        self.memory.frames.hold(frame, page);
        self.memory.frames[frame].set_waiting(waiting);
        self.memory.in_flight += 1;
        self.memory.counters.page_ins += 1;
        out.push(Effect::Read { frame, home, at: self.memory.entries.site(entry) });
    }

    fn copy(&mut self, fault: Fault, source: PageNo, to: FrameNo, out: &mut Effects) {
        let (entry, way) = self.copier(fault, source).expect("demand: looked at before it was granted");
        let from =
            self.memory.pages[source].state().readable_frame().expect("copy: the source is in a frame");
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
        let State::Resident { dirty, .. } = self.memory.pages[source].state() else {
            unreachable!("copy: a page in flight is not kept")
        };
        let first = self
            .memory
            .first_sharer(&self.memory.pages[source])
            .expect("copy: a shared page has other sharers");
        out.push(Effect::Copy { from, to, at: self.memory.entries.site(first) });
        self.retire(from, Gone::Freed);
        let own = self.memory.pages.add(Backing::PRIVATE, State::Resident { frame: from, dirty: true });
        self.memory.frames.rename(from, own);
        self.memory.link(entry, own);
        self.memory.pages[source].set_state(State::Resident { frame: to, dirty });
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
        let frame = page.state().readable_frame().expect("copy: the copy is in a frame");
        let allowed = self.memory.allowed(&page);
        self.memory.map(entry, frame, allowed, out);
        self.memory.resume(fault.who, Ok(()), out);
    }

    /// `page`, clean, loses `frame` to the writer at `entry`, with the bytes in it.
    pub(crate) fn steal(
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
        let lives_at = self.memory.first_sharer(&self.memory.pages[page]);
        self.memory.unlink(entry, page);
        if place && (way == Way::Leave || self.memory.frames[frame].displaced()) {
            let old = lives_at.expect("steal: a shared page lives at a site");
            self.memory.entries[old].set_now(None);
            out.push(Effect::Copy { from: frame, to: frame, at: fault.at });
        }
        self.memory.unmap_sharers(page, frame, out);
        self.memory.frames.empty(frame);
        self.memory.pages[page].set_state(State::Absent);
        let own = self.new_owner(entry, frame);
        self.finish_copy(entry, own, fault, out);
    }
}

impl crate::memory::Memory {
    /// The entry a fault is at, if it still shows `target`.
    pub(crate) fn names(&self, fault: Fault, target: Target) -> Option<EntryNo> {
        let chunk = self.arenas.get(fault.at.arena)?.chunk(fault.at.page)?;
        let entry = crate::entry::Entries::at(chunk, fault.at.page);
        (self.target(entry) == target).then_some(entry)
    }

    /// The sharer a page is read in for: the first that waits for it, else the first there is.
    #[inline]
    fn first_waiting_sharer(&self, page: PageNo) -> EntryNo {
        let first = self.first_sharer(&self.pages[page]).expect("demand: looked at before it was granted");
        if self.sole(&self.pages[page]) {
            return first;
        }
        let waiting = self.waiters.iter(self.waiting(page)).find_map(|waiter| match waiter {
            Waiter::Fault(fault) => self.names(fault, Target::Page(page)),
            Waiter::Flush(_) => None,
        });
        waiting.unwrap_or(first)
    }
}
