//! What the pager needs for itself: memory beside the frames, and CPU time while nobody asks anything of it.

use super::Figures;
use crate::args::{MeasureJob, PagerJob};
use crate::error::{At, Failure};
use crate::mager::Managed;
use crate::memory::Memory;
use crate::workload::Field;
use std::time::{Duration, Instant};

/// How long the pager is watched at a scale of 100.
const WATCHED: Duration = Duration::from_secs(3);
/// What was begun is finished in this time.
const SETTLES: Duration = Duration::from_millis(500);

pub(super) fn measure(job: &MeasureJob) -> Result<Figures, Failure> {
    let memory = Managed::by(&PagerJob::new(&job.socket, job.allowed, job.touched))?;
    let pager = memory.pager();
    let empty = kib(pager, "RssAnon:")?;
    let field = Field::new(memory.words());
    (0..field.pages()).for_each(|page| field.fill(page));
    std::thread::sleep(SETTLES);
    let full = kib(pager, "RssAnon:")?;
    let managed = f64::from(job.touched) * 1024.0;
    let (cpu, switches) = idle(pager, WATCHED * job.scale / 100)?;
    Ok(vec![
        ("idle-cpu-ms-s", cpu),
        ("idle-wake-ups-s", switches),
        ("own-mib-before", empty / 1024.0),
        ("own-mib-full", full / 1024.0),
        ("grown-per-managed", (full - empty) / managed),
        ("own-per-managed", full / managed),
    ])
}

/// Milliseconds of CPU time, and waits that ended, a second.
fn idle(pager: u32, length: Duration) -> Result<(f64, f64), Failure> {
    let (start, before) = (Instant::now(), (cpu_ns(pager)?, waits(pager)?));
    std::thread::sleep(length);
    let seconds = start.elapsed().as_secs_f64();
    Ok(((cpu_ns(pager)? - before.0) / 1e6 / seconds, (waits(pager)? - before.1) / seconds))
}

/// Of all threads: the first number of each one's `schedstat`.
fn cpu_ns(pager: u32) -> Result<f64, Failure> {
    each_thread(pager, "schedstat", |text| text.split_whitespace().next()?.parse().ok())
}

fn waits(pager: u32) -> Result<f64, Failure> {
    each_thread(pager, "status", |text| number(text, "voluntary_ctxt_switches:"))
}

fn each_thread(pager: u32, file: &str, value: impl Fn(&str) -> Option<f64>) -> Result<f64, Failure> {
    let dir = format!("/proc/{pager}/task");
    let mut sum = 0.0;
    for thread in std::fs::read_dir(&dir).at(&dir)? {
        let path = thread.at(&dir)?.path().join(file);
        let text = std::fs::read_to_string(&path).at(&path)?;
        sum += value(&text).ok_or_else(|| missing(&path.display().to_string()))?;
    }
    Ok(sum)
}

fn kib(pager: u32, name: &str) -> Result<f64, Failure> {
    let path = format!("/proc/{pager}/status");
    let text = std::fs::read_to_string(&path).at(&path)?;
    number(&text, name).ok_or_else(|| missing(&path))
}

fn number(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn missing(path: &str) -> Failure {
    Failure::Unavailable(format!("{path} does not tell what is wanted"))
}
