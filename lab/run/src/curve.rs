//! Miss-ratio curves: misses against memory, for several policies.

use crate::{Mode, Sample, StackDistances, Trace, jobs, next_accesses, simulation};
use mager_policies::{BadSpec, Observes};
use std::sync::atomic::{AtomicBool, Ordering};

/// The miss ratio of one policy with one amount of memory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Memory in frames.
    pub frames: u32,
    /// Misses for each access.
    pub ratio: f64,
    /// How far the ratio may be off: for a sampled curve, how far LRU's own curve of the same sample is off here.
    pub error: f64,
}

/// The points of one policy, with rising memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// The policy, as it was asked for.
    pub policy: String,
    /// Whether every point is exact.
    pub exact: bool,
    /// The points.
    pub points: Vec<Point>,
}

/// Curves of several policies over one trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Curves {
    /// In the order asked for.
    pub curves: Vec<Curve>,
    /// The memory beyond which more of it helps LRU little: where its curve lies farthest below a straight line.
    pub knee: Option<Point>,
    /// The footprint of the trace.
    pub pages: u32,
    /// Its accesses.
    pub accesses: u64,
    /// The share of pages sampled; 1 if all.
    pub rate: f64,
}

/// What is to be drawn.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Policies by name, with parameters.
    pub policies: Vec<String>,
    /// Points on each curve.
    pub points: u32,
    /// Pages to sample for policies other than LRU; none: all of them.
    pub sample: Option<u32>,
    /// Threads to use.
    pub threads: usize,
}

/// `count` amounts of memory up to `most` frames, evenly spread over the logarithm, from about a 500th of it.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u32")]
pub fn spread(most: u32, count: u32) -> Vec<u32> {
    let (least, most) = ((f64::from(most) / 500.0).max(1.0), f64::from(most.max(1)));
    let steps = f64::from(count.max(2) - 1);
    let at = |i: u32| (least * (most / least).powf(f64::from(i) / steps)).round() as u32;
    let mut frames: Vec<u32> = (0..count.max(2)).map(at).collect();
    frames.dedup();
    frames
}

/// LRU's exact miss ratios for all numbers of frames up to the footprint.
#[expect(clippy::cast_precision_loss, reason = "ratios")]
fn lru(trace: &Trace) -> Vec<f64> {
    let mut stack = StackDistances::new();
    stack.run(&trace.accesses);
    let total = trace.accesses.len().max(1) as f64;
    stack.finish().curve().into_iter().map(|misses| misses as f64 / total).collect()
}

/// The curves of `plan` over `trace`. `step` is told of each simulation done and of how many there are; once `stop`
/// is set, policies without all their points are left out.
pub fn curves(
    trace: &Trace,
    plan: &Plan,
    stop: &AtomicBool,
    step: impl FnMut(usize, usize),
) -> Result<Curves, BadSpec> {
    plan.policies.iter().try_for_each(|policy| simulation(policy, 1, Mode::Paper).map(drop))?;
    let sizes = spread(trace.pages, plan.points);
    let exact_lru = lru(trace);
    let lru_at = |frames: u32| exact_lru.get(frames as usize).or(exact_lru.last()).copied().unwrap_or(0.0);
    let sample = Sample::of(trace, plan.sample.unwrap_or(u32::MAX));
    let mut ratios = simulate(&sample, plan, &sizes, stop, step);
    let reference = if sample.rate < 1.0 { ratios.pop() } else { None };
    let error_at =
        |i: usize| reference.as_ref().and_then(|r| r[i]).map_or(0.0, |r| (r - lru_at(sizes[i])).abs());
    let curve = |(policy, ratios): (&String, Vec<Option<f64>>)| {
        let exact = policy == "lru" || sample.rate >= 1.0;
        let points = sizes.iter().zip(&ratios).enumerate().map(|(i, (&frames, &ratio))| {
            let ratio = if policy == "lru" { Some(lru_at(frames)) } else { ratio };
            ratio.map(|ratio| Point { frames, ratio, error: if exact { 0.0 } else { error_at(i) } })
        });
        points.collect::<Option<Vec<Point>>>().map(|points| Curve { policy: policy.clone(), exact, points })
    };
    Ok(Curves {
        curves: plan.policies.iter().zip(ratios).filter_map(curve).collect(),
        knee: knee(&sizes, lru_at),
        pages: trace.pages,
        accesses: trace.accesses.len() as u64,
        rate: sample.rate,
    })
}

/// The ratios of each policy at each size; below all of them those of LRU over the same sample, if it is one.
fn simulate(
    sample: &Sample,
    plan: &Plan,
    sizes: &[u32],
    stop: &AtomicBool,
    mut step: impl FnMut(usize, usize),
) -> Vec<Vec<Option<f64>>> {
    let mut policies: Vec<&str> = plan.policies.iter().map(String::as_str).collect();
    if sample.rate < 1.0 {
        policies.push("lru");
    }
    let with_future = policies.iter().any(|policy| policy.starts_with("opt"));
    let next = if with_future { next_accesses(&sample.accesses, sample.pages) } else { Vec::new() };
    let given = plan.policies.len();
    let tasks: Vec<(usize, usize)> = (0..policies.len())
        .filter(|&policy| policies[policy] != "lru" || policy >= given)
        .flat_map(|policy| (0..sizes.len()).map(move |size| (policy, size)))
        .collect();
    let mut ratios = vec![vec![None; sizes.len()]; policies.len()];
    let mut done = 0;
    let job = |number: usize| {
        let (policy, size) = tasks[number];
        misses(policies[policy], sample.frames(sizes[size]), sample, &next, stop)
    };
    jobs::parallel(tasks.len(), plan.threads, stop, job, |number, misses| {
        let (policy, size) = tasks[number];
        ratios[policy][size] = Some(sample.ratio(misses));
        done += 1;
        step(done, tasks.len());
    });
    ratios
}

/// Misses of one policy over the sample; none if stopped on the way.
fn misses(policy: &str, frames: u32, sample: &Sample, next: &[u32], stop: &AtomicBool) -> Option<u64> {
    const PIECE: usize = 1 << 20;
    let mut sim = simulation(policy, frames, Mode::Paper).ok()?;
    let future = sim.needs() == Observes::Future;
    for (number, piece) in sample.accesses.chunks(PIECE).enumerate() {
        let next = if future { &next[number * PIECE..] } else { &[] };
        sim.run(piece, next);
        if stop.load(Ordering::Relaxed) {
            return None;
        }
    }
    Some(sim.counts().faults)
}

/// Whether ratios reach over so many orders of magnitude that only a logarithm shows them all.
#[must_use]
pub fn is_steep(high: f64, low: f64) -> bool {
    low > 0.0 && high / low > 200.0
}

/// The size at which the curve lies farthest below the straight line between its ends, as it is drawn: memory by its
/// logarithm, misses by theirs if they are steep.
fn knee(sizes: &[u32], ratio: impl Fn(u32) -> f64) -> Option<Point> {
    let (&least, &most) = (sizes.first()?, sizes.last()?);
    let steep = is_steep(ratio(least), ratio(most));
    let height = |ratio: f64| if steep { ratio.ln() } else { ratio };
    let (high, low) = (height(ratio(least)), height(ratio(most)));
    if least == most || high - low < 1e-9 {
        return None;
    }
    let below = |frames: u32| {
        let x = (f64::from(frames) / f64::from(least)).ln() / (f64::from(most) / f64::from(least)).ln();
        1.0 - x - (height(ratio(frames)) - low) / (high - low)
    };
    let best = sizes.iter().copied().max_by(|&a, &b| below(a).total_cmp(&below(b)))?;
    (below(best) > 0.02).then(|| Point { frames: best, ratio: ratio(best), error: 0.0 })
}
