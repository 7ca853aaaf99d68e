//! The lab's own machinery against slow and obvious versions of it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mager_lab::{
    Access, Interner, Mode, Observer, Plan, Sample, StackDistances, Trace, curves, next_accesses, simulation,
};
use mager_trace::{Batch, Load, Random, generate};
use std::{collections::HashMap, sync::atomic::AtomicBool};

fn batch(load: &Load, pages: u32, accesses: u64, seed: u64) -> Batch {
    let mut all = Batch::default();
    let made: Result<(), ()> = generate(load, pages, accesses, 0.2, seed, |batch| {
        all.pages.extend(&batch.pages);
        all.writes.extend(&batch.writes);
        Ok(())
    });
    made.unwrap();
    all
}

fn trace(load: &Load, pages: u32, accesses: u64, seed: u64) -> Trace {
    let batch = batch(load, pages, accesses, seed);
    let (mut interner, mut accesses) = (Interner::new(), Vec::new());
    interner.intern(&batch.pages, &batch.writes, &mut accesses);
    Trace { accesses, pages: interner.len(), bad: 0 }
}

fn misses(policy: &str, frames: u32, trace: &Trace) -> u64 {
    let next = next_accesses(&trace.accesses, trace.pages);
    let mut sim = simulation(policy, frames, Mode::Paper).unwrap();
    sim.run(&trace.accesses, &next);
    sim.counts().faults
}

#[test]
fn page_numbers_of_any_size_become_dense_in_order_of_appearance() {
    let mut random = Random::new(3);
    let mut known = HashMap::new();
    let (mut interner, mut out) = (Interner::new(), Vec::new());
    for round in 0..40 {
        // Small, middling and huge numbers, and such as differ in their high bits alone.
        let key = |random: &mut Random| match random.below(4) {
            0 => random.below(100_000),
            1 => (1 << 22) - 50 + random.below(100),
            2 => random.below(3000) << 40,
            _ => random.bits() | 1,
        };
        let pages: Vec<u64> = (0..1000).map(|_| key(&mut random)).collect();
        let writes: Vec<bool> = (0..1000).map(|i| (i + round) % 3 == 0).collect();
        out.clear();
        interner.intern(&pages, &writes, &mut out);
        for ((key, write), access) in pages.iter().zip(&writes).zip(&out) {
            let fresh = u32::try_from(known.len()).unwrap();
            assert_eq!(access.page(), *known.entry(*key).or_insert(fresh));
            assert_eq!(access.write(), *write);
            assert_eq!(interner.key(access.page()), *key);
        }
    }
    assert_eq!(interner.len() as usize, known.len());
}

#[test]
fn stack_distances_give_the_misses_of_lru_at_every_size() {
    for (load, pages) in [
        (Load::Zipf { skew: 0.9 }, 3000),
        (Load::Loop { part: 0.3, rounds: 3 }, 500),
        (Load::Phases { part: 0.1, length: 2000 }, 5000),
    ] {
        let trace = trace(&load, pages, 100_000, 9);
        let mut stack = StackDistances::new();
        trace.accesses.chunks(777).for_each(|piece| stack.run(piece));
        let found = stack.finish();
        let curve = found.curve();
        assert_eq!(curve.len(), trace.pages as usize + 1);
        for frames in [1, 2, 3, 10, 100, 333, 499, 500, 1500, 2999].into_iter().filter(|&f| f <= trace.pages)
        {
            assert_eq!(found.misses(frames), misses("lru", frames, &trace), "{frames} frames");
            assert_eq!(found.misses(frames), curve[frames as usize]);
        }
    }
}

#[test]
fn the_future_is_when_a_page_comes_again() {
    let accesses: Vec<Access> = [0, 1, 0, 2, 1, 0].map(|page| Access::new(page, false)).to_vec();
    let never = u32::MAX;
    assert_eq!(next_accesses(&accesses, 3), [2, 4, 5, never, never, never]);
}

#[test]
fn no_policy_misses_less_than_opt() {
    let trace = trace(&Load::Mix { skew: 0.8, scan: 0.3 }, 2000, 60_000, 5);
    for frames in [10, 200, 1500] {
        let opt = misses("opt", frames, &trace);
        assert!(opt >= u64::from(trace.pages), "every page is missed once");
        for name in mager_policies::Any::NAMES {
            assert!(misses(name, frames, &trace) >= opt, "{name}, {frames} frames");
        }
    }
}

#[test]
fn writes_are_written_back_once_for_each_eviction_of_a_dirty_page() {
    let pages = [0u32, 1, 2, 0, 1, 2];
    let accesses: Vec<Access> = pages.iter().map(|&page| Access::new(page, page == 1)).collect();
    let mut sim = simulation("fifo", 2, Mode::Paper).unwrap();
    sim.run(&accesses, &[]);
    let counts = sim.counts();
    assert_eq!((counts.faults, counts.page_ins, counts.write_backs), (6, 6, 1));
}

#[test]
fn live_mode_gives_untouched_pages_no_frame_until_they_are_written() {
    let accesses = [(0, false), (1, false), (0, true), (2, true), (0, false)];
    let accesses: Vec<Access> = accesses.map(|(page, write)| Access::new(page, write)).to_vec();
    let mut sim = simulation("clock", 2, Mode::Live).unwrap();
    sim.run(&accesses, &[]);
    let counts = sim.counts();
    assert_eq!((counts.faults, counts.page_ins, counts.write_backs), (3, 1, 2));
}

#[test]
fn a_sampled_curve_is_close_and_its_error_is_told() {
    let trace = trace(&Load::Zipf { skew: 0.8 }, 60_000, 1_500_000, 2);
    let policies: Vec<String> = ["lru", "clock", "arc"].map(String::from).to_vec();
    let plan = |sample| Plan { policies: policies.clone(), points: 8, sample, threads: 2 };
    let stop = AtomicBool::new(false);
    let sampled = curves(&trace, &plan(Some(12_000)), &stop, |_, _| ()).unwrap();
    let exact = curves(&trace, &plan(None), &stop, |_, _| ()).unwrap();
    assert!(sampled.rate < 0.25 && exact.rate >= 1.0);
    for (sampled, exact) in sampled.curves.iter().zip(&exact.curves) {
        assert!(exact.exact);
        for (s, e) in sampled.points.iter().zip(&exact.points).filter(|(s, _)| s.frames > 1000) {
            let (off, told) = ((s.ratio - e.ratio).abs(), s.error);
            assert!(off < 0.02, "{}, {} frames: off by {off}", sampled.policy, s.frames);
            assert!(off < told + 0.01, "{}: off by {off}, told {told}", sampled.policy);
        }
    }
    assert_eq!(sampled.curves[0], exact.curves[0], "LRU is exact in both");
}

#[test]
fn a_stopped_run_leaves_out_what_is_not_finished() {
    let trace = trace(&Load::Scan, 100, 5000, 1);
    let plan = Plan { policies: vec!["lru".into(), "clock".into()], points: 4, sample: None, threads: 1 };
    let found = curves(&trace, &plan, &AtomicBool::new(true), |_, _| ()).unwrap();
    let names: Vec<&str> = found.curves.iter().map(|curve| curve.policy.as_str()).collect();
    assert_eq!(names, ["lru"], "LRU needs no simulation");
}

#[test]
fn a_sample_of_everything_is_the_trace() {
    let trace = trace(&Load::Zipf { skew: 1.0 }, 500, 20_000, 8);
    let sample = Sample::of(&trace, u32::MAX);
    assert_eq!(sample.accesses, trace.accesses);
    assert_eq!((sample.pages, sample.frames(77)), (trace.pages, 77));
}

#[test]
fn statistics_count_pages_writes_and_windows() {
    let accesses = [(0, false), (1, true), (0, false), (0, true), (2, false), (3, false)];
    let accesses: Vec<Access> = accesses.map(|(page, write)| Access::new(page, write)).to_vec();
    let mut observer = Observer::new(6 * 256 / 2);
    observer.run(&accesses);
    let stats = observer.finish();
    assert_eq!((stats.pages, stats.writes, stats.written, stats.window), (4, 2, 2, 3));
    let windows: Vec<(u32, u32)> = stats.windows.iter().map(|window| (window.pages, window.fresh)).collect();
    assert_eq!(windows, [(2, 2), (3, 2)]);
    assert_eq!(stats.distances.cold, 4);
}
