//! Sorts 1 GiB of numbers in 64 MiB of memory, and checks them: `cargo run --release -p mager --example sort`.
//!
//! `sort [MIB [MEMORY_MIB [COMPRESSED_MIB]]]`; the pager is the program `mager` (`cargo build --release`), or with
//! `MAGER_IN_THREAD` set a thread.

use mager::{Error, Pager, Region};
use std::process::ExitCode;
use std::time::Instant;

const MIB: usize = 1 << 20;

fn argument(place: usize, otherwise: usize) -> usize {
    std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn timed<R>(what: &str, mib: usize, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let rate = mib as f64 / seconds;
    println!("{what:8} {seconds:7.1} s  {rate:7.1} MiB/s");
    result
}

/// Numbers from one seed (splitmix64); what they add up to.
fn fill(numbers: &mut [u64]) -> u64 {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB)
    };
    numbers.iter_mut().fold(0, |sum: u64, number| {
        *number = next();
        sum.wrapping_add(*number)
    })
}

fn check(numbers: &[u64], sum: u64) {
    assert!(numbers.is_sorted(), "a number is out of order");
    let now = numbers.iter().fold(0, |sum: u64, number| sum.wrapping_add(*number));
    assert_eq!(now, sum, "numbers were lost");
}

fn main() -> ExitCode {
    match sort() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sort: {why}");
            ExitCode::FAILURE
        }
    }
}

fn sort() -> Result<(), Error> {
    let (mib, memory, compressed) = (argument(1, 1024), argument(2, 64), argument(3, 0));
    let pager = Pager::builder().memory((memory * MIB) as u64).swap((mib * MIB) as u64);
    let pager = pager.compressed((compressed * MIB) as u64);
    let pager = if std::env::var_os("MAGER_IN_THREAD").is_some() { pager.in_thread() } else { pager };
    let pager = pager.start()?;
    let mut numbers: Region<u64> = pager.arena()?.region(mib * MIB / size_of::<u64>())?;
    println!("{mib} MiB of numbers in {memory} MiB of memory and {compressed} MiB compressed");
    let sum = timed("filled", mib, || fill(&mut numbers));
    timed("sorted", mib, || numbers.sort_unstable());
    timed("checked", mib, || check(&numbers, sum));
    let figures = pager.statistics()?;
    println!("{} faults, {} page-ins, {} write-backs", figures.faults, figures.page_ins, figures.write_backs);
    Ok(())
}
