//! What clients are shown, and with which rights. What is not shown with the right to store is protected, also where
//! the kernel shows it by itself: a store that the core is not told of would be lost.

use crate::frames::{Bytes, Place};
use crate::machine::Machine;
use mager_linux_sys::{Failed, MemoryFile};
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

    /// Makes an entry for a page that is in its memory file, or gives the one there is other rights.
    fn raise(&mut self, at: Site, frame: FrameNo, access: Access) {
        self.lower();
        let Some((uffd, address)) = self.arenas.address(at, self.page_size) else { return };
        let (len, protect) = (self.page_size, access != Access::Write);
        let shown = match uffd.show(address, len, protect) {
            Err(Failed::Exists) if protect => uffd.protect(address, len).and(Err(Failed::Exists)),
            Err(Failed::Exists) => uffd.unprotect(address, len),
            shown => shown,
        };
        // Who was not woken by that is woken when he is resumed, and comes back if something is missing still.
        self.woken = shown.is_ok().then_some(at);
        if shown == Err(Failed::Nothing) {
            self.restore(at, frame, protect);
        }
    }

    /// The client has punched a hole where a page was, by which it said that the page is zeros.
    fn restore(&mut self, at: Site, frame: FrameNo, protect: bool) {
        let place = self.frames[frame].place();
        // Or it shows something else there, and the page is well.
        let gone = |memory: &&MemoryFile| memory.has_hole(self.offset(place), self.page_size);
        let written = self
            .memory(place)
            .filter(gone)
            .map(|memory| memory.write(self.offset(place), &self.zeros[..self.scratch.len()]));
        let Some((uffd, address)) = self.arenas.address(at, self.page_size) else { return };
        let shown = uffd.show(address, self.page_size, protect);
        // It shows something else there, which is not ours to fill.
        if !matches!(written, Some(Ok(()))) || shown == Err(Failed::Nothing) {
            self.deny(at, Denied::BadAddress);
        }
    }

    /// Protects what is to be protected.
    #[inline]
    pub(crate) fn lower(&mut self) {
        if !self.lowering.is_empty() {
            self.lowering.carry_out(&self.arenas, self.page_size);
        }
    }

    /// Before bytes come to where nobody is shown them: the kernel may show them to whoever touches them, but a store is to
    /// be told of.
    pub(crate) fn guard(&self, place: Place) {
        if let Place::Private(at) = place
            && let Some((uffd, address)) = self.arenas.address(at, self.page_size)
        {
            // Fails where nothing is mapped any more.
            let _ = uffd.protect(address, self.page_size);
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
