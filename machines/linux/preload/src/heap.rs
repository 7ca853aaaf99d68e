//! The heap zone: where mimalloc gets its memory. Which parts of it swap has been reserved for.

use crate::shortage::Shortage;
use crate::start::Managed;
use mager_linux_client::Error;
use std::ops::Range;

/// Memory is committed in pieces of so many bytes.
const GRAIN: usize = 64 << 10;
/// So much is committed at once, where there is swap for it: each piece asks the pager.
const LEAST_AHEAD: usize = 1 << 20;
const MOST_AHEAD: usize = 64 << 20;

/// Grains of the heap zone.
#[derive(Debug)]
pub(crate) struct Heap {
    /// One bit a grain: it is committed.
    bits: Vec<u64>,
    grains: usize,
    committed: usize,
    page: usize,
    shortage: Shortage,
}

impl Heap {
    /// Nothing of its `len` bytes is committed.
    pub(crate) fn new(len: usize, page: usize) -> Self {
        let grains = len / GRAIN;
        Heap { bits: vec![0; grains.div_ceil(64)], grains, committed: 0, page, shortage: Shortage::default() }
    }

    fn is_committed(&self, grain: usize) -> bool {
        self.bits[grain / 64] >> (grain % 64) & 1 == 1
    }

    /// The first grain from `at` on, before `end`, of which that is (or is not) true; else `end`.
    fn next(&self, at: usize, end: usize, committed: bool) -> usize {
        let mut at = at;
        while at < end && self.is_committed(at) != committed {
            let whole = if committed { 0 } else { u64::MAX };
            at += if at.is_multiple_of(64) && self.bits[at / 64] == whole { 64 } else { 1 };
        }
        at.min(end)
    }

    /// Has swap reserved for these bytes of the arena.
    pub(crate) fn commit(&mut self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let end = bytes.end.div_ceil(GRAIN);
        let mut at = self.next(bytes.start / GRAIN, end, false);
        while at < end {
            let until = self.next(at, end, true);
            let done = self.commit_run(managed, at..until)?;
            at = self.next(done, end, false);
        }
        Ok(())
    }

    /// Commits these, and more behind them if there is swap for that. Where what is committed ends.
    fn commit_run(&mut self, managed: &Managed, run: Range<usize>) -> Result<usize, Error> {
        let ahead = (self.committed * GRAIN / 8).clamp(LEAST_AHEAD, MOST_AHEAD) / GRAIN;
        let most = self.next(run.end, (run.start + ahead).clamp(run.end, self.grains), true);
        let end = if self.ask(managed, run.start..most).is_ok() {
            most
        } else {
            self.ask(managed, run.clone())?;
            run.end
        };
        for grain in run.start..end {
            self.bits[grain / 64] |= 1 << (grain % 64);
        }
        self.committed += end - run.start;
        Ok(end)
    }

    fn ask(&mut self, managed: &Managed, run: Range<usize>) -> Result<(), Error> {
        self.shortage.commit(managed, managed.pages(run.start * GRAIN, run.end * GRAIN))
    }

    /// Gives frames and swap of these bytes back: they are zeros again.
    pub(crate) fn discard(&self, managed: &Managed, bytes: Range<usize>) -> Result<(), Error> {
        let (start, stop) = (bytes.start.next_multiple_of(self.page), bytes.end / self.page * self.page);
        let end = stop.div_ceil(GRAIN);
        let mut at = self.next(start / GRAIN, end, true);
        while at < end {
            let until = self.next(at, end, false);
            let pages = managed.pages((at * GRAIN).max(start), (until * GRAIN).min(stop));
            if pages.count > 0 {
                managed.arena.discard(pages)?;
            }
            at = self.next(until, end, true);
        }
        Ok(())
    }
}
