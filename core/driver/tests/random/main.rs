//! Random runs against an independent oracle of bytes: a model that never evicts anything.
//!
//! Every kind of machine there is (both sharings, all reference bits, every policy, working ahead or not), with I/O
//! answered at once or later and in any order, well or not. After each step the core checks itself. At the end all
//! who wait are resumed, every byte is right, and every count is back where it began. A failure prints its seed:
//! `MAGER_SEED=17 cargo test -p mager-driver --test random` runs that one alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod machine;
mod oracle;
mod run;

use run::{Run, Shape};

/// How many seeds each test takes: set `MAGER_SEEDS` for more.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("MAGER_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MAGER_SEEDS").unwrap_or(200),
    }
}

fn play(shape: Shape) {
    for seed in seeds() {
        let played = std::panic::catch_unwind(|| Run::new(seed, shape).play());
        if let Err(cause) = played {
            eprintln!("MAGER_SEED={seed} fails as {shape:?}");
            std::panic::resume_unwind(cause);
        }
    }
}

#[test]
fn every_io_answered_at_once() {
    play(Shape { at_once: true, failures: false });
}

#[test]
fn every_io_answered_at_once_and_some_fail() {
    play(Shape { at_once: true, failures: true });
}

#[test]
fn many_ios_in_flight_answered_in_any_order() {
    play(Shape { at_once: false, failures: false });
}

#[test]
fn many_ios_in_flight_and_some_fail() {
    play(Shape { at_once: false, failures: true });
}
