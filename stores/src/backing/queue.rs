//! Jobs that wait for `submit`, and how neighbours among them become one run.

use super::Backing;
use crate::engine::{Job, MOST_JOINED, Run};
use crate::place::wide;
use crate::sys::Toward;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) jobs: Vec<Job>,
    /// Jobs that the engine has.
    pub(super) in_engine: usize,
    /// Emptied runs, whose vectors are used again.
    spare: Vec<Run>,
}

impl Queue {
    /// Neither here nor with the engine is anything.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.in_engine == 0
    }

    pub(super) fn run(&mut self) -> Run {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn put_back(&mut self, mut run: Run) {
        run.jobs.clear();
        self.spare.push(run);
    }

    pub(super) fn run_of(&mut self, job: Job) -> Run {
        let mut run = self.run();
        run.jobs.push(job);
        run
    }

    /// Reads first, as somebody waits for them; then by place, so that neighbours are next to each other.
    fn sort(&mut self) {
        self.jobs.sort_unstable_by_key(|job| {
            (job.toward() == Toward::Store, Arc::as_ptr(&job.file).addr(), job.offset)
        });
    }
}

impl Backing {
    /// The one job there is, if it is a read.
    pub(super) fn lone_read(&mut self) -> Option<Job> {
        match self.queue.jobs.as_slice() {
            [job] if job.toward() == Toward::Memory && self.queue.in_engine == 0 => self.queue.jobs.pop(),
            _ => None,
        }
    }

    pub(super) fn start_queued(&mut self) {
        if self.queue.jobs.is_empty() {
            return;
        }
        self.queue.sort();
        let mut jobs = std::mem::take(&mut self.queue.jobs);
        let mut run = self.queue.run();
        for job in jobs.drain(..) {
            let joins = run.jobs.last().is_some_and(|last| last.joins(&job)) && run.jobs.len() < MOST_JOINED;
            if !joins && !run.jobs.is_empty() {
                let next = self.queue.run();
                self.start(std::mem::replace(&mut run, next));
            }
            run.jobs.push(job);
        }
        self.queue.jobs = jobs;
        self.start(run);
        self.engine.submit();
    }

    pub(super) fn start(&mut self, run: Run) {
        self.figures.runs += 1;
        if run.jobs.len() > 1 {
            self.figures.joined += wide(run.jobs.len());
        }
        self.queue.in_engine += run.jobs.len();
        self.engine.start(run);
    }
}
