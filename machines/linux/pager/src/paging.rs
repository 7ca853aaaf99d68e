//! Inputs and outputs: started as staging buffers allow, answered when the backing has done them.

use crate::frames::{Bytes, Frame, InFlight, Place};
use crate::machine::Machine;
use crate::rewrites::Expected;
use mager_driver::{Io, Paging};
use mager_pager::{Event, FrameNo, Home, IoFailed, SwapBlock};
use mager_stores as stores;

/// Failed inputs and outputs that are told of.
const MOST_TOLD: u64 = 1000;
/// Buffers that inputs and outputs leave alone: a step's copies must find one each.
pub(crate) const KEPT_FOR_COPIES: usize = 64;

impl Paging for Machine {
    fn start(&mut self, io: Io) {
        let (Io::Read { frame, .. } | Io::Write { frame, .. }) = io;
        if let Io::Read { home, at, .. } = io {
            self.count_page_in(at.arena, home);
            let place = Place::of(home, at);
            self.returns.came(place);
            let mut expected = Expected::Nothing;
            if let Home::Swap(block) = home {
                expected = self.rewrites.read(block.0);
                let from_device = !self.backing.is_in_memory(block.0);
                self.waits_for_device |= from_device;
                self.swap_reads += u64::from(from_device);
                if self.copies_go && self.backing.is_packed(block.0) {
                    self.unpacked.push(at);
                }
            }
            self.came(place);
            self.frames[frame] = Frame::new(place, Bytes::Nowhere);
            self.frames[frame].set_faint(self.faint);
            self.frames[frame].expect(expected);
        }
        if let Io::Write { home: Home::Swap(block), .. } = io {
            self.rewrites.written(block.0);
        }
        self.frames[frame].set_in_flight(InFlight::Queued);
        self.queued.push_back(io);
    }

    fn release(&mut self, block: SwapBlock) {
        self.backing.release(block.0);
    }

    fn finished(&mut self) -> Option<Event> {
        let early = self.early.pop_front();
        let was_early = early.is_some();
        let event = early.or_else(|| self.answer())?;
        if let Event::Read { frame, .. } | Event::Written { frame, .. } = event {
            self.frames[frame].set_in_flight(InFlight::No);
            if was_early && matches!(self.frames[frame].bytes(), Bytes::Buffer(_)) {
                self.unplaced.push(frame);
            }
        }
        Some(event)
    }
}

impl Machine {
    /// Starts what there are buffers for, and hands it to the kernel.
    pub(crate) fn submit(&mut self) {
        self.arrive();
        while self.buffers.free() > KEPT_FOR_COPIES
            && let Some(io) = self.queued.pop_front()
        {
            self.launch(io);
        }
        self.backing.submit(&mut self.buffers);
    }

    /// Whether nothing is read or written, or is to be.
    #[inline]
    pub(crate) fn rests(&self) -> bool {
        self.queued.is_empty() && self.early.is_empty() && self.backing.rests()
    }

    /// Whether [`Machine::submit`] would start anything.
    pub(crate) fn can_submit(&self) -> bool {
        !self.queued.is_empty() && self.buffers.free() > KEPT_FOR_COPIES
    }

    /// Waits until an input or output is done.
    pub(crate) fn pause(&mut self) {
        if self.backing.in_flight() > 0
            && let Some(fd) = self.backing.wait_fd()
        {
            let mut polled = [rustix::event::PollFd::from_borrowed_fd(fd, rustix::event::PollFlags::IN)];
            let _ = rustix::event::poll(&mut polled, None);
        }
    }

    fn launch(&mut self, io: Io) {
        match io {
            Io::Read { frame, home, .. } => {
                let buffer = self.buffers.take().expect("machine: a buffer was free");
                self.frames[frame].set_in_flight(InFlight::Reading(buffer));
                let home = self.home(home);
                self.backing.read(frame.0, home, buffer, &mut self.buffers);
            }
            Io::Write { frame, home } => {
                let buffer = match self.frames[frame].bytes() {
                    Bytes::Buffer(buffer) => buffer,
                    Bytes::Placed | Bytes::Filling | Bytes::Zeros | Bytes::Nowhere => self.copied(frame),
                };
                self.frames[frame].set_in_flight(InFlight::Writing(buffer));
                let home = self.home(home);
                self.backing.write(frame.0, home, buffer, &mut self.buffers);
            }
        }
    }

    fn home(&self, home: Home) -> stores::Home {
        match home {
            Home::Swap(block) => stores::Home::Swap(block.0),
            Home::Object(object, block) => {
                let object = self.objects.get(object).expect("machine: an object in use is known");
                stores::Home::File(object.file, u64::from(block.0))
            }
        }
    }

    /// The next answer of the backing; its frame is in flight until the core is told.
    fn answer(&mut self) -> Option<Event> {
        let done = self.backing.finished()?;
        let frame = FrameNo(done.tag);
        let result = done.result.inspect_err(|why| self.tell(frame, why));
        let in_flight = self.frames[frame].in_flight();
        self.frames[frame].set_in_flight(InFlight::Answered);
        Some(match in_flight {
            InFlight::Reading(buffer) => {
                let result = if self.is_lost(frame) { Err(IoFailed) } else { result.map_err(|_| IoFailed) };
                self.was_read(frame, buffer, result)
            }
            InFlight::Writing(buffer) => {
                let result = self.written_or_lost(frame, result.is_ok());
                self.was_written(frame, buffer, result)
            }
            InFlight::No | InFlight::Queued | InFlight::Answered => {
                unreachable!("backing: frame {frame} was answered twice")
            }
        })
    }

    /// Says which page it was, and why; not for ever.
    fn tell(&mut self, frame: FrameNo, why: &stores::StoreError) {
        self.failures += 1;
        if self.failures <= MOST_TOLD {
            eprintln!("mager: {}: {why}", self.frames[frame].place());
        }
    }

    /// A file that cannot be written keeps nobody's frame: as with the kernel's own paging the page is given up, and
    /// flush tells of it; but whoever reads it again is denied it, instead of getting what was there before.
    fn written_or_lost(&mut self, frame: FrameNo, written: bool) -> Result<(), IoFailed> {
        if let Place::Object(object, block) = self.frames[frame].place() {
            if let Some(object) = self.objects.get_mut(object) {
                if written {
                    object.lost.remove(&block);
                } else {
                    object.untold = true;
                    object.lost.insert(block);
                }
            }
            return Ok(());
        }
        self.unwritten = if written { 0 } else { self.unwritten.saturating_add(1) };
        if written { Ok(()) } else { Err(IoFailed) }
    }

    /// Whether what the file has is older than what was shown.
    fn is_lost(&self, frame: FrameNo) -> bool {
        let Place::Object(object, block) = self.frames[frame].place() else { return false };
        self.objects.get(object).is_some_and(|object| object.lost.contains(&block))
    }

    /// Nothing else can be done before an input or output is done.
    pub(crate) fn wait_for_an_answer(&mut self) {
        self.backing.submit(&mut self.buffers);
        while let Some(event) = self.answer() {
            self.early.push_back(event);
        }
        if self.buffers.free() == 0 {
            self.pause();
        }
    }

    fn was_read(&mut self, frame: FrameNo, buffer: stores::BufferNo, result: Result<(), IoFailed>) -> Event {
        if result.is_ok() {
            self.frames[frame].set_bytes(Bytes::Buffer(buffer));
            self.unplaced.push(frame);
        } else {
            self.buffers.give(buffer);
        }
        Event::Read { frame, result }
    }

    fn was_written(
        &mut self,
        frame: FrameNo,
        buffer: stores::BufferNo,
        result: Result<(), IoFailed>,
    ) -> Event {
        if self.frames[frame].bytes() == Bytes::Buffer(buffer) {
            self.unplaced.push(frame);
        } else {
            self.buffers.give(buffer);
        }
        Event::Written { frame, result }
    }
}
