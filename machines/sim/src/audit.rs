//! What must be true between any two steps, and what must be left when everything is over.

use crate::cpu::Cpu;
use crate::disk::Block;
use crate::op::{CpuNo, How, Mapped, Name};
use crate::setup::{Contents, NAMES};
use crate::world::{Stats, World, policy};
use mager_pager::{BlockNo, Counts, Home, ObjectNo, Pager, Shown, Site, VirtPage};

/// Rounds in which everything must have come to rest; far more than any world needs.
const ROUNDS: u32 = 10_000;

impl World {
    /// Every invariant of the core, and the machine's tables against the core's.
    pub fn audit(&mut self) {
        self.side.stats.checks += 1;
        self.driver.pager().check();
        for name in (0..NAMES).map(Name) {
            if self.arena(name).is_some() {
                self.audit_arena(name);
            }
        }
        let nothing_flies = self.side.machine.disk.in_flight() == 0 && self.side.resumed.is_empty();
        let waits = self.side.cpus.iter().any(|cpu| matches!(cpu, Cpu::Waiting(..)));
        assert!(!nothing_flies || !waits, "liveness: a CPU waits, but nothing is in flight");
    }

    fn audit_arena(&self, name: Name) {
        let Some(arena) = self.arena(name) else { return };
        let view = self.driver.view();
        if !view.lives(arena) {
            return;
        }
        let mut mapped = 0;
        for page in (0..self.setup.arena_pages).map(VirtPage) {
            let at = Site { arena, page };
            let core = view.pte(at).and_then(|pte| Some((pte.frame?, pte.access?)));
            let machine = self.side.machine.mapping(at).map(|mapping| (mapping.frame, mapping.access));
            assert!(core == machine, "machine: {at} shows {machine:?}, the core believes {core:?}");
            mapped += usize::from(machine.is_some());
        }
        assert!(mapped == self.side.machine.mapped_in(arena), "machine: mappings outside arena {arena}");
        self.audit_pins(name);
    }

    fn audit_pins(&self, name: Name) {
        let Some(space) = self.side.oracle.space(name) else { return };
        for pin in &space.pins {
            let Some(at) = self.site(name, pin.page) else { continue };
            let shown = self.side.machine.mapping(at).map(|mapping| mapping.frame);
            assert!(shown == Some(pin.frame), "pin: {at} was pinned in {}, but shows {shown:?}", pin.frame);
        }
    }

    pub(crate) fn is_shared(&self, at: Site) -> bool {
        let view = self.driver.view();
        let Some(Shown::Page(page)) = view.pte(at).map(|pte| pte.shown) else { return false };
        view.page(page).is_some_and(|page| page.sharers.len() > 1)
    }

    /// Every block of a file is at least as new on the disk as `then`, unless the disk lied about it, or tore it
    /// (`torn`: that may be so) with a later write.
    pub(crate) fn is_home(&self, file: usize, then: &[Contents], torn: bool) {
        let object = ObjectNo(u32::try_from(file).expect("few files"));
        for (block, then) in (0u32..).map(BlockNo).zip(then) {
            let there = match self.side.machine.disk.block(Home::Object(object, block)) {
                Some(Block::Holds(now)) => now.iter().zip(then).all(|(now, then)| now >= then),
                Some(Block::Bad { lied }) => lied || torn,
                Some(Block::Fresh) | None => true,
            };
            assert!(
                there,
                "flush: block {block} of file {object} is older on the disk than when it was asked for"
            );
        }
    }

    /// Answers everything, oldest first, and lets every CPU end its access.
    pub fn come_to_rest(&mut self) {
        let eager = std::mem::replace(&mut self.side.eager, true);
        for _ in 0..ROUNDS {
            if self.answer_oldest(How::Fine) {
                continue;
            }
            if let Some(cpu) = self.next_ready() {
                self.run_cpu(cpu);
            } else {
                break;
            }
        }
        self.side.eager = eager;
        assert!(self.all_idle(), "liveness: {:?} did not come to rest", self.side.cpus);
        assert!(
            self.flushing.is_empty() && self.nobodys.is_empty(),
            "liveness: a fault or flush was forgotten"
        );
        assert!(self.side.machine.disk.in_flight() == 0, "liveness: I/O goes on for ever");
    }

    fn next_ready(&self) -> Option<CpuNo> {
        let ready = |cpu: &Cpu| matches!(cpu, Cpu::Ready(_));
        Some(CpuNo(u8::try_from(self.side.cpus.iter().position(ready)?).expect("few CPUs")))
    }

    /// Ends the run: everything comes to rest, is read once more, is flushed and goes; nothing may be left.
    pub fn finish(&mut self) -> Stats {
        self.next_how = How::Fine;
        if let Some(lines) = &mut self.driver.recorder.story {
            lines.push("the end: all comes to rest, is read once more, flushed, and goes; ghosts too".into());
        }
        self.come_to_rest();
        self.restore(u32::MAX);
        self.come_to_rest();
        self.audit();
        self.read_everything();
        self.unpin_everything();
        self.flush(None);
        self.come_to_rest();
        self.disk_is_up_to_date();
        (0..NAMES).map(Name).filter_map(|name| self.destroy(name)).for_each(drop);
        self.come_to_rest();
        self.audit();
        self.nothing_is_left();
        self.drive_out_ghosts();
        self.replay();
        self.stats()
    }

    fn read_everything(&mut self) {
        for name in (0..NAMES).map(Name) {
            for page in (0..self.setup.arena_pages).map(VirtPage) {
                if self.side.oracle.slot(name, page).is_some() {
                    self.cpu_touch(CpuNo(0), name, page, mager_pager::Access::Read, 0);
                    self.come_to_rest();
                }
            }
        }
    }

    fn unpin_everything(&mut self) {
        for name in (0..NAMES).map(Name) {
            while let Some(pin) = self.side.oracle.space(name).and_then(|space| space.pins.first().copied()) {
                self.unpin(name, pin.page);
            }
        }
    }

    fn disk_is_up_to_date(&self) {
        for (file, contents) in self.side.oracle.files.iter().enumerate() {
            self.is_home(file, contents, false);
        }
    }

    /// With the last arena gone only ghosts are left, each with its frame and its object.
    fn nothing_is_left(&mut self) {
        let counts = self.driver.view().counts();
        let ghosts = counts.file_pages;
        let expected = Counts {
            arenas: 0,
            pages: ghosts,
            file_pages: ghosts,
            objects: counts.objects.min(ghosts as usize),
            free_frames: (self.setup.config().usable_frames() - ghosts) as usize,
            withheld_frames: 0,
            pinned_frames: 0,
            swap_reserved: 0,
            swap_assigned: 0,
            waiting: 0,
            demands: 0,
            flushes: 0,
            promised: 0,
            in_flight: 0,
        };
        assert!(counts == expected, "leak: at the end there is {counts:?}");
        let by_place = self.setup.sharing == mager_pager::Sharing::Place;
        let held = if by_place { ghosts as usize } else { 0 };
        let in_use = self.side.machine.in_use();
        assert!(in_use == (held, 0), "leak: (frames not emptied, swap blocks not released) is {in_use:?}");
        assert!(ghosts > 0 || counts.objects == 0, "leak: objects without pages: {counts:?}");
    }

    /// Ghosts go too, once their frames are needed: the others are pinned, so that no policy can spare them.
    fn drive_out_ghosts(&mut self) {
        let usable = self.setup.config().usable_frames();
        if self.setup.swap_blocks < usable || self.setup.arena_pages < usable {
            return;
        }
        self.create(Name(0));
        for page in (0..usable).map(VirtPage) {
            self.map(Name(0), Mapped::Swap);
            self.cpu_touch(CpuNo(0), Name(0), page, mager_pager::Access::Write, 0);
            self.come_to_rest();
            self.pin(Name(0), page, mager_pager::Access::Write);
        }
        self.destroy(Name(0));
        self.come_to_rest();
        let counts = self.driver.view().counts();
        assert!(counts.pages == 0 && counts.objects == 0, "leak: when ghosts are gone there is {counts:?}");
    }

    fn replay(&mut self) {
        if self.watch.replay {
            let pager =
                Pager::new(self.setup.config(), policy(&self.setup)).expect("setup: it was possible before");
            self.driver.recorder.replay(pager);
        }
    }
}
