//! The machine: the core's effects as system calls on the clients' memory.
//!
//! ```text
//! bytes in a buffer, or zeros    Map     UFFDIO_COPY, write-protected unless Write (or while a fork is under way: `forks`)
//! bytes in the memory file       Map     UFFDIO_CONTINUE where no entry is; UFFDIO_WRITEPROTECT where one is
//! lowered                        Map     UFFDIO_WRITEPROTECT before the step is over, with its neighbours
//! shown                          Clear   the agent drops the entry when its lot is full; its protection stays
//! empty                          Empty   fallocate(PUNCH_HOLE), later, with its neighbours
//! ```
//! A page is written home from a copy taken after it was write-protected, so that what is written is what is kept.

use crate::arenas::{Arena, Arenas};
use crate::budget::{AllowanceNo, Budget};
use crate::fills::{Fill, ZERO_PAGES};
use crate::forks::Frozen;
use crate::frames::{Bytes, Frames, InFlight, Place};
use crate::holes::Holes;
use crate::lowering::Lowering;
use crate::objects::Objects;
use crate::offences::{Offence, Offences};
use crate::quotas::Quotas;
use crate::returns::Returns;
use crate::rewrites::Rewrites;
use crate::tickets::Tickets;
use mager_driver::Io;
use mager_linux_sys::MemoryFile;
use mager_pager::{Denied, Event, FrameNo, Site, Ticket};
use mager_stores::{Backing, BufferNo, Buffers};
use std::collections::VecDeque;
use std::time::Instant;

/// A flush was answered: whose, and how.
pub(crate) type Answer = (Ticket, Result<(), Denied>);

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) page_size: u64,
    pub(crate) tickets: Tickets,
    pub(crate) frames: Frames,
    pub(crate) arenas: Arenas,
    pub(crate) objects: Objects,
    pub(crate) holes: Holes,
    pub(crate) lowering: Lowering,
    pub(crate) buffers: Buffers,
    pub(crate) backing: Backing,
    pub(crate) budget: Budget,
    pub(crate) quotas: Option<Quotas>,
    pub(crate) offences: Offences,
    pub(crate) returns: Returns,
    pub(crate) rewrites: Rewrites,
    pub(crate) frozen: Frozen,
    /// The pager's CPU, as long as threads are pulled to it.
    pub(crate) near: Option<u16>,
    /// Inputs and outputs that wait for a staging buffer.
    pub(crate) queued: VecDeque<Io>,
    /// Frames whose bytes may still be in a buffer when the step is over.
    pub(crate) unplaced: Vec<FrameNo>,
    /// The site whose threads the last Map has woken.
    pub(crate) woken: Option<Site>,
    pub(crate) answers: Vec<Answer>,
    /// The threads resumed since somebody looked, and when each was.
    pub(crate) resumed: Vec<(u16, Instant)>,
    /// Answers that came while a step waited for a buffer.
    pub(crate) early: VecDeque<Event>,
    /// Packed copies of pages that are in memory take room that frames could have: they are to go.
    pub(crate) copies_go: bool,
    /// Where pages came from compressed memory while that is so.
    pub(crate) unpacked: Vec<Site>,
    pub(crate) denied: u64,
    /// What the running step reads is not to be shown before it is touched.
    pub(crate) faint: bool,
    /// The running step has begun to read a private page from the swap file.
    pub(crate) waits_for_device: bool,
    /// Pages read from the swap file.
    pub(crate) swap_reads: u64,
    /// The running step is about a page that could not be read.
    pub(crate) read_failed: bool,
    /// Inputs and outputs that failed.
    pub(crate) failures: u64,
    /// Pages in a row that could not be written.
    pub(crate) unwritten: u32,
    pub(crate) scratch: Box<[u8]>,
    pub(crate) zeros: Box<[u8]>,
    pub(crate) fills: Vec<Fill>,
}

impl Machine {
    pub(crate) fn new(
        (page_size, arena_pages, frames, swap_blocks): (u32, u32, u32, u32),
        buffers: Buffers,
        backing: Backing,
        (budget, quotas): (Budget, Option<Quotas>),
    ) -> Self {
        Machine {
            page_size: u64::from(page_size),
            tickets: Tickets::new(arena_pages),
            frames: Frames::new(frames),
            arenas: Arenas::default(),
            objects: Objects::default(),
            holes: Holes::default(),
            lowering: Lowering::default(),
            buffers,
            backing,
            budget,
            quotas,
            offences: Offences::default(),
            returns: Returns::new(),
            rewrites: Rewrites::new(swap_blocks),
            frozen: Frozen::default(),
            near: None,
            queued: VecDeque::new(),
            unplaced: Vec::new(),
            woken: None,
            answers: Vec::new(),
            resumed: Vec::new(),
            early: VecDeque::new(),
            copies_go: false,
            unpacked: Vec::new(),
            denied: 0,
            faint: false,
            waits_for_device: false,
            swap_reads: 0,
            read_failed: false,
            failures: 0,
            unwritten: 0,
            scratch: vec![0; page_size as usize].into_boxed_slice(),
            zeros: vec![0; page_size as usize * ZERO_PAGES].into_boxed_slice(),
            fills: Vec::new(),
        }
    }

    /// The memory file a place lies in.
    pub(crate) fn memory(&self, place: Place) -> Option<&MemoryFile> {
        match place {
            Place::None => None,
            Place::Private(site) => self.arenas.get(site.arena).map(|arena| &arena.memory),
            Place::Object(object, _) => self.objects.get(object).map(|object| &object.memory),
        }
    }

    pub(crate) fn offset(&self, place: Place) -> u64 {
        u64::from(place.index()) * self.page_size
    }

    fn allowance(&self, place: Place) -> Option<AllowanceNo> {
        match place {
            Place::None => None,
            Place::Private(site) => Some(self.arenas.get(site.arena)?.allowance),
            Place::Object(object, _) => Some(self.objects.get(object)?.allowance),
        }
    }

    /// Whether pages can be put at a place without exceeding the budget: holes are punched, and the kernel told.
    pub(crate) fn room(&mut self, place: Place, pages: u32) -> bool {
        self.punch_holes();
        self.allowance(place).is_some_and(|allowance| self.budget.room(allowance, pages))
    }

    /// A frame's bytes could not be put, though there was to be room: they stay where they are, and are tried again
    /// after the next step.
    pub(crate) fn not_put(&mut self, frame: FrameNo, why: &std::io::Error) {
        if why.kind() == std::io::ErrorKind::StorageFull
            && let Some(allowance) = self.allowance(self.frames[frame].place())
        {
            self.budget.suspect(allowance);
        }
        self.unplaced.push(frame);
    }

    /// Writes a frame's bytes into its memory file without showing them to anyone.
    pub(crate) fn put(&mut self, frame: FrameNo) {
        let place = self.frames[frame].place();
        if !matches!(self.frames[frame].bytes(), Bytes::Buffer(_) | Bytes::Zeros) {
            return;
        }
        if !self.room(place, 1) {
            return self.unplaced.push(frame);
        }
        self.guard(place);
        let page = match self.frames[frame].bytes() {
            Bytes::Buffer(buffer) => self.buffers.bytes(buffer),
            Bytes::Zeros => &self.zeros[..self.scratch.len()],
            Bytes::Nowhere | Bytes::Filling | Bytes::Placed => return,
        };
        match self.memory(place).map(|memory| memory.write(self.offset(place), page)) {
            Some(Ok(())) => self.placed(frame),
            Some(Err(why)) => self.not_put(frame, &why),
            None => {}
        }
    }

    pub(crate) fn placed(&mut self, frame: FrameNo) {
        if let Bytes::Buffer(buffer) = self.frames[frame].bytes() {
            self.buffers.give(buffer);
        }
        self.frames[frame].set_bytes(Bytes::Placed);
        if let Some(allowance) = self.allowance(self.frames[frame].place()) {
            self.budget.put(allowance);
        }
    }

    /// Has the agent drop the entry at `at`, which shows `frame`.
    pub(crate) fn zap(&mut self, at: Site, frame: FrameNo) {
        if self.arenas.get(at.arena).is_some_and(Arena::sends_next) {
            self.take_cleared(at.arena);
        }
        if let Some(arena) = self.arenas.get_mut(at.arena) {
            self.frames[frame].set_clearing(true);
            arena.zap((at.page.0, Some(frame)), self.near);
        }
    }

    /// A copy of the bytes of `frame`, which are in its memory file.
    pub(crate) fn copied(&mut self, frame: FrameNo) -> BufferNo {
        self.arrive();
        self.lower();
        let (place, buffer) = (self.frames[frame].place(), self.spare());
        if let Bytes::Buffer(unplaced) = self.frames[frame].bytes() {
            self.duplicate_into(unplaced, buffer);
            return buffer;
        }
        let offset = self.offset(place);
        let memory = match place {
            Place::None => None,
            Place::Private(site) => self.arenas.get(site.arena).map(|arena| &arena.memory),
            Place::Object(object, _) => self.objects.get(object).map(|object| &object.memory),
        };
        let read = memory.map(|memory| memory.read(offset, self.buffers.bytes_mut(buffer)));
        if !matches!(read, Some(Ok(()))) {
            // Whoever has the file has cut it short; what he gets for it is nothing.
            self.buffers.bytes_mut(buffer).fill(0);
            self.offences.commit(place, Offence::Cut);
        }
        buffer
    }

    /// A buffer, if need be after waiting for one to come back.
    pub(crate) fn spare(&mut self) -> BufferNo {
        if self.buffers.free() == 0 {
            self.arrive();
            self.settle();
        }
        loop {
            let none_comes = self.backing.in_flight() == 0;
            match self.buffers.take() {
                Some(buffer) => return buffer,
                // A range given up while more of it is being written than there are buffers: they come back when the core
                // has heard of the writes, which is after this call. (No more than there are frames; beyond the numbers of
                // buffers it would take 16000 threads that wait for frames.)
                None if none_comes => {
                    return self.buffers.take_extra().expect("machine: a buffer for each frame");
                }
                None => self.wait_for_an_answer(),
            }
        }
    }

    /// The frame's bytes move to the memory file of another site.
    pub(crate) fn move_to(&mut self, frame: FrameNo, at: Site) {
        self.arrive();
        self.lower();
        let from = self.frames[frame].place();
        let buffer = self.copied(frame);
        self.leave(from);
        self.went(from);
        self.came(Place::Private(at));
        let moved = &mut self.frames[frame];
        moved.set_place(Place::Private(at));
        moved.set_bytes(Bytes::Buffer(buffer));
        moved.shown = None;
        self.put(frame);
    }

    /// The bytes at `from` are elsewhere now. An arena that is being ended keeps its memory until the end of that; but
    /// what has moved needs room where it goes, of which there is no more than there are frames.
    fn leave(&mut self, from: Place) {
        let Place::Private(site) = from else { return self.holes.push(from) };
        let Some(arena) = self.arenas.get(site.arena).filter(|arena| arena.dying) else {
            return self.holes.push(from);
        };
        if arena.memory.punch(self.offset(from), self.page_size).is_ok() {
            self.budget.took(arena.allowance, 1);
        }
    }

    /// The step is over: what is to be protected is; bytes that nobody was shown go to their memory file, so that buffers
    /// come back.
    pub(crate) fn settle(&mut self) {
        self.lower();
        if self.unplaced.is_empty() {
            return;
        }
        let mut unplaced = std::mem::take(&mut self.unplaced);
        for frame in unplaced.drain(..) {
            if self.frames[frame].in_flight() == InFlight::No {
                self.put(frame);
            }
        }
        // Those that found no room are tried again.
        unplaced.append(&mut self.unplaced);
        self.unplaced = unplaced;
    }
}
