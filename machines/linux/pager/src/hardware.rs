//! The instant effects.

use crate::frames::{Bytes, Frame, InFlight, Place};
use crate::machine::Machine;
use crate::offences::{Offence, Owner};
use crate::tickets::{flusher, thread_of};
use mager_driver::Hardware;
use mager_pager::{Access, Denied, FrameNo, Site, Ticket};
use mager_stores::BufferNo;
use std::time::Instant;

/// So many pages in a row that cannot be written home are waited for before somebody is denied a page for it.
pub(crate) const PATIENCE: u32 = 1000;
/// Pages of one arena that are denied before its client is.
const MOST_DENIED: usize = 65_536;
/// Denials told of each arena.
const TOLD: usize = 100;

impl Hardware for Machine {
    fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        let access = if access == Access::Write && self.frozen.holds(at) { Access::Read } else { access };
        if access == Access::Write && self.fills_for_writing(frame) {
            return;
        }
        if self.frames[frame].bytes() == Bytes::Filling {
            self.arrive();
        }
        match (self.frames[frame].bytes(), self.frames[frame].place()) {
            // There was no room for it, and its buffer is being written from: who waits for it asks again.
            (Bytes::Buffer(buffer), _) if self.frames[frame].in_flight() == InFlight::Writing(buffer) => {}
            // What a client has mapped at `at` is its own affair, and must not decide what others see.
            (Bytes::Zeros | Bytes::Buffer(_), Place::Object(..)) => {
                self.put(frame);
                if self.frames[frame].bytes() == Bytes::Placed {
                    self.show(at, frame, access);
                }
            }
            (Bytes::Zeros | Bytes::Buffer(_), Place::Private(_)) if self.attached(at) => {
                self.fill(at, frame, access)
            }
            (Bytes::Zeros | Bytes::Buffer(_), Place::None | Place::Private(_)) => {}
            (Bytes::Placed | Bytes::Filling, _) => self.show(at, frame, access),
            (Bytes::Nowhere, _) => unreachable!("machine: frame {frame} is mapped without bytes"),
        }
    }

    fn clear(&mut self, at: Site, frame: FrameNo) {
        if self.frames[frame].bytes() == Bytes::Filling {
            self.arrive();
        }
        self.zap(at, frame);
    }

    fn unmap(&mut self, at: Site, frame: FrameNo) {
        if self.frames[frame].bytes() == Bytes::Filling {
            self.arrive();
        }
        match self.frames[frame].place() {
            Place::Private(_) => self.keep_aside(frame),
            Place::Object(..) => self.lowering.push(at),
            Place::None => {}
        }
        self.frames[frame].shown = None;
    }

    fn zero(&mut self, frame: FrameNo, at: Site) {
        self.frames[frame] = Frame::new(Place::Private(at), Bytes::Zeros);
        self.came(Place::Private(at));
        self.unplaced.push(frame);
    }

    fn copy(&mut self, from: FrameNo, to: FrameNo, at: Site) {
        if from == to {
            return self.moved(from, at);
        }
        if self.frames[from].bytes() == Bytes::Filling {
            self.arrive();
        }
        let bytes = match self.frames[from].bytes() {
            Bytes::Placed | Bytes::Filling => Bytes::Buffer(self.copied(from)),
            Bytes::Buffer(buffer) => Bytes::Buffer(self.duplicate(buffer)),
            bytes @ (Bytes::Zeros | Bytes::Nowhere) => bytes,
        };
        self.frames[to] = Frame::new(Place::Private(at), bytes);
        self.came(Place::Private(at));
        self.unplaced.push(to);
    }

    fn empty(&mut self, frame: FrameNo) {
        if self.frames[frame].bytes() == Bytes::Filling {
            self.arrive();
        }
        self.returns.left(self.frames[frame].place());
        if self.frames[frame].take_probe() {
            self.rewrites.came_out(false);
        }
        match self.frames[frame].bytes() {
            Bytes::Placed | Bytes::Filling => self.holes.push(self.frames[frame].place()),
            Bytes::Buffer(buffer) => self.buffers.give(buffer),
            Bytes::Nowhere | Bytes::Zeros => {}
        }
        self.went(self.frames[frame].place());
        self.frames[frame] = Frame::EMPTY;
    }

    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>) {
        if flusher(who).is_some() {
            return self.answers.push((who, outcome));
        }
        self.resumed.push((thread_of(who), Instant::now()));
        let Some(at) = self.tickets.site(who, |slot| self.arenas.in_slot(slot)) else { return };
        self.answered(at.arena);
        match outcome {
            // A page that is there cannot be denied: who needs a copy of it tries again.
            Err(why) if !self.worth_another_try(why) && !self.is_there(at) => self.deny(at, why),
            Ok(()) if self.woken == Some(at) => {}
            Ok(()) | Err(_) => {
                self.arrive_before_waking(at);
                if let Some((uffd, address)) = self.arenas.address(at, self.page_size) {
                    let _ = uffd.wake(address, self.page_size);
                }
            }
        }
    }
}

impl Machine {
    /// Whether there is anyone to show anything to.
    fn attached(&self, at: Site) -> bool {
        self.arenas.address(at, self.page_size).is_some()
    }

    /// The site of a page that is being written goes away: its bytes are kept in a buffer until that is answered.
    fn keep_aside(&mut self, frame: FrameNo) {
        let (place, in_flight) = (self.frames[frame].place(), self.frames[frame].in_flight());
        if self.frames[frame].bytes() != Bytes::Placed || in_flight == InFlight::No {
            return;
        }
        let kept = match in_flight {
            InFlight::Writing(buffer) => buffer,
            InFlight::No | InFlight::Reading(_) | InFlight::Queued | InFlight::Answered => self.copied(frame),
        };
        self.frames[frame].set_bytes(Bytes::Buffer(kept));
        self.holes.push(place);
    }

    /// A frame moves to another site with its bytes.
    fn moved(&mut self, frame: FrameNo, at: Site) {
        if matches!(self.frames[frame].bytes(), Bytes::Placed | Bytes::Filling) {
            return self.move_to(frame, at);
        }
        self.went(self.frames[frame].place());
        self.came(Place::Private(at));
        self.frames[frame].set_place(Place::Private(at));
        self.frames[frame].shown = None;
        self.unplaced.push(frame);
    }

    fn duplicate(&mut self, buffer: BufferNo) -> BufferNo {
        let spare = self.spare();
        self.duplicate_into(buffer, spare);
        spare
    }

    pub(crate) fn duplicate_into(&mut self, buffer: BufferNo, spare: BufferNo) {
        self.scratch.copy_from_slice(self.buffers.bytes(buffer));
        self.buffers.bytes_mut(spare).copy_from_slice(&self.scratch);
    }

    /// Whoever waits for a page that cannot be read is denied it. But if another page could not be written, which was
    /// to make room, he tries again: replacement goes on to the next.
    fn worth_another_try(&self, why: Denied) -> bool {
        why == Denied::Io && !self.read_failed && self.unwritten < PATIENCE
    }

    /// The thread gets SIGBUS, and nothing that is not the page's.
    pub(crate) fn deny(&mut self, at: Site, why: Denied) {
        self.denied += 1;
        let Some(arena) = self.arenas.get_mut(at.arena).filter(|arena| !arena.dying) else { return };
        arena.poisoned.insert(at.page.0);
        if arena.poisoned.len() <= TOLD {
            eprintln!("mager: page {at} is denied to its process: {why}");
        }
        if arena.poisoned.len() > MOST_DENIED {
            self.offences.by(Owner::Arena(at.arena), Offence::Wild);
        }
        // What is left of a page that was evicted has to be gone: it would be stored to once its thread goes on.
        self.punch_holes();
        if let Some((uffd, address)) = self.arenas.address(at, self.page_size) {
            let _ = uffd.poison(address, self.page_size);
            let _ = uffd.wake(address, self.page_size);
        }
    }
}
