//! Eight threads that read at random over the swap file through Mager, and eight that read the same file with direct reads
//! that block: one after the other in one process.

use super::Figures;
use crate::args::{MeasureJob, PagerJob};
use crate::error::{At, Failure};
use crate::floors;
use crate::mager::Managed;
use crate::memory::Memory;
use crate::workload::{Field, Pattern, Workload};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Instant;

pub(super) fn measure(job: &MeasureJob) -> Result<Figures, Failure> {
    let swap_file = Some(job.swap_file.clone());
    let memory =
        Managed::by(&PagerJob { swap_file, ..PagerJob::new(&job.socket, job.allowed, job.touched) })?;
    let (operations, page_ins) = through_mager(job, &memory)?;
    if let Some(flaw) = memory.flaw() {
        return Err(Failure::Unavailable(flaw));
    }
    let reads = by_reading(job, memory.figure("swap_assigned"))?;
    Ok(vec![
        ("mager-operations-s", operations),
        ("mager-page-ins-s", page_ins),
        ("reads-s", reads),
        ("operations-to-reads", operations / reads),
        ("page-ins-to-reads", page_ins / reads),
    ])
}

/// Operations and page-ins a second.
fn through_mager(job: &MeasureJob, memory: &Managed) -> Result<(f64, f64), Failure> {
    let field = Field::new(memory.words());
    let none = || Failure::Unavailable("no memory to touch".into());
    let mut pattern = Pattern::new(Workload::Random8, field.pages(), 1).ok_or_else(none)?;
    let (before, timed) = Workload::Random8.operations(field.pages(), job.scale);
    (0..field.pages()).for_each(|page| field.fill(page));
    pattern.run(&field, 0..before)?;
    let (page_ins, start) = (memory.page_ins(), Instant::now());
    pattern.run(&field, before..before + timed)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((timed as f64 / seconds, (memory.page_ins() - page_ins) as f64 / seconds))
}

/// Reads a second, of blocks that hold pages.
fn by_reading(job: &MeasureJob, blocks: u64) -> Result<f64, Failure> {
    if blocks == 0 {
        return Err(Failure::Unavailable("nothing was written to the swap file".into()));
    }
    let path = &job.swap_file;
    let file = File::options().read(true).custom_flags(libc::O_DIRECT).open(path).at(path)?;
    let (_, timed) = Workload::Random8.operations(1, job.scale);
    let each = usize::try_from(timed / floors::READERS).unwrap_or(1).max(1);
    let start = Instant::now();
    let reads = floors::together(&file, blocks, each).at(path)?;
    Ok(reads as f64 / start.elapsed().as_secs_f64())
}
