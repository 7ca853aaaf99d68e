//! Threads that fault at random over compressed memory and work in between, with the pager pulling them to its CPU where
//! it thinks that it pays, and with the pager leaving them alone.

use super::Figures;
use crate::args::{MeasureJob, PagerJob};
use crate::contents::PAGE_WORDS;
use crate::error::Failure;
use crate::mager::Managed;
use crate::memory::Memory;
use crate::workload::{Field, Wrong};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// MiB touched, of which a quarter is in memory.
const TOUCHED: u32 = 64;
/// For each side, at a scale of 100.
const WHILE: Duration = Duration::from_secs(1);

pub(super) fn measure(job: &MeasureJob) -> Result<Figures, Failure> {
    let turns = turns_in_a_microsecond();
    let pulled = rate(job, false, turns)?;
    let left = rate(job, true, turns)?;
    Ok(vec![("pulled-operations-s", pulled), ("left-operations-s", left), ("pulled-to-left", pulled / left)])
}

/// Operations a second.
fn rate(job: &MeasureJob, no_pull: bool, turns: f64) -> Result<f64, Failure> {
    let pager = PagerJob {
        compressed: Some(2 * TOUCHED),
        no_pull,
        ..PagerJob::new(&job.socket, TOUCHED / 4, TOUCHED)
    };
    let memory = Managed::by(&pager)?;
    let field = Field::new(memory.words());
    (0..field.pages()).for_each(|page| field.fill(page));
    let length = WHILE * job.scale / 100;
    // Whom to pull is found out first.
    together(job, &field, length / 4, turns)?;
    let (operations, seconds) = together(job, &field, length, turns)?;
    memory.flaw().map_or(Ok(operations as f64 / seconds), |flaw| Err(Failure::Unavailable(flaw)))
}

fn together(job: &MeasureJob, field: &Field<'_>, length: Duration, turns: f64) -> Result<(u64, f64), Wrong> {
    let (over, start) = (AtomicBool::new(false), Instant::now());
    let work = f64::from(job.measure.work_us) * turns;
    std::thread::scope(|scope| {
        let one = |seed| {
            let over = &over;
            scope.spawn(move || until(over, field, seed, work))
        };
        let threads: Vec<_> = (0..u64::from(job.measure.threads)).map(one).collect();
        std::thread::sleep(length);
        over.store(true, Relaxed);
        let mut operations = 0;
        for thread in threads {
            operations += thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok((operations, start.elapsed().as_secs_f64()))
    })
}

fn until(over: &AtomicBool, field: &Field<'_>, seed: u64, work: f64) -> Result<u64, Wrong> {
    let (mut random, mut operations) = (SmallRng::seed_from_u64(seed), 0);
    while !over.load(Relaxed) {
        let place = random.random_range(0..field.pages() * PAGE_WORDS);
        field.read(place / PAGE_WORDS, place % PAGE_WORDS)?;
        spin(work);
        operations += 1;
    }
    Ok(operations)
}

/// Work that takes its time on a CPU, and not by a clock that goes on while others run there.
fn spin(turns: f64) {
    let mut left = turns;
    while left > 0.0 {
        left = black_box(left) - 1.0;
    }
}

fn turns_in_a_microsecond() -> f64 {
    const TURNS: f64 = 1e6;
    let one = || {
        let start = Instant::now();
        spin(TURNS);
        start.elapsed().as_secs_f64() * 1e6
    };
    TURNS / (0..9).map(|_| one()).fold(f64::MAX, f64::min)
}
