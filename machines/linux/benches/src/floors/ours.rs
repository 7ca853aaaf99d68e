//! What a fault costs through Mager, the pager on the CPU of the thread that faults, as in the bare round trips.

use super::Floor;
use super::fault::{cpus, pin};
use crate::args::{FloorJob, PagerJob};
use crate::contents::{PAGE_WORDS, word};
use crate::error::{At, Failure};
use crate::mager::Managed;
use crate::memory::Memory;
use crate::sys;
use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// MiB of frames; twice as much is touched where pages are to be out of memory.
const FRAMES: u32 = 64;
const PAGES: u32 = FRAMES * 256;
/// Pages touched under the clock: fewer than there are free frames, so that nothing has to leave for them.
const TIMED: u32 = PAGES / 2;

/// Microseconds for a page.
pub(super) fn measure(job: &FloorJob) -> Result<f64, Failure> {
    let (near, _) = cpus()?;
    pin(near)?;
    let touched = if out_of_memory(job.floor) { 2 * FRAMES } else { FRAMES };
    let pager = PagerJob {
        compressed: Some(4 * FRAMES),
        cpu: Some(near),
        no_read_ahead: true,
        policy: "fifo".into(),
        ..PagerJob::new(&job.socket, FRAMES, touched)
    };
    let memory = Managed::by(&pager)?;
    prepare(job.floor, &memory)?;
    let (page_ins, faults) = (memory.page_ins(), memory.faults());
    let us = touch(&memory);
    let (page_ins, faults) = (memory.page_ins() - page_ins, memory.faults() - faults);
    let expected = if out_of_memory(job.floor) { u64::from(TIMED) } else { 0 };
    if page_ins != expected || faults < u64::from(TIMED) {
        let why = format!("{page_ins} page-ins and {faults} faults for {TIMED} pages");
        return Err(Failure::Unavailable(why));
    }
    Ok(us)
}

fn out_of_memory(floor: Floor) -> bool {
    matches!(floor, Floor::MagerSame | Floor::MagerCompressed)
}

/// Brings the first pages to where the floor wants them.
fn prepare(floor: Floor, memory: &Managed) -> Result<(), Failure> {
    match floor {
        Floor::MagerContinue => {
            fill(memory, TIMED, word);
            sys::zap(&memory.arena, memory.pages).of("dropping entries")
        }
        Floor::MagerSame | Floor::MagerCompressed => {
            let one = |page: usize, _| word(page, 16);
            let content: fn(usize, usize) -> u64 = if floor == Floor::MagerSame { one } else { word };
            fill(memory, 2 * PAGES, content);
            // Those in memory go, which makes room for the others.
            memory.discard_from(PAGES)
        }
        _ => Ok(()),
    }
}

fn fill(memory: &Managed, pages: u32, content: impl Fn(usize, usize) -> u64) {
    let pages = memory.words().chunks(PAGE_WORDS).take(pages as usize).enumerate();
    for (number, page) in pages {
        page.iter().enumerate().for_each(|(index, place)| place.store(content(number, index), Relaxed));
    }
}

/// Reads a word of each page.
fn touch(memory: &Managed) -> f64 {
    let start = Instant::now();
    for page in memory.words().chunks(PAGE_WORDS).take(TIMED as usize) {
        black_box(page[0].load(Relaxed));
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMED)
}
