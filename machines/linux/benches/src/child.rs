//! One measured process: joins its control group, fills the memory, warms up, and times a workload.

use crate::args::ChildJob;
use crate::contents::PAGE_BYTES;
use crate::error::{At, Failure};
use crate::memory::{self, Memory};
use crate::workload::{Field, Pattern};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What a measured process tells.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    pub(crate) page_ins: u64,
    pub(crate) faults: u64,
}

impl Figures {
    pub(crate) fn rate(&self) -> f64 {
        self.operations as f64 / self.seconds
    }

    pub(crate) fn page_ins_each(&self) -> f64 {
        self.page_ins as f64 / self.operations as f64
    }
}

/// Does the job and prints its figures.
pub(crate) fn run(job: &ChildJob) -> Result<(), Failure> {
    crate::sys::end_with_parent().of("asking to be ended with the parent")?;
    if let Some(group) = &job.group {
        let procs = group.join("cgroup.procs");
        std::fs::write(&procs, "0").at(&procs)?;
    }
    let memory = memory::open(job)?;
    let figures = measure(job, memory.as_ref())?;
    if let Some(flaw) = memory.flaw() {
        return Err(Failure::Unavailable(flaw));
    }
    println!("{}", serde_json::json!(figures));
    Ok(())
}

fn measure(job: &ChildJob, memory: &dyn Memory) -> Result<Figures, Failure> {
    let pages = memory.words().len() * 8 / PAGE_BYTES;
    let field = Field::new(memory.words());
    let (before, timed) = job.workload.operations(pages, job.scale);
    let pattern = Pattern::new(job.workload, pages, job.seed);
    let mut pattern = pattern.ok_or_else(|| Failure::Unavailable("no memory to touch".into()))?;
    if !job.workload.untouched() {
        (0..pages).for_each(|page| field.fill(page));
        memory.settle()?;
    }
    pattern.run(&field, 0..before)?;
    let (page_ins, faults, start) = (memory.page_ins(), memory.faults(), Instant::now());
    pattern.run(&field, before..before + timed)?;
    let seconds = start.elapsed().as_secs_f64();
    let (page_ins, faults) = (memory.page_ins() - page_ins, memory.faults() - faults);
    Ok(Figures { operations: timed, seconds, page_ins, faults })
}
