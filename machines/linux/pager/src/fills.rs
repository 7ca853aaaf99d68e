//! Pages on their way to where they are shown. Neighbours go in one UFFDIO_COPY, which saves most of what a single one
//! costs: they are gathered until the pager is about to sleep, or until somebody needs one of them in its place.

use crate::frames::{Bytes, Place};
use crate::machine::Machine;
use mager_linux_sys::Failed;
use mager_pager::{Access, FrameNo, Site};
use mager_stores::BufferNo;

/// Pages of zeros at hand, to be put in one go.
pub(crate) const ZERO_PAGES: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    at: Site,
    frame: FrameNo,
    access: Access,
    /// None: zeros.
    buffer: Option<BufferNo>,
    /// It is put where it belongs, but not shown before it is touched.
    faint: bool,
}

impl Fill {
    /// Where its bytes are as long as it has not arrived.
    fn unplaced(&self) -> Bytes {
        self.buffer.map_or(Bytes::Zeros, Bytes::Buffer)
    }

    /// Whether `self`, `by` pages behind `first`, can go with it.
    fn follows(&self, first: &Fill, by: u32) -> bool {
        let source = match (first.buffer, self.buffer) {
            (None, None) => (by as usize) < ZERO_PAGES,
            (Some(BufferNo(a)), Some(BufferNo(b))) => a.checked_add(by) == Some(b),
            (None, Some(_)) | (Some(_), None) => false,
        };
        let writes = |fill: &Fill| fill.access == Access::Write;
        source
            && self.at.arena == first.at.arena
            && first.at.page.0.checked_add(by) == Some(self.at.page.0)
            && (writes(self), self.faint) == (writes(first), first.faint)
    }
}

impl Machine {
    /// Puts a private frame's bytes at `at` and shows them there, soon.
    pub(crate) fn fill(&mut self, at: Site, frame: FrameNo, access: Access) {
        let buffer = match self.frames[frame].bytes() {
            Bytes::Buffer(buffer) => Some(buffer),
            Bytes::Zeros => None,
            Bytes::Nowhere | Bytes::Filling | Bytes::Placed => {
                unreachable!("machine: nothing to fill frame {frame} with")
            }
        };
        let faint = self.frames[frame].is_faint() && access == Access::Read;
        if access == Access::Write && self.frames[frame].take_probe() {
            self.rewrites.came_out(true);
        }
        self.frames[frame].set_faint(false);
        self.fills.push(Fill { at, frame, access, buffer, faint });
        self.frames[frame].set_bytes(Bytes::Filling);
        self.frames[frame].shown = Some(access);
        self.woken = Some(at).filter(|_| !faint);
    }

    /// What has been begun to be filled last is to be written to, too, if it is this frame.
    pub(crate) fn fills_for_writing(&mut self, frame: FrameNo) -> bool {
        let Some(fill) = self.fills.last_mut().filter(|fill| fill.frame == frame) else { return false };
        fill.access = Access::Write;
        self.woken = Some(fill.at).filter(|_| !fill.faint);
        self.frames[frame].shown = Some(Access::Write);
        true
    }

    /// A page that is put where it belongs but not shown wakes nobody: who is woken for it is to find it there.
    pub(crate) fn arrive_before_waking(&mut self, at: Site) {
        if self.fills.last().is_some_and(|fill| fill.at == at) {
            self.arrive();
        }
    }

    /// Everything that is on its way arrives.
    pub(crate) fn arrive(&mut self) {
        if self.fills.is_empty() {
            return;
        }
        self.lower();
        self.punch_holes();
        let fills = std::mem::take(&mut self.fills);
        let mut rest = &fills[..];
        while let Some(first) = rest.first() {
            let count =
                rest.iter().zip(0..).take_while(|&(fill, by)| fill.follows(first, by) || by == 0).count();
            self.arrive_together(&rest[..count]);
            rest = &rest[count..];
        }
        // The last first: buffers are handed out again in the order in which they lie.
        for fill in fills.iter().rev() {
            if let Some(buffer) = fill.buffer
                && self.frames[fill.frame].bytes() != Bytes::Buffer(buffer)
            {
                self.buffers.give(buffer);
            }
        }
        self.fills = fills;
        self.fills.clear();
    }

    /// Neighbours in one go; where that does not work, each by itself.
    fn arrive_together(&mut self, run: &[Fill]) {
        let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
        if !self.room(Place::Private(run[0].at), count) {
            return run.iter().for_each(|fill| self.arrive_later(fill));
        }
        let done = self.copy_run(run);
        for (fill, number) in run.iter().zip(0..) {
            if number < done {
                self.placed(fill.frame);
            } else {
                self.arrive_alone(fill);
            }
        }
    }

    /// How many of the run are there now.
    fn copy_run(&self, run: &[Fill]) -> u64 {
        let first = &run[0];
        let Some((uffd, address)) = self.arenas.address(first.at, self.page_size) else { return 0 };
        let pages = match first.buffer {
            Some(buffer) => self.buffers.run(buffer, run.len()),
            None => &self.zeros[..run.len() * self.scratch.len()],
        };
        if first.faint {
            return self.hide_run(first, pages, run.len() as u64);
        }
        let mut done = 0;
        for _ in 0..TRIES {
            match uffd.copy(
                address + done,
                &pages[usize::try_from(done).unwrap_or(0)..],
                first.access != Access::Write,
            ) {
                Ok(()) => return run.len() as u64,
                Err(Failed::Again(more)) => done += more,
                Err(_) => break,
            }
        }
        done / self.page_size
    }

    /// Puts a run into the memory file, protected as the kernel is to show it.
    fn hide_run(&self, first: &Fill, pages: &[u8], count: u64) -> u64 {
        let (place, len) = (Place::Private(first.at), count * self.page_size);
        let Some((uffd, address)) = self.arenas.address(first.at, self.page_size) else { return 0 };
        let Some(memory) = self.memory(place) else { return 0 };
        let protect = first.access != Access::Write;
        let done = if protect { uffd.protect(address, len) } else { uffd.unprotect(address, len) };
        let hidden = done.is_ok() && memory.write(self.offset(place), pages).is_ok();
        if hidden { count } else { 0 }
    }

    /// There is no room for it, as somebody else has taken it and was not caught yet. Who waits for it asks again.
    fn arrive_later(&mut self, fill: &Fill) {
        self.frames[fill.frame].set_bytes(fill.unplaced());
        self.frames[fill.frame].shown = None;
        self.unplaced.push(fill.frame);
        if let Some((uffd, address)) = self.arenas.address(fill.at, self.page_size) {
            let _ = uffd.wake(address, self.page_size);
        }
    }

    /// Something is there that is not ours, or the mapping is not what it was: the file gets the bytes.
    fn arrive_alone(&mut self, fill: &Fill) {
        let place = Place::Private(fill.at);
        self.guard(place);
        let page = match fill.buffer {
            Some(buffer) => self.buffers.bytes(buffer),
            None => &self.zeros[..self.scratch.len()],
        };
        match self.memory(place).map(|memory| memory.write(self.offset(place), page)) {
            Some(Ok(())) => self.placed(fill.frame),
            Some(Err(why)) => {
                self.frames[fill.frame].set_bytes(fill.unplaced());
                self.not_put(fill.frame, &why);
            }
            None => self.frames[fill.frame].set_bytes(fill.unplaced()),
        }
        self.frames[fill.frame].shown = None;
        if self.frames[fill.frame].bytes() == Bytes::Placed {
            self.show(fill.at, fill.frame, fill.access);
        }
        if let Some((uffd, address)) = self.arenas.address(fill.at, self.page_size) {
            let _ = uffd.wake(address, self.page_size);
        }
    }
}

/// How often a COPY that met a changing memory map is tried again before the page is put by other means.
const TRIES: u32 = 1000;
