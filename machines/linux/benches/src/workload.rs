//! The access patterns, the same code over every kind of memory; each read is checked.

use crate::contents::{PAGE_WORDS, version, word};
use rand::distr::Distribution;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::Zipf;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::thread;

/// A read saw something else than was written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("page {page}, word {index}: {seen:#018x} instead of {right:#018x}")]
pub(crate) struct Wrong {
    page: usize,
    index: usize,
    seen: u64,
    right: u64,
}

/// Which pattern.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Workload {
    /// Fills untouched pages, one after the other.
    SeqWrite,
    /// Reads a word of each page, one after the other.
    SeqRead,
    /// Reads words anywhere.
    Random,
    /// Reads words of pages drawn by zipf 0.99, hot pages lying scattered.
    Zipf,
    /// Random, every fifth operation a write.
    RandomWrites,
    /// Eight random reads in an eighth of the memory, then one page of an endless scan of all of it.
    HotScan,
    /// Random, by eight threads.
    Random8,
}

pub(crate) const WORKLOADS: [Workload; 7] = [
    Workload::SeqWrite,
    Workload::SeqRead,
    Workload::Random,
    Workload::Zipf,
    Workload::RandomWrites,
    Workload::HotScan,
    Workload::Random8,
];

const THREADS: u64 = 8;
const ZIPF: f64 = 0.99;

impl Workload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Workload::SeqWrite => "seq-write",
            Workload::SeqRead => "seq-read",
            Workload::Random => "random",
            Workload::Zipf => "zipf",
            Workload::RandomWrites => "random-writes",
            Workload::HotScan => "hot-scan",
            Workload::Random8 => "random8",
        }
    }

    /// Operations before the clock starts, and under it; `pages` is all the memory.
    pub(crate) fn operations(self, pages: usize, percent: u32) -> (u64, u64) {
        let scaled = |n: u64| (n * u64::from(percent) / 100).max(1);
        match self {
            Workload::SeqWrite | Workload::SeqRead => (0, pages as u64),
            Workload::Random | Workload::RandomWrites => (scaled(20_000), scaled(60_000)),
            Workload::Zipf => (scaled(200_000), scaled(300_000)),
            Workload::HotScan => (scaled(600_000), scaled(600_000)),
            Workload::Random8 => (scaled(40_000), scaled(200_000)),
        }
    }

    /// Does it begin with untouched memory?
    pub(crate) fn untouched(self) -> bool {
        self == Workload::SeqWrite
    }
}

/// The memory, and how often each page was changed.
pub(crate) struct Field<'a> {
    words: &'a [AtomicU64],
    changes: Vec<AtomicU32>,
}

impl<'a> Field<'a> {
    pub(crate) fn new(words: &'a [AtomicU64]) -> Self {
        let pages = words.len() / PAGE_WORDS;
        Field { words, changes: (0..pages).map(|_| AtomicU32::new(0)).collect() }
    }

    pub(crate) fn pages(&self) -> usize {
        self.changes.len()
    }

    /// Writes all of a page for the first time.
    pub(crate) fn fill(&self, page: usize) {
        let words = &self.words[page * PAGE_WORDS..(page + 1) * PAGE_WORDS];
        words[0].store(version(page, 0), Relaxed);
        for (index, place) in words.iter().enumerate().skip(1) {
            place.store(word(page, index), Relaxed);
        }
    }

    pub(crate) fn read(&self, page: usize, index: usize) -> Result<(), Wrong> {
        let seen = self.words[page * PAGE_WORDS + index].load(Relaxed);
        let right =
            if index == 0 { version(page, self.changes[page].load(Relaxed)) } else { word(page, index) };
        if seen == right { Ok(()) } else { Err(Wrong { page, index, seen, right }) }
    }

    /// Changes a page; of one thread only.
    fn change(&self, page: usize) {
        let changes = self.changes[page].load(Relaxed).wrapping_add(1);
        self.changes[page].store(changes, Relaxed);
        self.words[page * PAGE_WORDS].store(version(page, changes), Relaxed);
    }
}

/// A pattern under way: goes on where it was after the operations before.
pub(crate) struct Pattern {
    workload: Workload,
    random: SmallRng,
    zipf: Zipf<f64>,
    step: usize,
    seed: u64,
}

impl Pattern {
    /// `None` for a memory without pages.
    pub(crate) fn new(workload: Workload, pages: usize, seed: u64) -> Option<Self> {
        let zipf = Zipf::new(pages as f64, ZIPF).ok()?;
        Some(Pattern { workload, random: SmallRng::seed_from_u64(seed), zipf, step: step(pages), seed })
    }

    /// Does the operations of these numbers.
    pub(crate) fn run(&mut self, field: &Field<'_>, operations: Range<u64>) -> Result<(), Wrong> {
        if self.workload == Workload::Random8 {
            return self.threads(field, operations);
        }
        operations.into_iter().try_for_each(|number| self.one(field, number))
    }

    #[inline]
    fn one(&mut self, field: &Field<'_>, number: u64) -> Result<(), Wrong> {
        let pages = field.pages();
        match self.workload {
            Workload::SeqWrite => field.fill(nth(number, pages)),
            Workload::SeqRead => field.read(nth(number, pages), self.random.random_range(0..PAGE_WORDS))?,
            Workload::Random | Workload::Random8 => self.anywhere(field, pages)?,
            Workload::Zipf => self.popular(field)?,
            Workload::RandomWrites if self.random.random_range(0..5) == 0 => {
                field.change(self.random.random_range(0..pages));
            }
            Workload::RandomWrites => self.anywhere(field, pages)?,
            Workload::HotScan if number % 9 == 8 => field.read(nth(number / 9, pages), 0)?,
            Workload::HotScan => self.anywhere(field, pages / 8)?,
        }
        Ok(())
    }

    fn anywhere(&mut self, field: &Field<'_>, pages: usize) -> Result<(), Wrong> {
        let place = self.random.random_range(0..pages * PAGE_WORDS);
        field.read(place / PAGE_WORDS, place % PAGE_WORDS)
    }

    fn popular(&mut self, field: &Field<'_>) -> Result<(), Wrong> {
        let rank = self.zipf.sample(&mut self.random);
        field.read(scattered(rank, self.step, field.pages()), self.random.random_range(0..PAGE_WORDS))
    }

    fn threads(&mut self, field: &Field<'_>, operations: Range<u64>) -> Result<(), Wrong> {
        let each = operations.end.saturating_sub(operations.start).div_ceil(THREADS);
        let seeds = (0..THREADS).map(|thread| self.seed ^ operations.start << 8 ^ (thread + 1) << 56);
        thread::scope(|scope| {
            let threads: Vec<_> = seeds
                .map(|seed| {
                    let mut own = Pattern {
                        workload: Workload::Random,
                        random: SmallRng::seed_from_u64(seed),
                        ..*self
                    };
                    scope.spawn(move || own.run(field, 0..each))
                })
                .collect();
            let mut ended = threads.into_iter().map(|thread| thread.join());
            ended.try_for_each(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

/// The page of a sequence that begins again at the end.
fn nth(number: u64, pages: usize) -> usize {
    usize::try_from(number % pages as u64).unwrap_or(0)
}

/// The page of a rank from 1 on: neighbours in rank lie far apart, and no two ranks on one page.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are whole numbers from 1 to pages"
)]
fn scattered(rank: f64, step: usize, pages: usize) -> usize {
    ((rank as usize).clamp(1, pages) - 1).wrapping_mul(step) % pages
}

/// How far apart neighbours in rank lie: about the golden section, without a common divisor.
fn step(pages: usize) -> usize {
    (pages / 1000 * 618 + 1..).find(|&step| common(step, pages) == 1).unwrap_or(1)
}

/// The greatest common divisor.
fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn memory(pages: usize) -> Vec<AtomicU64> {
        (0..pages * PAGE_WORDS).map(|_| AtomicU64::new(0)).collect()
    }

    fn run(workload: Workload, field: &Field<'_>) -> Result<(), Wrong> {
        let mut pattern = Pattern::new(workload, field.pages(), 1).expect("pages");
        pattern.run(field, 0..500)?;
        pattern.run(field, 500..2000)
    }

    #[test]
    fn every_pattern_goes_through_right_memory() {
        let words = memory(64);
        let field = Field::new(&words);
        for workload in WORKLOADS {
            (0..64).for_each(|page| field.fill(page));
            field.changes.iter().for_each(|changes| changes.store(0, Relaxed));
            assert_eq!(run(workload, &field), Ok(()), "{workload:?}");
        }
    }

    #[test]
    fn every_reading_pattern_sees_wrong_memory() {
        for workload in WORKLOADS.into_iter().filter(|workload| !workload.untouched()) {
            let words = memory(64);
            assert!(run(workload, &Field::new(&words)).is_err(), "{workload:?}");
        }
    }

    #[test]
    fn a_lost_write_is_seen() {
        let words = memory(1);
        let field = Field::new(&words);
        field.fill(0);
        field.change(0);
        assert_eq!(field.read(0, 0), Ok(()));
        words[0].store(version(0, 0), Relaxed);
        assert!(field.read(0, 0).is_err());
    }

    #[test]
    fn ranks_are_scattered_over_all_pages() {
        for pages in [4096, 262_144] {
            let place = |rank: usize| scattered(rank as f64, step(pages), pages);
            assert_eq!((1..=pages).map(place).collect::<HashSet<_>>().len(), pages);
            assert!(place(1).abs_diff(place(2)) > 64);
        }
    }
}
