//! `mager lab run`: policies over traces.

use crate::{
    LabError,
    input::{Input, policies, threads},
    interrupt,
    progress::Progress,
    table::{Row, Shape, shown},
};
use clap::Args;
use mager_lab::{
    Access, Counts, Memory, Mode, Simulation, Trace, next_accesses, parallel, simulation, stream,
};
use mager_policies::Observes;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Accesses between two looks at whether the user wants to stop.
const PIECE: usize = 1 << 20;

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The traces; `-` is standard input.
    #[arg(required = true)]
    traces: Vec<PathBuf>,
    /// Policies with their parameters (clock,s3-fifo:small=0.2), or all.
    #[arg(long, value_delimiter = ',', default_value = "all")]
    policy: Vec<String>,
    /// Amounts of memory: shares of the footprint (10%), bytes (64MiB) or pages (100000p).
    #[arg(long, value_delimiter = ',', default_value = "10%")]
    memory: Vec<Memory>,
    /// How to count: paper (as papers and simulators do) or live (as the machines do).
    #[arg(long, default_value = "paper", value_parser = mode)]
    mode: Mode,
    /// Do not compare with the optimum: the trace is then streamed, and memory does not depend on its length.
    #[arg(long)]
    no_opt: bool,
    /// Instead: how much memory each policy needs for this miss ratio.
    #[arg(long, value_name = "RATIO")]
    miss_ratio: Option<f64>,
    /// Also show what page-ins and write-backs take on a device of this latency (100us, 5ms).
    #[arg(long, value_parser = latency)]
    latency: Option<Duration>,
    /// Print JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV.
    #[arg(long)]
    csv: bool,
    /// Threads [default: one for each CPU].
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    input: Input,
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "paper" => Ok(Mode::Paper),
        "live" => Ok(Mode::Live),
        _ => Err("expected paper or live".into()),
    }
}

fn latency(text: &str) -> Result<Duration, String> {
    let units = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let found = units.iter().find_map(|(unit, by)| Some((text.strip_suffix(unit)?.parse::<f64>().ok()?, by)));
    let seconds = found.map(|(number, by)| number * by).filter(|s| (0.0..1e6).contains(s));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a time, such as 100us or 5ms".into())
}

/// Carries it out.
pub(crate) fn run(args: &RunArgs) -> Result<(), LabError> {
    let policies = policies(&args.policy)?;
    let shape = if args.json {
        Shape::Json
    } else if args.csv {
        Shape::Csv
    } else {
        Shape::Table
    };
    let mut rows = Vec::new();
    let mut all = 0;
    let mut failed = None;
    for path in &args.traces {
        let task = Task { args, path, policies: &policies };
        let done = if let Some(ratio) = args.miss_ratio {
            task.needed(ratio)
        } else if args.no_opt {
            task.streamed()
        } else {
            task.loaded()
        };
        match done {
            Ok((found, asked)) => {
                rows.extend(found);
                all += asked;
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
        if interrupt::stopped() {
            break;
        }
    }
    print!("{}", shown(&rows, shape));
    match failed {
        Some(error) => Err(error),
        None if interrupt::stopped() => Err(LabError::Interrupted { finished: rows.len(), all }),
        None => Ok(()),
    }
}

/// One trace's share of the work.
struct Task<'a> {
    args: &'a RunArgs,
    path: &'a Path,
    policies: &'a [String],
}

/// Rows finished, and how many were asked for.
type Rows = Result<(Vec<Row>, usize), LabError>;

impl Task<'_> {
    fn frames(&self, memory: Memory, footprint: u32) -> u32 {
        memory.frames(footprint, self.args.input.page_size())
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds and ratios for people")]
    fn row(
        &self,
        policy: &str,
        memory: String,
        frames: u32,
        pages: u32,
        counts: Counts,
        opt: Option<u64>,
    ) -> Row {
        let transfers = (counts.page_ins + counts.write_backs) as f64;
        Row {
            trace: self.path.display().to_string(),
            policy: policy.to_owned(),
            memory,
            frames,
            accesses: counts.accesses,
            pages,
            faults: counts.faults,
            miss_ratio: counts.miss_ratio(),
            page_ins: counts.page_ins,
            write_backs: counts.write_backs,
            over_opt: opt.map(|opt| if opt == 0 { 0.0 } else { counts.faults as f64 / opt as f64 - 1.0 }),
            device_seconds: self.args.latency.map(|latency| transfers * latency.as_secs_f64()),
        }
    }

    /// All policies and sizes over the trace in memory, several at once, and the optimum for each size.
    fn loaded(&self) -> Rows {
        let trace = self.args.input.load(self.path)?;
        let next = next_accesses(&trace.accesses, trace.pages);
        let memories = &self.args.memory;
        // The optimum comes first, whether or not it is shown.
        let specs: Vec<&str> =
            std::iter::once("opt").chain(self.policies.iter().map(String::as_str)).collect();
        let count = specs.len() * memories.len();
        let mut found = vec![None; count];
        let mut progress = Progress::new("running");
        let job = |number: usize| {
            let (spec, memory) = (specs[number / memories.len()], memories[number % memories.len()]);
            over(&trace, &next, spec, self.frames(memory, trace.pages), self.args.mode)
        };
        let mut done = 0;
        parallel(count, threads(self.args.threads), interrupt::flag(), job, |number, counts| {
            found[number] = Some(counts);
            done += 1;
            progress.step(done, count);
        });
        drop(progress);
        let mut rows = Vec::new();
        for (m, &memory) in memories.iter().enumerate() {
            let frames = self.frames(memory, trace.pages);
            for (p, policy) in self.policies.iter().enumerate() {
                if let Some(counts) = found[(p + 1) * memories.len() + m] {
                    let opt = found[m].map(|opt: Counts| opt.faults);
                    rows.push(self.row(policy, memory.to_string(), frames, trace.pages, counts, opt));
                }
            }
        }
        Ok((rows, self.policies.len() * memories.len()))
    }

    /// All policies and sizes side by side over the trace as it is read; twice if shares of it are asked for.
    fn streamed(&self) -> Rows {
        let options = self.args.input.options();
        let share = self.args.memory.iter().find(|memory| matches!(memory, Memory::Share(_)));
        let footprint = match share {
            None => 0,
            Some(share) if self.path.as_os_str() == "-" => {
                return Err(LabError::ShareOfStdin(share.to_string()));
            }
            Some(_) => stream(self.path, &options, |_| !interrupt::stopped())?.0,
        };
        let mut sims = Vec::new();
        for &memory in &self.args.memory {
            for policy in self.policies {
                let frames = self.frames(memory, footprint);
                let sim = self.simulation(policy, frames)?;
                if sim.needs() == Observes::Future {
                    return Err(LabError::OptStreamed);
                }
                sims.push((policy, memory, frames, sim));
            }
        }
        let mut progress = Progress::new("running");
        let mut accesses = 0;
        let (pages, bad) = stream(self.path, &options, |batch| {
            sims.iter_mut().for_each(|(_, _, _, sim)| sim.run(batch, &[]));
            accesses += batch.len() as u64;
            progress.count(accesses);
            !interrupt::stopped()
        })?;
        drop(progress);
        self.args.input.check(self.path, accesses, bad)?;
        let asked = sims.len();
        // What was stopped on the way would count only part of the trace.
        let finished = if interrupt::stopped() { Vec::new() } else { sims };
        let rows = finished.iter().map(|(policy, memory, frames, sim)| {
            self.row(policy, memory.to_string(), *frames, pages, sim.counts(), None)
        });
        Ok((rows.collect(), asked))
    }

    fn simulation(&self, spec: &str, frames: u32) -> Result<Box<dyn Simulation>, LabError> {
        let made = simulation(spec, frames, self.args.mode);
        made.map_err(|source| LabError::Policy { spec: spec.to_owned(), source })
    }

    /// The least memory with which each policy's miss ratio is at most `ratio`, by bisection. (Policies that are not
    /// stack algorithms may, rarely, do as well with less.)
    fn needed(&self, ratio: f64) -> Rows {
        let trace = self.args.input.load(self.path)?;
        let next = next_accesses(&trace.accesses, trace.pages);
        let job = |number: usize| {
            let spec = &self.policies[number];
            let misses = |frames| over(&trace, &next, spec, frames, self.args.mode);
            let (mut low, mut high) = (0, trace.pages);
            let mut best = misses(high)?;
            if best.miss_ratio() > ratio {
                return Some((high, best, false));
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let counts = misses(middle)?;
                if counts.miss_ratio() <= ratio {
                    (high, best) = (middle, counts);
                } else {
                    low = middle;
                }
            }
            Some((high, best, true))
        };
        let mut found = vec![None; self.policies.len()];
        let (count, threads) = (self.policies.len(), threads(self.args.threads));
        parallel(count, threads, interrupt::flag(), job, |number, result| found[number] = Some(result));
        let page_size = self.args.input.page_size();
        let rows = self.policies.iter().zip(found).filter_map(|(policy, found)| {
            let (frames, counts, reached) = found?;
            if !reached {
                eprintln!(
                    "{policy}: even with all {frames} pages resident its miss ratio is {}",
                    counts.miss_ratio()
                );
                return None;
            }
            let memory = mager_lab::bytes_text(u64::from(frames) * page_size);
            Some(self.row(policy, memory, frames, trace.pages, counts, None))
        });
        Ok((rows.collect(), count))
    }
}

/// One policy over a whole trace; none if the user stopped it.
fn over(trace: &Trace, next: &[u32], spec: &str, frames: u32, mode: Mode) -> Option<Counts> {
    let mut sim = simulation(spec, frames, mode).ok()?;
    let future = sim.needs() == Observes::Future;
    let pieces: std::slice::Chunks<'_, Access> = trace.accesses.chunks(PIECE);
    for (number, piece) in pieces.enumerate() {
        sim.run(piece, if future { &next[number * PIECE..] } else { &[] });
        if interrupt::stopped() {
            return None;
        }
    }
    Some(sim.counts())
}
