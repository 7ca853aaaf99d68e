//! Packed pages that nobody has asked for a long time go to the swap file, so that compressed memory has the pages that left
//! last.
//!
//! ```text
//! little unused --> the oldest chunk's pages, unpacked --> written --> their slots are free
//!                   read, released or packed again meanwhile: as if nothing was going on
//!                   written to the swap file meanwhile: held until the older contents are there
//! ```
//! Without that, what came first would stay for good, and what leaves later would wait for the device, however often it
//! comes back. As in the kernel's zswap, whose pages are written back in order of age (Documentation/admin-guide/mm/zswap).

use super::{Backing, Home};
use crate::engine::Job;
use crate::sys::Toward;
use crate::{BufferNo, Buffers};
use std::io;

/// Pages on their way, at most; further ones begin when all are there.
const MOST: usize = 64;

#[derive(Debug)]
struct Moving {
    block: u32,
    /// Its slot in compressed memory.
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
    /// Writes of blocks that are on their way.
    held: Vec<Job>,
    chosen: Vec<(u32, u32)>,
}

impl Demotion {
    pub(super) fn new(page_size: usize) -> io::Result<Self> {
        let (moving, done) = (Vec::with_capacity(MOST), Vec::with_capacity(MOST));
        let (held, chosen) = (Vec::with_capacity(MOST), Vec::with_capacity(MOST));
        Ok(Demotion { buffers: Buffers::new(page_size, MOST)?, moving, done, held, chosen })
    }

    fn is_moving(&self, block: u32) -> bool {
        self.moving.iter().any(|moving| moving.block == block)
    }
}

impl Backing {
    /// Begins to move the oldest pages out of compressed memory, if it is nearly full.
    pub(super) fn demote(&mut self) {
        let Some(demotion) = &mut self.demotion else { return };
        while let Some(buffer) = demotion.done.pop() {
            demotion.buffers.give(buffer);
        }
        if !demotion.moving.is_empty() {
            return;
        }
        let mut chosen = std::mem::take(&mut demotion.chosen);
        self.swap.to_leave(&mut chosen);
        chosen.drain(..).for_each(|(block, at)| self.move_out(block, at));
        if let Some(demotion) = &mut self.demotion {
            demotion.chosen = chosen;
        }
    }

    fn move_out(&mut self, block: u32, at: u32) {
        let Some(demotion) = &mut self.demotion else { return };
        let Some(buffer) = demotion.buffers.take() else { return };
        // Of a page that cannot be unpacked, whoever reads it is told.
        let Some((file, offset, sum)) = self.swap.leave(block, demotion.buffers.bytes_mut(buffer)) else {
            return demotion.buffers.give(buffer);
        };
        demotion.moving.push(Moving { block, at, sum, buffer });
        let span = demotion.buffers.lend(buffer, Toward::Store);
        let (home, length) = (Home::Swap(block), self.page_size);
        self.figures.bytes_moved += crate::place::wide(length);
        self.queue.jobs.push(Job { tag: None, home, file, offset, length, tries: 0, span });
    }

    /// The job, unless its block is on its way to the swap file: then it is held until that is over.
    pub(super) fn not_crossing(&mut self, job: Job) -> Option<Job> {
        match (&mut self.demotion, job.home) {
            (Some(demotion), Home::Swap(block)) if demotion.is_moving(block) => {
                demotion.held.push(job);
                None
            }
            (Some(_) | None, Home::Swap(_) | Home::File(..)) => Some(job),
        }
    }

    /// A page is in the swap file, or could not be written: then it stays where it is.
    pub(super) fn demoted(&mut self, home: Home, written: bool) {
        let (Some(demotion), Home::Swap(block)) = (&mut self.demotion, home) else { return };
        let found = demotion.moving.iter().position(|moving| moving.block == block);
        let moved = demotion.moving.swap_remove(found.expect("demotion: a page that was on its way"));
        demotion.done.push(moved.buffer);
        if written {
            self.swap.left(block, moved.at, moved.sum);
        }
        let held = demotion.held.iter().position(|job| job.home == home);
        if let Some(job) = held.map(|found| demotion.held.swap_remove(found)) {
            let run = self.queue.run_of(job);
            self.start(run);
            self.engine.submit();
        }
    }
}
