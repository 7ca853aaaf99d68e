//! What of the frames each client, and each mapped file, may hold as memory: allowances that together are never more
//! than the frames.
//!
//! An allowance is a file system of its own, whose size the kernel keeps; so nobody can exceed it by any path. The core
//! moves frames between clients all the time: what one does not use goes to whoever needs it, many frames at once,
//! since telling the kernel costs more than a fault. Where such file systems are not allowed, the same is counted, and
//! files are asked now and then what they hold.

use crate::options::MemoryKind;
use mager_linux_sys::{MemoryFile, MemoryFs};
use std::io;

/// An allowance, by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct AllowanceNo(usize);

#[derive(Debug)]
struct Allowance {
    /// None where files are audited.
    fs: Option<MemoryFs>,
    /// Pages it may hold.
    limit: u32,
    /// What that will never be more than.
    most: u32,
    /// Pages that the pager has put there.
    used: u32,
}

/// All allowances.
#[derive(Debug)]
pub(crate) struct Budget {
    page_size: u64,
    allowances: Vec<Option<Allowance>>,
    /// Frames that no allowance has.
    rest: u32,
    /// Frames moved at once, at least.
    chunk: u32,
    quota: bool,
    /// Those that were found to hold what they should not.
    exceeded: Vec<AllowanceNo>,
}

impl Budget {
    pub(crate) fn new(page_size: u32, frames: u32, kind: MemoryKind) -> io::Result<Self> {
        let quota = match kind {
            MemoryKind::Audit => false,
            MemoryKind::Quota => MemoryFs::new().map(|_| true)?,
            MemoryKind::Auto => MemoryFs::new().is_ok(),
        };
        let chunk = (frames / 64).clamp(1, 256);
        let (page_size, allowances, exceeded) = (u64::from(page_size), Vec::new(), Vec::new());
        Ok(Budget { page_size, allowances, rest: frames, chunk, quota, exceeded })
    }

    /// In a word, how memory is bounded.
    pub(crate) fn kind(&self) -> &'static str {
        if self.quota { "quota" } else { "audit" }
    }

    /// A new allowance, of nothing yet and of `most` pages ever.
    pub(crate) fn open(&mut self, most: u32) -> io::Result<AllowanceNo> {
        let fs = if self.quota { Some(MemoryFs::new()?) } else { None };
        let free = self.allowances.iter().position(Option::is_none).unwrap_or(self.allowances.len());
        if free == self.allowances.len() {
            self.allowances.push(None);
        }
        self.allowances[free] = Some(Allowance { fs, limit: 0, most, used: 0 });
        Ok(AllowanceNo(free))
    }

    /// A file under an allowance.
    pub(crate) fn file(&self, of: AllowanceNo, name: &str, size: u64) -> io::Result<MemoryFile> {
        match self.allowances.get(of.0).and_then(Option::as_ref).and_then(|found| found.fs.as_ref()) {
            Some(fs) => fs.file(size),
            None => MemoryFile::sealed(name, size),
        }
    }

    /// Ends an allowance whose files were emptied. Whether the frames came back: not while somebody writes there still.
    pub(crate) fn close(&mut self, of: AllowanceNo) -> bool {
        let Some(found) = self.allowances.get_mut(of.0).and_then(Option::as_mut) else { return true };
        found.used = 0;
        self.exceeded.retain(|&other| other != of);
        let emptied = self.set(of, 0);
        if emptied {
            self.allowances[of.0] = None;
        }
        emptied
    }

    /// Makes sure that so many pages more can be put under an allowance. `false`: they are not to be had.
    #[inline]
    pub(crate) fn room(&mut self, of: AllowanceNo, pages: u32) -> bool {
        match self.allowances.get(of.0) {
            Some(Some(found)) => found.used + pages <= found.limit || self.grow(of, pages),
            Some(None) | None => false,
        }
    }

    /// A page was put there.
    #[inline]
    pub(crate) fn put(&mut self, of: AllowanceNo) {
        if let Some(Some(found)) = self.allowances.get_mut(of.0) {
            found.used += 1;
        }
    }

    /// Pages were taken away.
    #[inline]
    pub(crate) fn took(&mut self, of: AllowanceNo, pages: u32) {
        if let Some(Some(found)) = self.allowances.get_mut(of.0) {
            found.used = found.used.saturating_sub(pages);
        }
    }

    /// It could not hold what it should be able to. If something else is there, whoever put it there is found out.
    pub(crate) fn suspect(&mut self, of: AllowanceNo) {
        let found = self.allowances.get(of.0).and_then(Option::as_ref);
        let over = found.is_some_and(|found| match found.fs.as_ref().map(MemoryFs::held) {
            Some(Ok(bytes)) => bytes > u64::from(found.used) * self.page_size,
            Some(Err(_)) | None => false,
        });
        if over {
            self.exceeds(of);
        }
    }

    fn exceeds(&mut self, of: AllowanceNo) {
        if !self.exceeded.contains(&of) {
            self.exceeded.push(of);
        }
    }

    /// Those that hold what they should not, each told once.
    pub(crate) fn take_exceeded(&mut self) -> Vec<AllowanceNo> {
        std::mem::take(&mut self.exceeded)
    }

    pub(crate) fn any_exceeded(&self) -> bool {
        !self.exceeded.is_empty()
    }

    /// Compares what allowances hold, by `held`, with what was put there. Where there are quotas nothing can be exceeded;
    /// who has put something there of his own is found when it is in the way.
    pub(crate) fn audit(&mut self, held: impl Fn(AllowanceNo) -> u64) {
        if self.quota {
            return;
        }
        for number in 0..self.allowances.len() {
            let used = self.allowances[number].as_ref().map(|found| u64::from(found.used) * self.page_size);
            if used.is_some_and(|used| held(AllowanceNo(number)) > used) {
                self.exceeds(AllowanceNo(number));
            }
        }
    }

    /// Pages that the pager has put under an allowance, and how many it may hold.
    pub(crate) fn of(&self, of: AllowanceNo) -> (u32, u32) {
        let found = self.allowances.get(of.0).and_then(Option::as_ref);
        found.map_or((0, 0), |found| (found.used, found.limit))
    }

    /// Takes up to so many frames away from what allowances could hold and do not. How many could be taken.
    pub(crate) fn withhold(&mut self, frames: u32) -> u32 {
        if self.rest < frames {
            self.reclaim(None, frames);
        }
        let taken = frames.min(self.rest);
        self.rest -= taken;
        taken
    }

    /// Gives frames back that were withheld.
    pub(crate) fn restore(&mut self, frames: u32) {
        self.rest += frames;
    }

    fn most(&self, of: AllowanceNo) -> u32 {
        self.allowances.get(of.0).and_then(Option::as_ref).map_or(0, |found| found.most)
    }

    #[cold]
    fn grow(&mut self, of: AllowanceNo, pages: u32) -> bool {
        let (used, limit) = self.of(of);
        let least = used + pages - limit;
        let spare = self.most(of) - limit;
        if spare < least {
            return false;
        }
        if self.rest < least {
            self.reclaim(Some(of), least);
        }
        let more = self.rest.min(self.chunk.max(self.rest / 4).max(least)).min(spare);
        more >= least && self.set(of, limit + more)
    }

    /// Takes half of what is unused from those who have most of it, until `least` pages are there.
    fn reclaim(&mut self, but: Option<AllowanceNo>, least: u32) {
        let mut idle: Vec<(u32, usize)> = Vec::new();
        for (number, found) in self.allowances.iter().enumerate() {
            if let Some(found) = found
                && but != Some(AllowanceNo(number))
                && found.limit > found.used
            {
                idle.push((found.limit - found.used, number));
            }
        }
        idle.sort_unstable();
        for (unused, number) in idle.into_iter().rev() {
            if self.rest >= least {
                return;
            }
            let number = AllowanceNo(number);
            let spare = unused.div_ceil(2).max(unused.min(least - self.rest));
            if !self.set(number, self.of(number).1 - spare) {
                // The kernel counts more there than we have put.
                self.exceeds(number);
            }
        }
    }

    fn set(&mut self, of: AllowanceNo, limit: u32) -> bool {
        let Some(Some(found)) = self.allowances.get_mut(of.0) else { return false };
        if let Some(fs) = &mut found.fs
            && fs.set_limit(u64::from(limit) * self.page_size).is_err()
        {
            return false;
        }
        self.rest = self.rest + found.limit - limit;
        found.limit = limit;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audited(frames: u32) -> Budget {
        Budget::new(4096, frames, MemoryKind::Audit).expect("a budget")
    }

    fn limits(budget: &Budget) -> u32 {
        budget.rest + budget.allowances.iter().flatten().map(|found| found.limit).sum::<u32>()
    }

    #[test]
    fn one_allowance_gets_everything() {
        let mut budget = audited(1000);
        let only = budget.open(u32::MAX).expect("an allowance");
        for _ in 0..1000 {
            assert!(budget.room(only, 1));
            budget.put(only);
        }
        assert!(!budget.room(only, 1));
        assert_eq!(limits(&budget), 1000);
    }

    #[test]
    fn what_one_gives_back_another_gets_and_the_sum_stays() {
        let mut budget = audited(1000);
        let (a, b) =
            (budget.open(u32::MAX).expect("an allowance"), budget.open(u32::MAX).expect("an allowance"));
        for _ in 0..1000 {
            assert!(budget.room(a, 1));
            budget.put(a);
        }
        for _ in 0..1000 {
            assert!(!budget.room(b, 1));
            budget.took(a, 1);
            assert!(budget.room(b, 1));
            budget.put(b);
            assert_eq!(limits(&budget), 1000);
        }
        assert_eq!((budget.of(a), budget.of(b)), ((0, 0), (1000, 1000)));
        budget.took(b, 1000);
        assert!(budget.close(a) && budget.close(b));
        assert_eq!(budget.rest, 1000);
    }

    #[test]
    fn what_is_withheld_is_nobodys_until_it_is_restored() {
        let mut budget = audited(1000);
        let only = budget.open(u32::MAX).expect("an allowance");
        for _ in 0..600 {
            assert!(budget.room(only, 1));
            budget.put(only);
        }
        assert_eq!((budget.withhold(100), budget.withhold(1000)), (100, 300), "what was unused, and no more");
        assert!(!budget.room(only, 1));
        budget.restore(5);
        assert!(budget.room(only, 5) && !budget.room(only, 6));
    }

    #[test]
    fn an_allowance_never_gets_more_than_its_most() {
        let mut budget = audited(1000);
        let (a, b) = (budget.open(300).expect("an allowance"), budget.open(u32::MAX).expect("an allowance"));
        assert!(budget.room(a, 1) && budget.room(a, 300) && !budget.room(a, 301));
        assert!(budget.of(a).1 <= 300 && budget.room(b, 700));
    }

    #[test]
    fn whoever_holds_more_than_was_put_there_is_named_once() {
        let mut budget = audited(10);
        let (a, b) =
            (budget.open(u32::MAX).expect("an allowance"), budget.open(u32::MAX).expect("an allowance"));
        assert!(budget.room(a, 1));
        budget.put(a);
        budget.audit(|_| 4096);
        assert_eq!(budget.take_exceeded(), [b]);
        assert_eq!(budget.take_exceeded(), []);
    }
}
