//! What happens when an I/O is answered, and who runs again then.

use crate::frame::Flight;
use crate::state::State;
use crate::wait::{List, Waiter};
use crate::{Denied, Effect, Effects, IoResult, Pager};
use mager_policies::{FrameNo, Gone, PageNo, Policy};

impl<P: Policy> Pager<P> {
    pub(crate) fn read_answered(&mut self, frame: FrameNo, result: IoResult, out: &mut Effects) {
        let page = self.memory.page_in(frame).expect("driver: a read answered for a free frame");
        assert!(self.memory.pages[page].state() == State::PagingIn(frame), "driver: a read answered twice");
        self.memory.in_flight -= 1;
        let waiting = self.memory.take_waiting(page);
        if result.is_ok() && self.memory.pages[page].has_sharers() {
            self.memory.pages[page].set_state(State::Resident { frame, dirty: false });
            self.admit(frame, page);
            if self.memory.frames[frame].flight() == Flight::Guessed {
                // Who waits for it references it again.
                self.memory.frames[frame].set_referenced(false);
            }
            self.settle_place(page, frame, out);
            self.run_waiters_first(waiting, page, out);
            return self.memory.show_first(page, waiting.is_empty(), out);
        }
        self.memory.release(frame, out);
        self.memory.pages[page].set_state(State::Absent);
        self.run_waiters(waiting, page, result.map_err(|_| Denied::Io), out);
        self.finish_dead(page, out);
    }

    pub(crate) fn write_answered(&mut self, frame: FrameNo, result: IoResult, out: &mut Effects) {
        let page = self.memory.page_in(frame).expect("driver: a write answered for a free frame");
        let State::WritingBack { promised, .. } = self.memory.pages[page].state() else {
            panic!("driver: a write answered twice, or never asked for");
        };
        let waiting = self.memory.take_waiting(page);
        let spoken_for = promised && self.memory.promised as usize <= self.memory.demands.len();
        self.memory.in_flight -= 1;
        self.memory.promised -= u32::from(promised);
        let pinned = self.memory.frames[frame].pinned();
        self.memory.frames.evictable += u32::from(!pinned);
        self.memory.pages[page].set_state(State::Resident { frame, dirty: result.is_err() });
        let dead = !self.memory.pages[page].has_sharers();
        match result {
            _ if dead && !self.memory.pages[page].backing.is_file() => {
                return self.bury(waiting, page, frame, out);
            }
            Ok(()) if promised && !pinned => {
                if let Some(frame) = self.surrender(page, frame, out) {
                    self.memory.frames.put_free(frame);
                }
            }
            Ok(()) => self.stay(page, frame, out),
            Err(_) => {
                self.stay(page, frame, out);
                self.break_promise(spoken_for, out);
            }
        }
        self.run_waiters(waiting, page, result.map_err(|_| Denied::Io), out);
        self.free_unnamed(page, out);
    }

    /// The page stays in its frame, with the rights that go with its state now.
    fn stay(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        self.settle_place(page, frame, out);
        self.memory.protect(page, out);
    }

    /// The write failed: the demand it was promised to is denied, and the page is kept.
    fn break_promise(&mut self, spoken_for: bool, out: &mut Effects) {
        if spoken_for && let Some(demand) = self.memory.demands.pop_front() {
            self.deny(demand, Denied::Io, out);
        }
    }

    /// A private page that nobody names any more, its I/O answered at last.
    fn bury(&mut self, waiting: List, page: PageNo, frame: FrameNo, out: &mut Effects) {
        self.retire(frame, Gone::Freed);
        self.memory.release(frame, out);
        self.memory.pages[page].set_state(State::Absent);
        self.run_waiters(waiting, page, Ok(()), out);
        self.finish_dead(page, out);
    }

    /// Frees the page if nobody names it, and returns the reservation that it held on to while in flight, if any.
    pub(crate) fn finish_dead(&mut self, page: PageNo, out: &mut Effects) {
        let dead = !self.memory.pages[page].has_sharers();
        if dead && !self.memory.pages[page].backing.is_file() {
            self.memory.swap.bury();
        }
        self.free_unnamed(page, out);
    }

    /// Where frames live at sites: if this one's site went away during the I/O, it moves to the next sharer.
    #[inline]
    fn settle_place(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        let flight = self.memory.frames[frame].flight();
        self.memory.frames[frame].set_flight(Flight::Plain);
        if flight == Flight::Displaced
            && let Some(first) = self.memory.first_sharer(&self.memory.pages[page])
        {
            out.push(Effect::Copy { from: frame, to: frame, at: self.memory.entries.site(first) });
        }
    }

    /// Everyone who waited for `page` to come in goes on. Who now needs a copy of it does not queue up again, he has
    /// had his turn: behind others, the page would be evicted before he is served, and two such would wait for ever.
    #[inline]
    fn run_waiters_first(&mut self, waiting: List, page: PageNo, out: &mut Effects) {
        let before = self.memory.demands.len();
        self.run_waiters(waiting, page, Ok(()), out);
        let new = self.memory.demands.len() - before;
        if new > 0 {
            self.memory.demands.rotate_right(new);
        }
    }

    /// Everyone `waiting`, taken off `page`, goes on: faults run again from the top, or are denied.
    #[inline]
    pub(crate) fn run_waiters(
        &mut self,
        mut waiting: List,
        page: PageNo,
        outcome: Result<(), Denied>,
        out: &mut Effects,
    ) {
        let there = self.memory.pages[page].state().readable_frame().is_some();
        while let Some(waiter) = self.memory.waiters.pop(&mut waiting) {
            match (waiter, outcome) {
                (Waiter::Flush(slot), _) => self.settle_flush(slot, outcome, out),
                (Waiter::Fault(fault), Err(why)) if !there => self.memory.resume(fault.who, Err(why), out),
                (Waiter::Fault(fault), _) => self.fault(fault, out),
            }
        }
    }

    fn settle_flush(&mut self, slot: u32, outcome: Result<(), Denied>, out: &mut Effects) {
        if let Some(flush) = self.memory.flushes.settle(slot, outcome) {
            self.memory.resume(flush.who, flush.outcome, out);
        }
    }
}
