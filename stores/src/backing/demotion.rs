//! Packed pages that nobody has asked for a long time go to the swap file, so that compressed memory has the pages that left
//! last.
//!
//! ```text
//! little unused --> the oldest chunk's pages, unpacked --> written --> their slots are free
//!                   read, released or written anew meanwhile: as if nothing was going on
//! ```
//! Without that, what came first would stay for good, and what leaves later would wait for the device, however often it
//! comes back. As in the kernel's zswap, whose pages are written back in order of age (Documentation/admin-guide/mm/zswap).

use super::swap::Leaving;
use super::{Backing, Home};
use crate::engine::Job;
use crate::sys::Toward;
use crate::{BufferNo, Buffers};
use std::io;
use std::time::{Duration, Instant};

/// Pages on their way, at most; further ones begin when all are there.
pub(super) const MOST: u32 = 64;
/// Until further ones begin if none of them could be written: a device that fails is not asked at every fault.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Moving {
    block: u32,
    /// Its slot in compressed memory.
    slot: u32,
    /// Its place in the file.
    at: u32,
    /// The page's checksum.
    sum: u32,
    buffer: BufferNo,
}

/// The pages on their way.
#[derive(Debug)]
pub(super) struct Demotion {
    buffers: Buffers,
    moving: Vec<Moving>,
    /// Those that are written, or were not.
    done: Vec<BufferNo>,
    chosen: Vec<(u32, u32)>,
    /// Whether those that began last include one that was written; `None`: nothing began.
    any_written: Option<bool>,
    pauses_until: Option<Instant>,
}

impl Demotion {
    pub(super) fn new(page_size: usize) -> io::Result<Self> {
        let most = MOST as usize;
        let (moving, done) = (Vec::with_capacity(most), Vec::with_capacity(most));
        Ok(Demotion {
            buffers: Buffers::new(page_size, most)?,
            moving,
            done,
            chosen: Vec::with_capacity(most),
            any_written: None,
            pauses_until: None,
        })
    }

    pub(super) fn pauses(&self) -> bool {
        self.pauses_until.is_some_and(|until| Instant::now() < until)
    }

    /// All that began are there, or are not.
    fn ends(&mut self) {
        while let Some(buffer) = self.done.pop() {
            self.buffers.give(buffer);
        }
        if let Some(any) = self.any_written.take() {
            self.pauses_until = (!any).then(|| Instant::now() + PAUSE);
        }
    }
}

impl Backing {
    /// Begins to move the oldest pages out of compressed memory, if it is nearly full.
    pub(super) fn demote(&mut self) {
        let Some(demotion) = &mut self.demotion else { return };
        if !demotion.moving.is_empty() {
            return;
        }
        demotion.ends();
        if demotion.pauses() {
            return;
        }
        let mut chosen = std::mem::take(&mut demotion.chosen);
        self.swap.to_leave(&mut chosen);
        if let Some(demotion) = self.demotion.as_mut().filter(|_| !chosen.is_empty()) {
            demotion.any_written = Some(false);
        }
        chosen.drain(..).for_each(|(block, _)| self.move_out(block));
        if let Some(demotion) = &mut self.demotion {
            demotion.chosen = chosen;
        }
    }

    fn move_out(&mut self, block: u32) {
        let Some(demotion) = &mut self.demotion else { return };
        let Some(buffer) = demotion.buffers.take() else { return };
        // Of a page that cannot be unpacked, whoever reads it is told.
        let Some(leaving) = self.swap.leave(block, demotion.buffers.bytes_mut(buffer)) else {
            return demotion.buffers.give(buffer);
        };
        let Leaving { slot, at, sum, file, offset } = leaving;
        demotion.moving.push(Moving { block, slot, at, sum, buffer });
        let span = demotion.buffers.lend(buffer, Toward::Store);
        let (home, length) = (Home::Swap(block), self.page_size);
        self.figures.bytes_moved += crate::place::wide(length);
        self.queue.jobs.push(Job { tag: None, home, file, offset, length, tries: 0, span });
    }

    /// A page is in the swap file, or could not be written: then it stays where it is.
    pub(super) fn demoted(&mut self, home: Home, written: bool) {
        let (Some(demotion), Home::Swap(block)) = (&mut self.demotion, home) else { return };
        let found = demotion.moving.iter().position(|moving| moving.block == block);
        let moved = demotion.moving.swap_remove(found.expect("demotion: a page that was on its way"));
        demotion.done.push(moved.buffer);
        if written {
            demotion.any_written = Some(true);
        } else {
            self.figures.undemoted += 1;
        }
        self.swap.left(block, moved.slot, (moved.at, moved.sum), written);
    }
}
