//! Faults into the core, answers after them, and work ahead of them.

use crate::ahead::Window;
use crate::elastic::Pressure;
use crate::frames::Place;
use crate::requests::No;
use crate::server::Server;
use mager_driver::{Control, Outcome, Paging};
use mager_linux_sys::{Fault, FaultKind};
use mager_pager::{Access, ArenaId, Event, Site, VirtPage};
use rustix::event::epoll::{self, EventFlags};
use std::time::Instant;

/// Frames kept free are freed in so many lots.
const LOTS: usize = 4;

/// Faults whose reads are handed to the device together. (All at once: 5 to 12% fewer page-ins by eight threads.)
const TOGETHER: usize = 2;

/// Bytes that come in with a first touch, as long as half of the frames are free.
const AROUND: u32 = 64 << 10;

impl Server {
    pub(crate) fn control(&mut self, call: Control) -> Result<Outcome, No> {
        (self.machine.woken, self.machine.read_failed) = (None, false);
        // Answers are taken in when everything that belongs to the call is done.
        let outcome = self.driver.call(call, &mut self.machine);
        self.machine.arrive();
        self.machine.settle();
        match outcome {
            Outcome::Refused(why) => Err(why.into()),
            done => Ok(done),
        }
    }

    pub(crate) fn step(&mut self, event: Event) {
        self.machine.woken = None;
        self.machine.waits_for_device = false;
        self.machine.returns.evictions = self.driver.view().counters().evictions;
        self.machine.read_failed = matches!(event, Event::Read { result: Err(_), .. });
        self.driver.step(event, &mut self.machine);
        self.machine.settle();
        if self.machine.caught() {
            self.expel_offenders();
        }
    }

    /// Takes the faults of the arena in this slot, and says whether there were any.
    pub(crate) fn faulted(&mut self, slot: u64, flags: EventFlags) -> bool {
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        let Some(arena) = self.machine.arenas.in_slot(slot) else { return false };
        let mut faults = std::mem::take(&mut self.faults);
        faults.clear();
        let read = match self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref()) {
            Some(attached) => attached.uffd.read(&mut faults).map(|_| attached.base),
            None => return false,
        };
        match read {
            Ok(base) => {
                self.machine.count_faults(arena, faults.len());
                self.noticed = Instant::now();
                self.take(arena, base, &faults, self.noticed);
            }
            Err(_) => self.deaf(arena),
        }
        let any = !faults.is_empty();
        self.faults = faults;
        if self.machine.caught() {
            self.expel_offenders();
        }
        if flags.contains(EventFlags::HUP) || flags.contains(EventFlags::ERR) {
            self.deaf(arena);
        }
        any
    }

    /// The device begins with what the first of many wait for while the others are looked at.
    fn take(&mut self, arena: ArenaId, base: u64, faults: &[Fault], now: Instant) {
        let mut lots = faults.chunks(TOGETHER).peekable();
        while let Some(lot) = lots.next() {
            lot.iter().for_each(|fault| self.fault(arena, base, fault, now));
            if lots.peek().is_some() {
                self.machine.backing.wait_for_lone_reads(false);
                self.machine.submit();
            }
        }
    }

    /// An arena's userfaultfd says nothing any more: its process is ending.
    fn deaf(&mut self, arena: ArenaId) {
        if let Some(attached) = self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref()) {
            let _ = epoll::delete(&self.epoll, &attached.uffd);
        }
    }

    pub(crate) fn fault(&mut self, arena: ArenaId, base: u64, fault: &Fault, now: Instant) {
        if !self.machine.frozen.is_empty() && self.hold(arena, fault) {
            return;
        }
        let page = fault.address.wrapping_sub(base) / u64::from(self.options.page_size);
        let Ok(page) = u32::try_from(page) else { return };
        let at = Site { arena, page: VirtPage(page) };
        if self.machine.quotas.is_some() && self.waits_for_room(at, fault) {
            return;
        }
        let access = if fault.write { Access::Write } else { Access::Read };
        let (most_ahead, around) = (self.most_ahead(arena), if fault.write { self.around() } else { 1 });
        // In a frame, or on its way there: nothing new to any thread, but for what it confirms.
        let there = fault.kind == FaultKind::Minor || self.driver.view().frame_at(at).is_some();
        let (thread, guesses) = self.threads.fault(fault.thread, now);
        let new = fault.kind != FaultKind::Protected && (!there || guesses.confirmed(arena.slot, page));
        let ahead = if new && self.machine.frozen.is_empty() {
            guesses.streams.fault(arena.slot, page, most_ahead, around)
        } else {
            None
        };
        self.machine.asked(arena);
        if self.free_frames() == 0 {
            self.harvest(1);
        }
        self.machine.frozen.but = (fault.write && self.machine.frozen.by(arena, fault.thread)).then_some(at);
        let who = self.machine.tickets.fault(at, thread);
        self.step(Event::Fault(mager_pager::Fault { at, access, who }));
        self.machine.frozen.but = None;
        let waits = self.machine.waits_for_device;
        if waits {
            self.threads.waits(thread);
        }
        match ahead {
            Some(window) => self.bring_in(arena, window, access, |_| {}),
            None if waits => self.read_around(at, thread, most_ahead),
            None => {}
        }
    }

    /// What lies around a page that has to be read, if that is worth it for this thread.
    fn read_around(&mut self, at: Site, thread: u16, most: u32) {
        let Some(guesses) = self.threads.guesses(thread).filter(|_| self.machine.frozen.is_empty()) else {
            return;
        };
        let (arenas, page_size) = (&self.machine.arenas, self.machine.page_size);
        let shown = |slot: u32, first, count| match arenas.in_slot(slot as usize) {
            Some(arena) => arenas.shown(arena, first, count, page_size),
            None => 0,
        };
        let Some(window) = guesses.around.waits(at.arena.slot, at.page.0, most, shown) else { return };
        guesses.streams.brought_in(at.arena.slot, at.page.0, window.first + (window.count - 1));
        let mut guessed = 0;
        self.bring_in(at.arena, window, Access::Trap, |by| guessed |= 1 << by);
        if let Some(guesses) = self.threads.guesses(thread) {
            guesses.around.guessed(guessed);
        }
    }

    /// Brings pages in; `each` is told of those that come.
    fn bring_in(&mut self, arena: ArenaId, window: Window, access: Access, mut each: impl FnMut(u32)) {
        // In lots: as long as enough are being written, one more for each fault would be written by itself.
        if self.free_frames() <= window.count as usize && self.runs_low() {
            self.work_ahead();
        }
        self.machine.faint = access == Access::Trap;
        let mut page = window.first;
        for by in 0..window.count {
            let before = self.driver.view().counters().aheads;
            self.step(Event::Ahead { at: Site { arena, page: VirtPage(page) }, access });
            if self.driver.view().counters().aheads > before {
                each(by);
            }
            let Some(next) = page.checked_add_signed(window.stride) else { break };
            page = next;
        }
        self.machine.faint = false;
    }

    /// Pages that come in with a first touch.
    fn around(&self) -> u32 {
        let plenty = self.free_frames() > self.circulating() as usize / 2;
        if plenty { (AROUND / self.options.page_size).max(1) } else { 1 }
    }

    pub(crate) fn free_frames(&self) -> usize {
        self.driver.view().counts().free_frames
    }

    /// Whether so many frames are missing that freeing them together is worth it. Those being written already count:
    /// so a few lots are on their way while others are used up.
    fn runs_low(&self) -> bool {
        let counts = self.driver.view().counts();
        let coming = counts.free_frames + counts.promised as usize;
        coming + (self.low_water as usize / LOTS).max(1) <= self.low_water as usize
    }

    /// A page that was just read may well be written to: then it is shown for that at once, which saves a fault.
    fn expect_write(&mut self, event: Event) {
        if let Event::Read { frame, result: Ok(()) } = event
            && self.machine.frames[frame].take_expected()
            && let Place::Private(at) = self.machine.frames[frame].place()
        {
            self.step(Event::Ahead { at, access: Access::Write });
        }
    }

    /// Frees frames ahead of need, many at once, so that faults seldom wait for a write.
    fn work_ahead(&mut self) {
        self.balance(Pressure::High);
        if self.low_water > 0 {
            let counts = self.driver.view().counts();
            let coming =
                u32::try_from(counts.free_frames).unwrap_or(u32::MAX).saturating_add(counts.promised);
            self.harvest(self.low_water.saturating_sub(coming));
            self.step(Event::Tick);
        }
    }

    /// Everything that is finished goes into the core, until nothing is. A thread that sits apart goes on before the next
    /// answer is looked at, so that it asks the device for more meanwhile.
    fn take_finished(&mut self) {
        self.machine.arrive();
        if self.machine.rests() {
            self.unfinished = false;
            return;
        }
        self.unfinished = true;
        loop {
            self.machine.submit();
            let mut any = false;
            while let Some(event) = self.machine.finished() {
                self.step(event);
                self.expect_write(event);
                any = true;
                if self.machine.resumed.iter().any(|&(slot, _)| self.threads.waits_apart(slot)) {
                    return self.machine.submit();
                }
            }
            if !any && !self.machine.can_submit() {
                break;
            }
        }
        self.unfinished = false;
    }

    /// What is finished goes into the core; then the kernel gets its work.
    pub(crate) fn after(&mut self) {
        self.machine.backing.wait_for_lone_reads(self.threads.alone);
        self.take_finished();
        self.peak_frames =
            self.peak_frames.max(u64::from(self.options.all_frames()) - self.free_frames() as u64);
        if self.runs_low() {
            self.machine.near = self.threads.near();
            self.work_ahead();
            self.machine.submit();
        }
        self.drop_copies();
        self.machine.punch_holes();
        if !self.machine.frozen.is_empty() {
            self.thaw_the_old();
        }
        if !self.machine.answers.is_empty() {
            self.answer_flushes();
        }
        let mut resumed = std::mem::take(&mut self.machine.resumed);
        if !resumed.is_empty() {
            self.threads.resumed(&mut resumed, Instant::now());
        }
        self.machine.resumed = resumed;
    }
}
