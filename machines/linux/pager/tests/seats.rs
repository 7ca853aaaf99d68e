//! Threads get their own CPUs back, wherever the pager has put them meanwhile, and hand them on to threads that they begin.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::sys::{load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Pages};
use mager_linux_pager::{EngineKind, Options, SwapPlace};
use mager_linux_sys::{CpuMask, affinity};
use std::time::{Duration, Instant};

const THREADS: u32 = 6;
const SOON: Duration = Duration::from_secs(10);

fn own() -> CpuMask {
    affinity(0).expect("a mask")
}

/// A pager that has a quarter of the memory in frames, and the memory, each page filled with its number.
fn memory() -> (Standing, Arena, Pages) {
    let dir = std::env::temp_dir();
    let swap = SwapPlace::Unnamed(dir);
    let pager = Standing::start(Options {
        pull: true,
        swap,
        engine: EngineKind::Auto,
        read_ahead: 0,
        ..options(1024, 8192)
    });
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(4096).expect("memory");
    (0..pages.count).for_each(|page| store(&arena, pages.page + page, u64::from(page)));
    (pager, arena, pages)
}

/// Faults in a tight loop, at pages far from each other, until it may not run where it likes; at most so often. Whether it
/// came to that.
fn faults(arena: &Arena, pages: Pages, own: &CpuMask, (from, most): (u32, u32)) -> bool {
    (0..most / 16).any(|turn| {
        read(arena, pages, (from + turn * 16, 16));
        self::own() != *own
    })
}

fn read(arena: &Arena, pages: Pages, (from, count): (u32, u32)) {
    for turn in from..from + count {
        let page = turn.wrapping_mul(1597) % pages.count;
        assert_eq!(load(arena, pages.page + page), u64::from(page));
    }
}

/// Waits, without faulting, until the calling thread may run where it likes.
fn gets_back(own: &CpuMask) {
    let until = Instant::now() + SOON;
    while self::own() != *own {
        assert!(Instant::now() < until, "a thread did not get its CPUs back");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_crowd_that_waits_for_the_device_gets_its_cpus_back() {
    if !possible() {
        return;
    }
    let own = own();
    let (pager, arena, pages) = memory();
    let (arena, own) = (&arena, &own);
    let moved = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let moved = faults(arena, pages, own, (thread * 10_000, 5_000));
                    gets_back(own);
                    u32::from(moved)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it read what was stored")).sum::<u32>()
    });
    println!("{moved} of {THREADS} threads were moved; {} pulls", pager.figure("pulls"));
    gets_back(own);
}

#[test]
fn a_thread_begun_by_one_that_was_moved_runs_where_that_liked_to() {
    if !possible() {
        return;
    }
    let own = own();
    let (_pager, arena, pages) = memory();
    let (arena, own) = (&arena, &own);
    std::thread::scope(|scope| {
        let parent = scope.spawn(move || {
            if !faults(arena, pages, own, (0, 5_000)) {
                return println!("SKIPPED: the pager has moved no thread");
            }
            // One that faults, and one that never does.
            let children = [64, 0].map(|faults| {
                scope.spawn(move || {
                    read(arena, pages, (7, faults));
                    gets_back(own);
                })
            });
            children.into_iter().for_each(|child| child.join().expect("it got them"));
            gets_back(own);
        });
        parent.join().expect("it got them");
    });
}
