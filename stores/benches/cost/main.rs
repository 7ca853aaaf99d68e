//! What a backing costs beside the bare calls: each row is a backing's time, that of the bare calls, and the ratio.
//!
//! `cargo bench -p mager-stores [-- DIRECTORY]`: the swap file is made in the directory (default: the system's for
//! temporary files), 512 MiB, without a name. Medians of five, the two sides by turns. Neither side has its pages in
//! the page cache.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]

mod device;
mod memory;
mod sys;

use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;
use std::time::Duration;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(((self.next() >> 32) * u64::from(limit)) >> 32).unwrap()
    }
}

/// Which clock: work in memory is counted in this thread's own time, so that other load does not show.
#[derive(Clone, Copy)]
enum Count {
    Thread,
    Wall,
}

impl Count {
    fn now(self) -> Duration {
        let clock = match self {
            Count::Thread => ClockId::ThreadCPUTime,
            Count::Wall => ClockId::Monotonic,
        };
        Duration::try_from(clock_gettime(clock)).unwrap()
    }
}

/// Microseconds per page of `ours` and of `bare`, by turns, the medians of five.
fn row(name: &str, count: Count, pages: u32, mut ours: impl FnMut(), mut bare: impl FnMut()) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        a.push(timed(count, pages, &mut ours));
        b.push(timed(count, pages, &mut bare));
    }
    let (a, b) = (median(a), median(b));
    println!("{name:<58} {a:>8.2} us {b:>8.2} us bare {:>6.2}", a / b);
}

fn timed(count: Count, pages: u32, run: &mut impl FnMut()) -> f64 {
    let start = count.now();
    run();
    (count.now() - start).as_secs_f64() * 1e6 / f64::from(pages)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let dir = arguments.next_back().map_or_else(std::env::temp_dir, PathBuf::from);
    println!("per page of 4 KiB");
    memory::rows();
    device::rows(&dir);
}
