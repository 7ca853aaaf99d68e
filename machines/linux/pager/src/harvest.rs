//! Reference bits: whether pages were touched since their entries were dropped is read from the clients' page tables, just
//! before the policy asks.
//!
//! ```text
//! Clear     the agent drops the entry, which keeps the page's protection
//! touched   the kernel shows the page again, and tells nobody: a sixth of what a fault costs
//! harvest   the entry is there: Touched, before the victims are chosen
//! ```
//! A page whose entry may not have been dropped yet counts as untouched. Where a page table may not be read the client has
//! its touches told by faults; pages of files always do.

use crate::arenas::Arenas;
use crate::frames::{Bytes, Place};
use crate::machine::Machine;
use crate::server::Server;
use mager_linux_sys::LOOKED_AT;
use mager_pager::{Access, ArenaId, Event, FrameNo, Site};

/// Looks at pages, neighbours together.
struct Looks<'a> {
    machine: &'a mut Machine,
    /// The pages that were looked at last: their arena, the first of them, and which are shown.
    last: Option<(ArenaId, u32, u32)>,
}

impl Looks<'_> {
    /// Whether the page in `frame`, unreferenced, was touched after all.
    fn touched(&mut self, frame: FrameNo) -> bool {
        let Place::Private(at) = self.machine.frames[frame].place() else { return false };
        if self.machine.frames[frame].is_clearing() {
            self.machine.take_cleared(at.arena);
        }
        let frame = &self.machine.frames[frame];
        frame.bytes() == Bytes::Placed && !frame.is_clearing() && self.shown(at)
    }

    fn shown(&mut self, at: Site) -> bool {
        let first = at.page.0 & !(LOOKED_AT - 1);
        let shown = match self.last {
            Some((arena, page, shown)) if (arena, page) == (at.arena, first) => shown,
            _ => self.machine.arenas.shown(at.arena, first, LOOKED_AT, self.machine.page_size),
        };
        self.last = Some((at.arena, first, shown));
        shown >> (at.page.0 - first) & 1 == 1
    }
}

impl Arenas {
    /// Which of these pages have an entry, as far as is known: the lowest bit is the first page's.
    pub(crate) fn shown(&self, arena: ArenaId, first: u32, count: u32, page_size: u64) -> u32 {
        let attached = self.get(arena).and_then(|arena| arena.attached.as_ref());
        let Some((attached, pagemap)) = attached.and_then(|it| Some((it, it.pagemap.as_ref()?))) else {
            return 0;
        };
        let address = attached.base + u64::from(first) * page_size;
        pagemap.present(address, page_size, count).unwrap_or(0)
    }
}

impl Machine {
    /// Frames of the arena whose entries have been dropped by now can be looked at.
    pub(crate) fn take_cleared(&mut self, arena: ArenaId) {
        if let Some(arena) = self.arenas.get_mut(arena) {
            arena.take_cleared().for_each(|frame| self.frames[frame].set_clearing(false));
        }
    }
}

impl Server {
    /// Tells the core which of the pages were touched that the next victims are taken from.
    pub(crate) fn harvest(&mut self, victims: u32) {
        if !self.harvests || victims == 0 {
            return;
        }
        let mut found = std::mem::take(&mut self.touched);
        let mut looks = Looks { machine: &mut self.machine, last: None };
        let _ = self.driver.pager().upcoming(victims, &mut |frame| {
            let touched = looks.touched(frame);
            if touched {
                found.push(frame);
            }
            touched
        });
        found.drain(..).for_each(|frame| self.tell_touched(frame));
        self.touched = found;
    }

    /// The same of one frame.
    pub(crate) fn harvest_one(&mut self, frame: FrameNo) {
        let mut looks = Looks { machine: &mut self.machine, last: None };
        if self.harvests && looks.touched(frame) {
            self.tell_touched(frame);
        }
    }

    fn tell_touched(&mut self, frame: FrameNo) {
        self.step(Event::Touched { frame, access: Access::Read });
    }
}
