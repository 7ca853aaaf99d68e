//! The lab's bars: accesses a second of each policy, reading the trace included, beside a bare read-and-hash pass.
//!
//! `mager-lab-benches [WHAT..] [--accesses N] [--pages N] [--dir DIR]` makes its traces once, then times. WHAT is a
//! policy, `lru-curve`, `lackey` or `footprints`; all policies and the curve by default. Times are those of the CPU
//! where the system tells them, so that what else the machine does counts little.

mod lackey;

use mager_lab::{Access, Interner, Mode, StackDistances, next_accesses, simulation};
use mager_trace::{Batch, Load, Options, Output, Reader, TraceError, Writer, generate};
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What is measured over.
struct Plan {
    accesses: u64,
    pages: u32,
    dir: PathBuf,
    what: Vec<String>,
}

const POLICIES: [&str; 19] = [
    "fifo",
    "clock",
    "sieve",
    "lru",
    "arc",
    "2q",
    "s3-fifo",
    "s3-fifo:counts=1",
    "car",
    "clock-pro",
    "lirs",
    "w-tinylfu",
    "lfu",
    "gclock",
    "mglru",
    "nru",
    "aging",
    "wsclock",
    "random",
];

fn plan() -> Outcome<Plan> {
    let mut plan =
        Plan { accesses: 20_000_000, pages: 1_000_000, dir: std::env::temp_dir(), what: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg}: expected a value"));
        match arg.as_str() {
            "--accesses" => plan.accesses = value()?.parse()?,
            "--pages" => plan.pages = value()?.parse()?,
            "--dir" => plan.dir = value()?.into(),
            "--bench" => {}
            what => plan.what.push(what.to_owned()),
        }
    }
    if plan.what.is_empty() {
        plan.what = POLICIES.iter().chain(&["opt", "lru-curve"]).map(|&policy| policy.to_owned()).collect();
    }
    Ok(plan)
}

/// The trace, made if it is not there.
fn trace(plan: &Plan) -> Outcome<PathBuf> {
    let path = plan.dir.join(format!("zipf-{}-{}.oracleGeneral", plan.accesses, plan.pages));
    if !path.exists() {
        let mut writer = Writer::create(&path, Output::OracleGeneral)?;
        let load = Load::Zipf { skew: 1.0 };
        generate(&load, plan.pages, plan.accesses, 0.0, 1, |batch: &Batch| {
            batch.pages.iter().try_for_each(|&page| writer.push(page, false, None))
        })?;
        writer.finish()?;
    }
    Ok(path)
}

/// Reads and hashes the trace, handing out the accesses.
fn pass(path: &Path, mut each: impl FnMut(&[Access])) -> Result<u32, TraceError> {
    let mut reader = Reader::open(path, &Options::default())?;
    let (mut batch, mut interner, mut accesses) = (Batch::default(), Interner::new(), Vec::new());
    while reader.next_batch(&mut batch)? {
        accesses.clear();
        interner.intern(&batch.pages, &batch.writes, &mut accesses);
        each(&accesses);
    }
    Ok(interner.len())
}

/// Runs one policy; its misses.
fn one(path: &Path, policy: &str, frames: u32) -> Outcome<u64> {
    if policy == "lru-curve" {
        let mut stack = StackDistances::new();
        pass(path, |accesses| stack.run(accesses))?;
        return Ok(stack.finish().misses(frames));
    }
    let mut sim = simulation(policy, frames, Mode::Paper)?;
    if sim.needs() == mager_policies::Observes::Future {
        let mut all = Vec::new();
        let pages = pass(path, |accesses| all.extend_from_slice(accesses))?;
        let next = next_accesses(&all, pages);
        sim.run(&all, &next);
    } else {
        pass(path, |accesses| sim.run(accesses, &[]))?;
    }
    Ok(sim.counts().faults)
}

fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn reset_peak() {
    // Clearing the high-water mark is a privilege; without it the column shows the highest so far.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Seconds this thread has had of a CPU; none where the system does not tell.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(stat.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
}

/// The best of three runs, in seconds, and what came of the last.
fn timed(mut run: impl FnMut() -> Outcome<u64>) -> Outcome<(u64, f64)> {
    let (mut best, mut came) = (f64::MAX, 0);
    for _ in 0..3 {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        came = run()?;
        let wall = start.elapsed().as_secs_f64();
        best = best.min(cpu.zip(cpu_seconds()).map_or(wall, |(before, after)| after - before));
    }
    Ok((came, best))
}

fn policies(plan: &Plan) -> Outcome<()> {
    let path = trace(plan)?;
    let frames = plan.pages / 10;
    let millions = |seconds: f64| plan.accesses as f64 / 1e6 / seconds;
    let (pages, bare) = timed(|| Ok(u64::from(pass(&path, |_| ())?)))?;
    println!("{} accesses, {pages} pages touched, {frames} frames; best of 3", plan.accesses);
    println!("{:20} {:>10} {:>9} {:>8} {:>9}", "", "M access/s", "x bare", "MiB", "misses");
    println!("{:20} {:10.1} {:9.2}", "bare read and hash", millions(bare), 1.0);
    for policy in &plan.what {
        reset_peak();
        let (misses, seconds) = timed(|| one(&path, policy, frames))?;
        let mib = peak_mib().unwrap_or(0);
        println!("{policy:20} {:10.1} {:9.2} {mib:8} {misses:9}", millions(seconds), seconds / bare);
    }
    Ok(())
}

/// A few policies over footprints from 2^12 to 2^24 pages, a tenth resident.
fn footprints(plan: &Plan) -> Outcome<()> {
    const SHOWN: [&str; 4] = ["clock", "lru", "arc", "opt"];
    println!("{:>10} {:>10} {}", "pages", "bare", SHOWN.map(|policy| format!("{policy:>10}")).join(" "));
    for exponent in (12..=24).step_by(2) {
        let accesses = plan.accesses.min(20_000_000);
        let small = Plan { pages: 1 << exponent, accesses, dir: plan.dir.clone(), what: Vec::new() };
        let path = trace(&small)?;
        let per_second = |seconds: f64| format!("{:10.1}", accesses as f64 / 1e6 / seconds);
        let (_, bare) = timed(|| Ok(u64::from(pass(&path, |_| ())?)))?;
        let mut row = vec![per_second(bare)];
        for policy in SHOWN {
            row.push(per_second(timed(|| one(&path, policy, small.pages / 10))?.1));
        }
        println!("{:10} {}", small.pages, row.join(" "));
        std::fs::remove_file(path)?;
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let mut plan = plan()?;
    let mut asked = |what: &str| {
        let before = plan.what.len();
        plan.what.retain(|w| w != what);
        plan.what.len() < before
    };
    let (with_lackey, with_footprints) = (asked("lackey"), asked("footprints"));
    if !plan.what.is_empty() {
        policies(&plan)?;
    }
    if with_lackey {
        lackey::measure(&plan.dir)?;
    }
    if with_footprints {
        footprints(&plan)?;
    }
    std::io::stdout().flush()?;
    Ok(())
}
