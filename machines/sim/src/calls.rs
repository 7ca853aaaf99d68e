//! Control calls: each is held against what the oracle says it must answer.

use crate::cpu::Cpu;
use crate::op::{Mapped, Name};
use crate::oracle::Expected;
use crate::world::{Flushing, World};
use mager_driver::{Control, Outcome};
use mager_pager::{Access, ArenaId, Denied, ObjectNo, Pages, Refused, VirtPage, What};

impl World {
    pub(crate) fn create(&mut self, name: Name) -> Option<()> {
        if self.arena(name).is_some() {
            return None;
        }
        let outcome = self.control(Control::Create);
        let Outcome::Arena(arena) = outcome else { panic!("control: create answers {outcome:?}") };
        self.side.oracle.create(name);
        self.begin(name, arena);
        Some(())
    }

    fn begin(&mut self, name: Name, arena: ArenaId) {
        let known = self.side.arenas.iter().flatten().any(|other| other.slot == arena.slot);
        assert!(!known, "control: arena {arena} has the slot of a living one");
        self.side.arenas[usize::from(name.0)] = Some(arena);
        self.settle();
    }

    pub(crate) fn fork(&mut self, parent: Name, child: Name) -> Option<()> {
        let arena = self.arena(parent)?;
        if self.arena(child).is_some() {
            return None;
        }
        let expected = self.side.oracle.may_fork(parent);
        let outcome = self.control(Control::Fork(arena));
        if let Outcome::Arena(id) = self.as_expected(expected.map(|()| outcome), outcome) {
            self.side.oracle.fork(parent, child);
            self.begin(child, id);
        }
        self.settle();
        Some(())
    }

    pub(crate) fn destroy(&mut self, name: Name) -> Option<()> {
        let arena = self.arena(name)?;
        let outcome = self.control(Control::Destroy(arena));
        assert!(outcome == Outcome::Done, "control: destroy answers {outcome:?}");
        self.side.oracle.destroy(name);
        self.side.machine.retire(arena);
        self.ended[usize::from(name.0)] = self.side.arenas[usize::from(name.0)].take();
        self.settle();
        Some(())
    }

    pub(crate) fn map(&mut self, name: Name, what: Mapped) -> Option<()> {
        let arena = self.arena(name)?;
        let expected = self.side.oracle.may_map(name, what);
        let call = match what {
            Mapped::Swap => Control::MapSwap(arena),
            Mapped::File(object, block) => Control::MapObject(arena, object, block),
        };
        let outcome = self.control(call);
        if let Outcome::Page(page) = self.as_expected(expected.map(Outcome::Page), outcome) {
            self.side.oracle.map(name, what, page, 1);
        }
        self.settle();
        Some(())
    }

    pub(crate) fn map_at(&mut self, name: Name, what: Mapped, start: VirtPage, count: u32) -> Option<()> {
        let arena = self.arena(name)?;
        let expected = self.side.oracle.may_map_at(name, what, start, count);
        let pages = Pages { start, count };
        let call = match what {
            Mapped::Swap => Control::MapSwapAt(arena, pages),
            Mapped::File(object, block) => Control::MapObjectAt(arena, pages, object, block),
        };
        let outcome = self.control(call);
        if self.as_expected(expected.map(|()| Outcome::Done), outcome) == Outcome::Done {
            self.side.oracle.map(name, what, start, count);
        }
        self.settle();
        Some(())
    }

    pub(crate) fn unmap(&mut self, name: Name, start: VirtPage, count: u32) -> Option<()> {
        let arena = self.arena(name)?;
        let expected = self.side.oracle.may_unmap(name, start, count);
        let outcome = self.control(Control::Unmap(arena, Pages { start, count }));
        if self.as_expected(expected.map(|()| Outcome::Done), outcome) == Outcome::Done {
            self.side.oracle.unmap(name, start, count);
        }
        self.settle();
        Some(())
    }

    pub(crate) fn discard(&mut self, name: Name, start: VirtPage, count: u32) -> Option<()> {
        let arena = self.arena(name)?;
        let expected = self.side.oracle.may_discard(name, start, count);
        if expected.is_ok() {
            // Whoever goes on in the middle of the call finds zeros.
            self.side.oracle.discard(name, start, count);
        }
        let outcome = self.control(Control::Discard(arena, Pages { start, count }));
        self.as_expected(expected.map(|()| Outcome::Done), outcome);
        self.settle();
        Some(())
    }

    /// Holds an outcome against the expected one. Reservations of dead pages still in flight are the one thing the
    /// oracle does not know.
    fn as_expected(&self, expected: Expected<Outcome>, outcome: Outcome) -> Outcome {
        let expected = expected.unwrap_or_else(Outcome::Refused);
        let no_swap = matches!(outcome, Outcome::Refused(Refused::NoSwap { .. }));
        if no_swap && self.side.machine.disk.in_flight() > 0 {
            return outcome;
        }
        assert!(outcome == expected, "control: it answers {outcome:?}, the oracle {expected:?}");
        outcome
    }

    pub(crate) fn pin(&mut self, name: Name, page: VirtPage, access: Access) -> Option<()> {
        let at = self.site(name, page)?;
        let slot = self.side.oracle.slot(name, page);
        match self.control(Control::Pin(at, access)) {
            Outcome::Frame(frame) => {
                let shown = self.side.machine.mapping(at);
                let shown = shown.is_some_and(|mapping| mapping.frame == frame && mapping.access >= access);
                assert!(slot.is_some() && shown, "control: frame {frame} is pinned at {at}, but not shown");
                self.side.oracle.pin(name, page, frame);
            }
            Outcome::Refused(_) => {}
            other => panic!("control: pin answers {other:?}"),
        }
        self.settle();
        Some(())
    }

    pub(crate) fn unpin(&mut self, name: Name, page: VirtPage) -> Option<()> {
        let at = self.site(name, page)?;
        let pinned = self.side.oracle.unpin(name, page);
        let expected = if pinned { Outcome::Done } else { Outcome::Refused(Refused::NotPinned) };
        let outcome = self.control(Control::Unpin(at));
        assert!(
            outcome == expected || !pinned && matches!(outcome, Outcome::Refused(_)),
            "control: unpin answers {outcome:?}, the oracle {expected:?}"
        );
        self.settle();
        Some(())
    }

    /// Free frames go out of circulation, as many as were asked for at most.
    pub(crate) fn withhold(&mut self, count: u32) -> Option<()> {
        let free = u32::try_from(self.driver.view().counts().free_frames).unwrap_or(u32::MAX);
        let outcome = self.control(Control::Withhold(count));
        let few = matches!(outcome, Outcome::Frames(frames) if frames <= count.min(free));
        assert!(few, "control: withhold {count} of {free} free frames answers {outcome:?}");
        self.settle();
        Some(())
    }

    /// Frames that were withheld come back, as many as were asked for if there are so many.
    pub(crate) fn restore(&mut self, count: u32) -> Option<()> {
        let expected = Outcome::Frames(count.min(self.driver.view().counts().withheld_frames));
        let outcome = self.control(Control::Restore(count));
        assert!(outcome == expected, "control: restore {count} answers {outcome:?}, not {expected:?}");
        self.settle();
        Some(())
    }

    pub(crate) fn flush(&mut self, what: Option<ObjectNo>) -> Option<()> {
        let who = self.ticket();
        let (then, failures_then) = (self.side.oracle.files.clone(), self.side.machine.disk.failures);
        self.flushing.push(Flushing { who, what, then, failures_then });
        self.control(Control::Flush(what.map_or(What::All, What::Object), who));
        self.settle();
        Some(())
    }

    /// A flush is over: what it was asked to write is on the disk, or something failed.
    pub(crate) fn flushed(&self, flush: &Flushing, outcome: Result<(), Denied>) {
        let failed = self.side.machine.disk.failures > flush.failures_then;
        if outcome.is_err() {
            return assert!(failed, "flush: #{} is denied without a reason", flush.who);
        }
        for (file, contents) in flush.then.iter().enumerate() {
            let asked = flush.what.is_none_or(|object| object.index() == file);
            if asked {
                self.is_home(file, contents, failed);
            }
        }
    }

    pub(crate) fn all_idle(&self) -> bool {
        self.side.cpus.iter().all(|cpu| *cpu == Cpu::Idle)
    }
}
