//! Stores of other threads around a fork: those that the child finds are those from before it.

use crate::apart::{alone, figure, figure_becomes, fork};
use crate::common::options;
use crate::common::sys::{load, store};
use crate::words::{Stop, check, end, filled, filled_with, word};
use mager_linux_client::{Arena, Forking};
use mager_linux_pager::{Faults, Options};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a thread stores to the arena first and to its own memory after that, a child must not find the other way round:
/// a copy that was taken before the fork must not be older than the fork.
#[test]
fn fork_while_other_threads_write() {
    alone("held::fork_while_other_threads_write", || {
        let (connection, pager, arena, _) = filled(256, 8192, 1024);
        let counters = arena.map(512).expect("memory");
        let stop = Stop::default();
        let behind: [AtomicU64; 3] = std::array::from_fn(|_| AtomicU64::new(0));
        std::thread::scope(|scope| {
            for (thread, behind) in (0u32..).zip(&behind) {
                let (arena, stop) = (&arena, &stop);
                scope.spawn(move || {
                    let mut count = 0;
                    while !stop.is_set() {
                        count += 1;
                        let page = counters.page + thread * 128;
                        store(arena, page + u32::try_from(count % 127).expect("small") + 1, count);
                        store(arena, page, count);
                        behind.store(count, Ordering::Release);
                    }
                });
            }
            let _end = stop.at_the_end();
            for _ in 0..60 {
                fork(|| {
                    for (thread, behind) in (0u32..).zip(&behind) {
                        let page = counters.page + thread * 128;
                        let (ahead, behind) = (load(&arena, page), behind.load(Ordering::Acquire));
                        assert!(
                            ahead == behind || ahead == behind + 1,
                            "{ahead} in the arena, {behind} outside"
                        );
                        let last = load(&arena, page + u32::try_from(ahead % 127).expect("small") + 1);
                        assert!(ahead == 0 || last == ahead, "{last} and {ahead} in the arena");
                        store(&arena, page, u64::MAX);
                    }
                })
                .succeeded();
            }
        });
        end(connection, pager, arena);
    });
}

/// The fork happens: the child finds a 2 stored to the page exactly if its own memory says so.
fn forks_in_agreement(forking: Forking, arena: &Arena, page: u32, stored: &AtomicBool) {
    let mut forking = Some(forking);
    let child = fork(|| {
        drop(forking.take());
        let (inside, outside) = (load(arena, page) == 2, stored.load(Ordering::Acquire));
        assert_eq!(inside, outside, "in the arena, and in the child's own memory");
    });
    drop(forking);
    child.succeeded();
}

/// A store that waits for its page when the copy is taken, and goes on before the fork happens.
#[test]
fn a_store_that_waits_for_the_disk_is_not_missed() {
    alone("held::a_store_that_waits_for_the_disk_is_not_missed", || {
        let faults = Some(Faults { late_us: 100_000, ..Faults::default() });
        let slow = Options { faults, read_ahead: 0, ..options(64, 4096) };
        let (connection, pager, arena, pages) = filled_with(slow, 80);
        let (page_ins, stored) = (figure(&connection, "page_ins"), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                store(&arena, pages.page, 2);
                stored.store(true, Ordering::Release);
            });
            figure_becomes(&connection, "page_ins", page_ins + 1);
            assert!(!stored.load(Ordering::Acquire), "the store did not wait");
            let forking = Forking::prepare().expect("there is swap");
            std::thread::sleep(Duration::from_millis(300));
            forks_in_agreement(forking, &arena, pages.page, &stored);
        });
        assert_eq!(load(&arena, pages.page), 2);
        end(connection, pager, arena);
    });
}

/// What the forking thread reads before it forks is not opened to the stores of others: the page is its parent's still, and
/// copied for that.
#[test]
fn what_the_forking_thread_reads_stays_held() {
    alone("held::what_the_forking_thread_reads_stays_held", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 64);
        fork(|| {
            let (read, stored) = (AtomicBool::new(false), AtomicBool::new(false));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !read.load(Ordering::Acquire) {
                        std::hint::spin_loop();
                    }
                    store(&arena, pages.page, 2);
                    stored.store(true, Ordering::Release);
                });
                let forking = Forking::prepare().expect("there is swap");
                assert_eq!(load(&arena, pages.page), word(0, 1));
                read.store(true, Ordering::Release);
                std::thread::sleep(Duration::from_millis(200));
                forks_in_agreement(forking, &arena, pages.page, &stored);
            });
        })
        .succeeded();
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// The fork does not happen. Nothing else happens either, so that nothing but the pager itself lets them go on.
#[test]
fn stores_that_were_held_too_long_go_on() {
    alone("held::stores_that_were_held_too_long_go_on", || {
        let (connection, pager, arena, pages) = filled(32, 4096, 64);
        let untouched = arena.map(1).expect("memory");
        let forking = Forking::prepare().expect("there is swap");
        let stored = [AtomicBool::new(false), AtomicBool::new(false)];
        std::thread::scope(|scope| {
            for (stored, page) in stored.iter().zip([pages.page, untouched.page]) {
                let arena = &arena;
                scope.spawn(move || {
                    store(arena, page, 2);
                    stored.store(true, Ordering::Release);
                });
            }
            let until = Instant::now() + Duration::from_secs(5);
            while !stored.iter().all(|stored| stored.load(Ordering::Acquire)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
            let done = stored.each_ref().map(|stored| stored.load(Ordering::Acquire));
            drop(forking);
            assert_eq!(done, [true; 2], "stored to a page in swap, to an untouched one");
        });
        end(connection, pager, arena);
    });
}
