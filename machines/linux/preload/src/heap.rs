//! The heap zone: where mimalloc gets its memory. Which parts of it swap has been reserved for.
//!
//! ```text
//! mimalloc commits             asked and reserved, and more behind it reserved ahead
//! swap runs out                what was only reserved ahead goes back
//! a segment is purged whole    all of it goes back: mimalloc commits what it uses of it anew
//! ```
//! That it does as long as it never commits a segment in one call (`_mi_arena_free`): eager commits are off, and blocks
//! that need a segment of their own it is not asked for.
//!
//! mimalloc 2.3 takes a span whose memory was refused for one that was not found, begins another segment for it, and one
//! more, until its addresses are used up. So the segment that it begins after a refusal is refused, too; where it was for
//! something else, mimalloc asks a second time.

use crate::grains::Grains;
use crate::guards::Guards;
use crate::mappings::system;
use crate::start::Managed;
use crate::sys;
use mager_linux_client::{Error, Pages};
use std::ops::Range;

/// Memory is committed in pieces of so many bytes.
const GRAIN: usize = 64 << 10;
/// So much is committed at once, where there is swap for it: each piece asks the pager.
const LEAST_AHEAD: usize = 1 << 20;
const MOST_AHEAD: usize = 64 << 20;
/// mimalloc's segments begin at multiples of so many bytes, and are so long.
const SEGMENT: usize = 32 << 20;

#[derive(Debug)]
pub(crate) struct Heap {
    /// Swap is reserved for these.
    reserved: Grains,
    /// mimalloc has committed these, all of them reserved.
    asked: Grains,
    /// What a program has guarded of its blocks. They stay so when they are discarded, until they are committed anew.
    guards: Guards,
    page: usize,
    /// A span was refused, and no segment since.
    refused: bool,
}

impl Heap {
    /// Nothing of its `len` bytes is committed.
    pub(crate) fn new(base: usize, len: usize, page: usize) -> Self {
        let (reserved, asked) = (Grains::new(len / GRAIN), Grains::new(len / GRAIN));
        Heap { reserved, asked, guards: Guards::new(base, page), page, refused: false }
    }

    /// Has swap reserved for these bytes of the arena.
    pub(crate) fn commit(&mut self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let grains = bytes.start / GRAIN..bytes.end.div_ceil(GRAIN);
        let begins = address_of(managed, bytes.start).is_multiple_of(SEGMENT);
        if begins && std::mem::take(&mut self.refused) {
            return Err(Error::NoRoom { wanted: managed.pages(bytes.start, bytes.end).count });
        }
        // First, so that what is reserved of them already is not taken for idle when swap is short.
        let new = self.ask_for(grains.clone());
        let done = self.reserve_all(managed, grains);
        if done.is_err() {
            new.into_iter().for_each(|run| self.asked.remove(run));
            self.refused |= !begins;
        }
        done
    }

    /// What was not asked for before.
    fn ask_for(&mut self, grains: Range<usize>) -> Vec<Range<usize>> {
        let mut new = Vec::new();
        while let Some(run) = self.asked.missing(grains.clone()) {
            self.asked.add(run.clone());
            new.push(run);
        }
        new
    }

    fn reserve_all(&mut self, managed: &Managed, grains: Range<usize>) -> Result<(), Error> {
        let mut at = grains.start;
        while let Some(run) = self.reserved.missing(at..grains.end) {
            at = self.reserve(managed, run)?;
        }
        Ok(())
    }

    /// Reserves these, and more behind them if there is swap for that. Where what is reserved ends.
    fn reserve(&mut self, managed: &Managed, run: Range<usize>) -> Result<usize, Error> {
        let ahead = (self.reserved.count() * GRAIN / 8).clamp(LEAST_AHEAD, MOST_AHEAD) / GRAIN;
        let border = (run.start + ahead).clamp(run.end, self.reserved.end());
        let most = self.reserved.run(run.end..border).map_or(border, |taken| taken.start);
        let end = if ask(managed, run.start..most).is_ok() {
            most
        } else {
            if ask(managed, run.clone()).is_err() {
                self.give_up_what_nobody_asked_for(managed)?;
                ask(managed, run.clone())?;
            }
            run.end
        };
        self.reserved.add(run.start..end);
        Ok(end)
    }

    #[cold]
    pub(crate) fn give_up_what_nobody_asked_for(&mut self, managed: &Managed) -> Result<(), Error> {
        let mut at = 0;
        while let Some(run) = self.reserved.run(at..self.reserved.end()) {
            at = run.start;
            match self.asked.missing(run.clone()) {
                Some(idle) => self.withdraw(managed, idle)?,
                None => at = run.end,
            }
        }
        Ok(())
    }

    fn withdraw(&mut self, managed: &Managed, run: Range<usize>) -> Result<(), Error> {
        managed.arena.withdraw(managed.pages(run.start * GRAIN, run.end * GRAIN))?;
        managed.has_room();
        self.reserved.remove(run.clone());
        self.asked.remove(run);
        Ok(())
    }

    /// What may be done with these bytes from now on.
    pub(crate) fn guard(&mut self, bytes: &Range<usize>, rights: i32) -> Result<(), i32> {
        let number = |page: usize| u32::try_from(page).unwrap_or(u32::MAX);
        let (page, end) = (number(bytes.start / self.page), number(bytes.end.div_ceil(self.page)));
        self.guards.set(Pages { page, count: end - page }, rights)
    }

    /// In a forked child, whose arena is readable and writable all over.
    pub(crate) fn guard_again(&self) {
        self.guards.set_again();
    }

    /// These bytes of a block are zeros, and can be read and written.
    pub(crate) fn clear(&mut self, managed: &Managed, bytes: &Range<usize>) -> Result<(), Error> {
        if self.reserved.missing(bytes.start / GRAIN..bytes.end.div_ceil(GRAIN)).is_some() {
            return Err(Error::NoRoom { wanted: managed.pages(bytes.start, bytes.end).count });
        }
        self.guard(bytes, sys::READ_WRITE).map_err(system)?;
        self.discard_part(managed, bytes.clone())
    }

    /// Gives frames and swap of these bytes back: they are zeros again.
    pub(crate) fn discard(&mut self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let mut at = bytes.start;
        while at < bytes.end {
            let address = address_of(managed, at);
            let border = at + (address + 1).next_multiple_of(SEGMENT) - address;
            let part = at..border.min(bytes.end);
            at = part.end;
            if part.end == border && part.len() == SEGMENT {
                self.discard_segment(managed, part)?;
            } else {
                self.discard_part(managed, part)?;
            }
        }
        Ok(())
    }

    /// Nothing of a segment is in use: its reservation goes back, too. Grains that it shares with its neighbours stay.
    fn discard_segment(&mut self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let own = bytes.start.div_ceil(GRAIN)..bytes.end / GRAIN;
        self.discard_part(managed, bytes.start..own.start * GRAIN)?;
        self.discard_part(managed, own.end * GRAIN..bytes.end)?;
        while let Some(run) = self.reserved.run(own.clone()) {
            self.withdraw(managed, run)?;
        }
        Ok(())
    }

    fn discard_part(&self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let (start, stop) = (bytes.start.next_multiple_of(self.page), bytes.end / self.page * self.page);
        let (mut at, end) = (start / GRAIN, stop.div_ceil(GRAIN));
        while let Some(run) = self.reserved.run(at..end) {
            let pages = managed.pages((run.start * GRAIN).max(start), (run.end * GRAIN).min(stop));
            if pages.count > 0 {
                managed.arena.discard(pages)?;
            }
            at = run.end;
        }
        Ok(())
    }
}

/// Where a byte of the arena is.
fn address_of(managed: &Managed, at: usize) -> usize {
    sys::word(managed.arena.addresses().0) + at
}

fn ask(managed: &Managed, run: Range<usize>) -> Result<(), Error> {
    managed.commit(managed.pages(run.start * GRAIN, run.end * GRAIN))
}
