//! The machine: an MMU, physical memory and a disk. It obeys, and it notices every order no machine could obey.
//!
//! It knows nothing of the core's tables: what it asserts follows from the meaning of the effects alone.

use crate::disk::{Disk, JUNK, frame_of};
use crate::op::How;
use crate::setup::{Contents, Setup};
use mager_driver::Io;
use mager_pager::{Access, ArenaId, Event, FrameNo, Home, References, Sharing, Site, SwapBlock};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mapping {
    pub(crate) frame: FrameNo,
    pub(crate) access: Access,
    /// The machine has mislaid it: every touch faults until it is mapped again.
    pub(crate) lost: bool,
}

#[derive(Clone, Debug, Default)]
struct Table {
    generation: u32,
    slots: Vec<Option<Mapping>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flying {
    No,
    Reading,
    Writing,
}

/// What the machine knows of a frame.
#[derive(Clone, Copy, Debug)]
struct Slot {
    mapped: u32,
    writable: u32,
    flying: Flying,
    /// Where frames live at sites: filled, and not emptied since.
    filled: bool,
    /// Where frames live at sites: the site of a private page's frame.
    lives_at: Option<Site>,
    touched: bool,
}

/// Everything that is not the pager.
#[derive(Debug)]
pub struct Machine {
    sharing: Sharing,
    /// Reference bits stay until they are cleared.
    sticky: bool,
    arena_pages: u32,
    memory: Vec<Contents>,
    slots: Vec<Slot>,
    tables: Vec<Table>,
    /// The disk.
    pub disk: Disk,
}

impl Machine {
    pub(crate) fn new(setup: &Setup) -> Self {
        let slot = Slot {
            mapped: 0,
            writable: 0,
            flying: Flying::No,
            filled: false,
            lives_at: None,
            touched: false,
        };
        let mut memory = vec![JUNK; setup.frames as usize];
        if setup.sharing == Sharing::Frame {
            memory[0] = Contents::default();
        }
        Machine {
            sharing: setup.sharing,
            sticky: setup.references == References::Sticky,
            arena_pages: setup.arena_pages,
            memory,
            slots: vec![slot; setup.frames as usize],
            tables: Vec::new(),
            disk: Disk::new(setup),
        }
    }

    /// What is mapped at `at`, lost or not.
    pub(crate) fn mapping(&self, at: Site) -> Option<Mapping> {
        let table = self.tables.get(at.arena.slot as usize)?;
        (table.generation == at.arena.generation).then(|| *table.slots.get(at.page.index())?)?
    }

    /// One access by a CPU. `None`: it faults.
    pub(crate) fn touch(&mut self, at: Site, access: Access) -> Option<FrameNo> {
        let mapping = self.mapping(at)?;
        if mapping.lost || mapping.access < access {
            return None;
        }
        self.slots[mapping.frame.index()].touched = true;
        Some(mapping.frame)
    }

    pub(crate) fn bytes(&mut self, frame: FrameNo) -> &mut Contents {
        &mut self.memory[frame.index()]
    }

    /// Takes the reference bit of every frame, in order; clears it, unless it is sticky.
    pub(crate) fn harvest(&mut self) -> Vec<FrameNo> {
        let sticky = self.sticky;
        let bits = self.slots.iter_mut().map(|slot| {
            let touched = slot.touched;
            slot.touched &= sticky;
            touched
        });
        (0u32..).map(FrameNo).zip(bits).filter_map(|(frame, touched)| touched.then_some(frame)).collect()
    }

    /// The frame's bit: one, wherever it is shown.
    pub(crate) fn clear(&mut self, at: Site, frame: FrameNo) {
        let shown = self.mapping(at).map(|mapping| mapping.frame);
        assert_eq!(shown, Some(frame), "machine: {at} does not show frame {frame}, and has no bit of it");
        self.slots[frame.index()].touched = false;
    }

    pub(crate) fn touched(&self) -> impl Iterator<Item = bool> {
        self.slots.iter().map(|slot| slot.touched)
    }

    /// Every word of the frames that are in use, and of the files' blocks.
    pub(crate) fn words(&self, in_use: Vec<bool>) -> impl Iterator<Item = u64> {
        let used = self.memory.iter().zip(in_use).filter(|(_, used)| *used);
        used.flat_map(|(contents, _)| *contents).chain(self.disk.words())
    }

    pub(crate) fn lose(&mut self, at: Site) {
        if let Some(mapping) = self.slot(at) {
            mapping.lost = true;
        }
    }

    pub(crate) fn answer(&mut self, nth: usize, how: How) -> Event {
        let event = self.disk.finish(nth, how, &mut self.memory);
        if let Event::Read { frame, .. } | Event::Written { frame, .. } = event {
            self.slots[frame.index()].flying = Flying::No;
        }
        event
    }

    /// Nothing of an arena that ended may be left.
    pub(crate) fn retire(&mut self, arena: ArenaId) {
        if let Some(table) = self.tables.get_mut(arena.slot as usize) {
            let left = table.slots.iter().flatten().count();
            assert!(left == 0, "machine: {left} mappings left in arena {arena}, which has ended");
            table.generation = arena.generation + 1;
        }
    }

    pub(crate) fn mapped_in(&self, arena: ArenaId) -> usize {
        let table = self.tables.get(arena.slot as usize).filter(|table| table.generation == arena.generation);
        table.map_or(0, |table| table.slots.iter().flatten().count())
    }

    fn slot(&mut self, at: Site) -> Option<&mut Mapping> {
        let table = self.tables.get_mut(at.arena.slot as usize)?;
        (table.generation == at.arena.generation).then(|| table.slots.get_mut(at.page.index())?.as_mut())?
    }

    /// The table of a living arena: a new arena has none before its first mapping.
    fn table(&mut self, arena: ArenaId) -> &mut Table {
        let slot = arena.slot as usize;
        if slot >= self.tables.len() {
            self.tables.resize_with(slot + 1, Table::default);
        }
        let table = &mut self.tables[slot];
        assert!(table.generation <= arena.generation, "machine: arena {arena} has ended");
        table.generation = arena.generation;
        table.slots.resize(self.arena_pages as usize, None);
        table
    }

    fn set(&mut self, at: Site, mapping: Option<Mapping>) {
        let entry = &mut self.table(at.arena).slots[at.page.index()];
        let old = std::mem::replace(entry, mapping);
        if let Some(Mapping { frame, access, .. }) = old {
            self.slots[frame.index()].mapped -= 1;
            self.slots[frame.index()].writable -= u32::from(access == Access::Write);
        }
        if let Some(Mapping { frame, access, .. }) = mapping {
            self.slots[frame.index()].mapped += 1;
            self.slots[frame.index()].writable += u32::from(access == Access::Write);
        }
    }

    /// Frames that were filled and not emptied since, where frames are emptied, and swap blocks not released.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        (self.slots.iter().filter(|slot| slot.filled).count(), self.disk.unreleased())
    }

    /// New contents come into this frame, for `at` if it is private.
    fn fill(&mut self, frame: FrameNo, contents: Contents, at: Option<Site>) {
        self.must_be_idle(frame);
        let slot = &mut self.slots[frame.index()];
        assert!(!slot.filled, "machine: frame {frame} is filled again, but was not emptied");
        slot.filled = self.sharing == Sharing::Place;
        slot.lives_at = at;
        self.memory[frame.index()] = contents;
    }

    /// Whatever needs the bytes of a frame comes before it is emptied.
    fn must_be_filled(&self, frame: FrameNo) {
        let filled = self.slots[frame.index()].filled || self.sharing == Sharing::Frame;
        assert!(filled, "machine: the bytes of frame {frame} are needed, but it was emptied");
    }

    /// New contents may come into this frame.
    fn must_be_idle(&self, frame: FrameNo) {
        let slot = self.slots[frame.index()];
        assert!(slot.flying == Flying::No, "machine: frame {frame} is in flight");
        assert!(slot.mapped == 0, "machine: frame {frame} is filled, but still mapped");
        assert!(self.sharing == Sharing::Place || frame.0 != 0, "machine: the zero page is filled");
    }

    /// By place: the frame leaves the site where it lives, through a buffer.
    fn move_frame(&mut self, frame: FrameNo, at: Site) {
        assert!(self.sharing == Sharing::Place, "machine: frames do not move here");
        self.must_be_filled(frame);
        let slot = self.slots[frame.index()];
        assert!(slot.flying == Flying::No, "machine: frame {frame} moves while in flight");
        let old = slot.lives_at.expect("machine: only private frames live at a site");
        if self.mapping(old).is_some_and(|mapping| mapping.frame == frame) {
            self.set(old, None);
        }
        assert!(self.slots[frame.index()].mapped == 0, "machine: frame {frame} was mapped at two sites");
        self.slots[frame.index()].lives_at = Some(at);
    }
}

impl Machine {
    pub(crate) fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        self.must_be_filled(frame);
        let slot = self.slots[frame.index()];
        assert!(slot.flying != Flying::Reading, "machine: frame {frame} is mapped while it is read into");
        let stable = slot.flying == Flying::No || access < Access::Write;
        assert!(stable, "machine: frame {frame} is writable while it is written out");
        if self.sharing == Sharing::Place {
            let here = slot.lives_at.is_none_or(|site| site == at);
            assert!(here, "machine: frame {frame} is mapped at {at}, where it does not live");
        } else {
            assert!(frame.0 != 0 || access < Access::Write, "machine: the zero page is writable");
        }
        self.set(at, Some(Mapping { frame, access, lost: false }));
    }

    pub(crate) fn unmap(&mut self, at: Site, frame: FrameNo) {
        let (shown, slot) = (self.mapping(at).map(|mapping| mapping.frame), &self.slots[frame.index()]);
        // What is being written where it lives is kept elsewhere from now on, though that may have shown nothing.
        let leaves = shown.is_none() && slot.flying == Flying::Writing && slot.lives_at == Some(at);
        assert!(
            leaves || shown == Some(frame),
            "machine: frame {frame} is unmapped at {at}, which shows {shown:?}"
        );
        self.set(at, None);
    }

    pub(crate) fn zero(&mut self, frame: FrameNo, at: Site) {
        self.fill(frame, Contents::default(), Some(at));
    }

    pub(crate) fn copy(&mut self, from: FrameNo, to: FrameNo, at: Site) {
        if from == to {
            return self.move_frame(from, at);
        }
        self.must_be_filled(from);
        let source = self.slots[from.index()];
        assert!(source.flying != Flying::Reading, "machine: frame {from} is copied while it is read into");
        self.fill(to, self.memory[from.index()], Some(at));
    }

    /// The memory goes back: what was in it is lost.
    pub(crate) fn empty(&mut self, frame: FrameNo) {
        assert!(self.sharing == Sharing::Place, "machine: frames are not emptied here");
        self.must_be_idle(frame);
        self.must_be_filled(frame);
        let slot = &mut self.slots[frame.index()];
        (slot.filled, slot.lives_at) = (false, None);
        self.memory[frame.index()] = JUNK;
    }

    pub(crate) fn release(&mut self, block: SwapBlock) {
        self.disk.release(block);
    }

    pub(crate) fn start(&mut self, io: Io) {
        let frame = frame_of(io);
        match io {
            Io::Read { home, at, .. } => {
                self.fill(frame, JUNK, matches!(home, Home::Swap(_)).then_some(at));
                self.slots[frame.index()].flying = Flying::Reading;
            }
            Io::Write { .. } => {
                self.must_be_filled(frame);
                let slot = &mut self.slots[frame.index()];
                assert!(slot.flying == Flying::No, "machine: frame {frame} is in flight already");
                assert!(slot.writable == 0, "machine: frame {frame} is written out while it is writable");
                slot.flying = Flying::Writing;
            }
        }
        self.disk.start(io, &self.memory);
    }
}
