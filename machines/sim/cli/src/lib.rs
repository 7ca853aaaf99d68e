//! `mager sim`: the simulated machine as a tool.
//!
//! Owns options, progress and reports; what a world is and how it is shrunk is in `mager-sim`.
#![forbid(unsafe_code)]

mod args;
mod hunt;
mod interrupt;
mod report;

pub use args::{ReferencesArg, SharingArg, SimArgs};
pub use hunt::{Hunt, hunt};

use mager_sim::{Failure, Scenario, operations, shrink, tell};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Runs that a shrink may take.
const SHRINK_RUNS: u32 = 20_000;

/// Does what `args` say. The exit code is 1 if a world went wrong, 2 if the options cannot be followed, 130 if Ctrl-C
/// ended it before anything went wrong.
#[must_use]
pub fn run(args: &SimArgs) -> ExitCode {
    let done = match (&args.scenario, args.exhaustive) {
        (Some(file), _) => run_scenario(file),
        (None, Some(depth)) => Ok(search(args, depth)),
        (None, None) => run_seeds(args),
    };
    match done {
        Ok(true) if interrupt::stopped() => ExitCode::from(interrupt::STATUS),
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("mager sim: {why}");
            ExitCode::from(2)
        }
    }
}

fn run_scenario(file: &Path) -> Result<bool, String> {
    let text =
        std::fs::read_to_string(file).map_err(|why| format!("cannot read {}: {why}", file.display()))?;
    let scenario: Scenario = text.parse().map_err(|why| format!("{}: {why}", file.display()))?;
    let (lines, result) = tell(scenario.setup, &scenario.ops);
    println!("{}", report::story(&lines));
    match result {
        Ok(stats) => println!("\nnothing is wrong: {} accesses, {} checks", stats.accesses, stats.checks),
        Err(ref failure) => println!("\nwrong: {}", failure.message),
    }
    Ok(result.is_ok())
}

fn run_seeds(args: &SimArgs) -> Result<bool, String> {
    let first = args.seed.unwrap_or_else(fresh_seed);
    if let Err(why) = args.setup(first).config().checked() {
        return Err(format!("such a world is not possible: {why}"));
    }
    eprintln!("seed {first}");
    interrupt::listen();
    let hunt = hunt(args, first, |hunt| eprintln!("{}", report::progress(hunt)));
    let shrunk = hunt.failure.as_ref().map(|(seed, failure)| shrunk(args, *seed, failure));
    if let (Some(scenario), Some(file)) = (&shrunk, &args.save) {
        std::fs::write(file, scenario.to_string())
            .map_err(|why| format!("cannot write {}: {why}", file.display()))?;
    }
    if args.json {
        println!("{}", report::json(&hunt, shrunk.map(|scenario| scenario.to_string()).as_deref()));
    } else {
        print!("{}", report::summary(&hunt));
        tell_failure(&hunt, shrunk.as_ref());
    }
    Ok(hunt.failure.is_none())
}

/// Every sequence of operations in each small world; the time is shared out among them. Ctrl-C ends it after what was
/// reached is told.
fn search(args: &SimArgs, depth: u32) -> bool {
    interrupt::listen();
    let worlds = args.small_worlds();
    let all = args.time.unwrap_or(Duration::from_secs(3600));
    let each = all / u32::try_from(worlds.len()).unwrap_or(1);
    for (number, small) in worlds.iter().enumerate() {
        println!("{}", small.setup.to_string().replace('\n', "; "));
        let end = Instant::now() + each;
        let reached = small.search_while(depth, &|| Instant::now() <= end && !interrupt::stopped());
        println!(
            "    depth {}: {} states, {} operations tried",
            reached.depth, reached.states, reached.tried
        );
        if let Some((ops, failure)) = reached.failure {
            println!("wrong: {}\n\n{}", failure.message, Scenario { setup: small.setup, ops });
            return false;
        }
        if interrupt::stopped() {
            println!("interrupted: {number} of {} worlds were searched before this one", worlds.len());
            break;
        }
    }
    true
}

/// A seed nobody has tried: the time, in nanoseconds.
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    mager_sim::scramble(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32) >> 16
}

/// The fewest operations that fail as the world of `seed` does; all of them if they fail only at first sight.
fn shrunk(args: &SimArgs, seed: u64, failure: &Failure) -> Scenario {
    eprintln!("seed {seed} fails after {} operations", failure.operations);
    let setup = args.setup(seed);
    let ops = operations(setup, seed, args.steps, args.watch());
    if args.no_shrink {
        return Scenario { setup, ops };
    }
    let ops = shrink(setup, &ops, SHRINK_RUNS).map_or(ops, |(ops, _)| ops);
    Scenario { setup, ops }
}

fn tell_failure(hunt: &Hunt, shrunk: Option<&Scenario>) {
    if let (Some((seed, failure)), Some(scenario)) = (&hunt.failure, shrunk) {
        println!("\nwrong at seed {seed}: {}\n", failure.message);
        println!("# scenario, {} operations; run it again with --scenario FILE", scenario.ops.len());
        println!("{scenario}");
        let (lines, result) = tell(scenario.setup, &scenario.ops);
        println!("# story\n{}", report::story(&lines));
        if let Err(failure) = result {
            println!("wrong: {}", failure.message);
        }
    }
}
