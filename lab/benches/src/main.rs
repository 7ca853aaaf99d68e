//! The lab's bars: accesses a second of each policy, reading the trace included, beside a bare read-and-hash pass.
//!
//! `mager-lab-benches [policies] [--accesses N] [--pages N] [--dir DIR]` makes a zipf trace once, then times.

use mager_lab::{Access, Interner, Mode, StackDistances, next_accesses, simulation};
use mager_trace::{Batch, Load, Options, Output, Reader, TraceError, Writer, generate};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What is measured over.
struct Plan {
    accesses: u64,
    pages: u32,
    dir: PathBuf,
    policies: Vec<String>,
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
        Plan { accesses: 20_000_000, pages: 1_000_000, dir: std::env::temp_dir(), policies: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg}: expected a value"));
        match arg.as_str() {
            "--accesses" => plan.accesses = value()?.parse()?,
            "--pages" => plan.pages = value()?.parse()?,
            "--dir" => plan.dir = value()?.into(),
            "--bench" => {}
            policy => plan.policies.push(policy.to_owned()),
        }
    }
    if plan.policies.is_empty() {
        plan.policies =
            POLICIES.iter().chain(&["opt", "lru-curve"]).map(|&policy| policy.to_owned()).collect();
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

fn main() -> Outcome<()> {
    let plan = plan()?;
    let path = trace(&plan)?;
    let frames = plan.pages / 10;
    let millions = |seconds: f64| plan.accesses as f64 / 1e6 / seconds;
    let timed = |run: &mut dyn FnMut() -> Outcome<u64>| -> Outcome<(u64, f64)> {
        let (mut best, mut came) = (f64::MAX, 0);
        for _ in 0..3 {
            let start = Instant::now();
            came = run()?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        Ok((came, best))
    };
    let (pages, bare) = timed(&mut || Ok(u64::from(pass(&path, |_| ())?)))?;
    println!("{} accesses, {pages} pages touched, {frames} frames; best of 3", plan.accesses);
    println!("{:20} {:>10} {:>9} {:>8} {:>9}", "", "M access/s", "x bare", "MiB", "misses");
    println!("{:20} {:10.1} {:9.2}", "bare read and hash", millions(bare), 1.0);
    for policy in &plan.policies {
        reset_peak();
        let (misses, seconds) = timed(&mut || one(&path, policy, frames))?;
        let mib = peak_mib().unwrap_or(0);
        println!("{policy:20} {:10.1} {:9.2} {mib:8} {misses:9}", millions(seconds), seconds / bare);
    }
    Ok(())
}
