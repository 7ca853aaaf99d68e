//! What clients are shown, and with which rights. What is not shown with the right to store is protected, also where
//! the kernel shows it by itself: a store that the core is not told of would be lost.

use crate::frames::{Bytes, Place};
use crate::machine::Machine;
use crate::offences::Offence;
use mager_linux_sys::{Failed, Userfault};
use mager_pager::{Access, ArenaId, Denied, FrameNo, Site};

impl Machine {
    /// Shows what is in the memory file with these rights, whatever was shown before.
    pub(crate) fn show(&mut self, at: Site, frame: FrameNo, access: Access) {
        let Some((uffd, address)) = self.arenas.address(at, self.page_size) else { return };
        let private = matches!(self.frames[frame].place(), Place::Private(_));
        let before = if private { self.frames[frame].shown } else { None };
        if access == Access::Write && self.frames[frame].take_probe() {
            self.rewrites.came_out(true);
        }
        match (before, access) {
            (_, Access::Trap) => unreachable!("machine: reference bits are not trapped here"),
            (Some(Access::Write), Access::Read) => self.lowering.push(at),
            (Some(Access::Read), Access::Write) if self.lowering.is_empty() => {
                self.woken = uffd.unprotect(address, self.page_size).is_ok().then_some(at);
            }
            (_, access) => self.raise(at, frame, access),
        }
        self.frames[frame].shown = Some(access);
    }

    /// Makes entries for a page that is in its memory file, or gives those there are other rights.
    fn raise(&mut self, at: Site, frame: FrameNo, access: Access) {
        self.lower();
        let Some((uffd, address)) = self.arenas.address(at, self.page_size) else { return };
        let protect = access != Access::Write;
        let shown = show_parts(uffd, address, self.page_size, protect);
        // Who was not woken by that is woken when he is resumed, and comes back if something is missing still.
        self.woken = shown.is_ok().then_some(at);
        if shown == Err(Failed::Nothing) {
            self.restore(at, frame, protect);
        }
    }

    /// The client has punched a hole where a page was, by which it said that what was there is zeros.
    fn restore(&mut self, at: Site, frame: FrameNo, protect: bool) {
        let written = self.fill_holes(self.frames[frame].place());
        let Some((uffd, address)) = self.arenas.address(at, self.page_size) else { return };
        let shown = show_parts(uffd, address, self.page_size, protect);
        // It shows something else there, which is not ours to fill.
        if !written || shown == Err(Failed::Nothing) {
            self.deny(at, Denied::BadAddress);
        }
    }

    /// Writes zeros where a page has none of its bytes. Whether there were such places, and all are filled.
    fn fill_holes(&self, place: Place) -> bool {
        let (Some(memory), part) = (self.memory(place), part(self.page_size)) else { return false };
        let zeros = &self.zeros[..usize::try_from(part).unwrap_or(0)];
        let parts = (0..self.page_size / part).map(|number| self.offset(place) + number * part);
        let mut holes = parts.filter(|&offset| memory.has_hole(offset, part)).peekable();
        holes.peek().is_some() && holes.all(|offset| memory.write(offset, zeros).is_ok())
    }

    /// Whether a private page of this site is in the arena's memory.
    pub(crate) fn is_there(&mut self, at: Site) -> bool {
        self.punch_holes();
        let (memory, offset) = (self.memory(Place::Private(at)), self.offset(Place::Private(at)));
        memory.is_some_and(|memory| !memory.has_hole(offset, self.page_size))
    }

    /// Protects what is to be protected.
    #[inline]
    pub(crate) fn lower(&mut self) {
        if !self.lowering.is_empty() {
            let refused = self.lowering.carry_out(&self.arenas, self.page_size);
            let refused = refused.into_iter().map(Place::Private);
            refused.for_each(|place| self.offences.commit(place, Offence::NotProtected));
        }
    }

    /// Before bytes come to where nobody is shown them: the kernel may show them to whoever touches them, but a store is to
    /// be told of.
    pub(crate) fn guard(&mut self, place: Place) {
        if let Place::Private(at) = place {
            self.lowering.push(at);
            self.lower();
        }
    }

    /// An arena's client shows its memory from now on, in which pages may lie already: see [`Machine::guard`].
    pub(crate) fn guard_all(&mut self, arena: ArenaId) {
        if self.arenas.get(arena).is_some_and(|arena| arena.memory.held().is_ok_and(|bytes| bytes == 0)) {
            return;
        }
        let placed = self.frames.iter().filter(|frame| frame.bytes() == Bytes::Placed);
        for frame in placed {
            if let Place::Private(at) = frame.place()
                && at.arena == arena
            {
                self.lowering.push(at);
            }
        }
        self.lower();
    }
}

/// The kernel has an entry for each of its own pages in one of ours, and some may be there already.
fn show_parts(uffd: &Userfault, address: u64, len: u64, protect: bool) -> Result<(), Failed> {
    let (mut done, mut any_there) = (0, false);
    while done < len {
        match uffd.show(address + done, len - done, protect) {
            Ok(()) => break,
            Err(Failed::Again(more)) if more > 0 => done += more,
            Err(Failed::Exists) => (done, any_there) = (done + part(len), true),
            Err(why) => return Err(why),
        }
    }
    match (any_there, protect) {
        (false, _) => Ok(()),
        (true, true) => uffd.protect(address, len).and(Err(Failed::Exists)),
        (true, false) => uffd.unprotect(address, len),
    }
}

/// What the kernel shows by itself of a page of this size.
fn part(page_size: u64) -> u64 {
    page_size.min(rustix::param::page_size() as u64)
}
