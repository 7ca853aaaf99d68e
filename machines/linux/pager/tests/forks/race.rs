//! Ranges that are given up while threads fault on them, and processes that end with faults pending.

use crate::apart::{Child, alone, figure, figure_becomes, fork, sys};
use crate::common::options;
use crate::common::sys::{load, store};
use crate::words::{Stop, check, check_zero, end, fill, fill_and_check, filled_slowly, filled_with, word};
use mager_linux_client::{Arena, Pages};
use mager_linux_pager::Options;
use std::sync::atomic::{AtomicU32, Ordering};

/// A child whose threads touch `pages` without end, until they are told that these are not theirs any more.
fn touched_by_threads(arena: &Arena, pages: Pages, meanwhile: impl FnOnce()) -> Child {
    fork(|| {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for page in (0..pages.count).cycle().skip(thread * 40) {
                        let seen = load(arena, pages.page + page);
                        assert!(seen == word(page, 1) || seen == 0, "{seen:#x} in page {page}");
                    }
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
            meanwhile();
            std::thread::sleep(std::time::Duration::from_millis(200));
            // Nobody was told to end: whatever ends the threads comes from the pager.
            mager_linux_sys::exit_now(0);
        });
    })
}

/// Touching what was unmapped is SIGBUS for whoever does it, and nothing for anybody else.
#[test]
fn unmap_while_threads_fault() {
    alone("race::unmap_while_threads_fault", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 512);
        let reserved = figure(&connection, "swap_reserved");
        for _ in 0..5 {
            let child = touched_by_threads(&arena, pages, || arena.unmap(pages).expect("it is mapped"));
            assert_eq!(child.died_by(), libc::SIGBUS);
            figure_becomes(&connection, "swap_reserved", reserved);
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// A range that is mapped again is whole, whatever was denied there before.
#[test]
fn map_where_a_fault_was_denied() {
    alone("race::map_where_a_fault_was_denied", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 256);
        let range = arena.map(128).expect("memory");
        for round in 0..5 {
            fill(&arena, range, 3 + round);
            arena.unmap(range).expect("it is mapped");
            for page in (0..128).step_by(3) {
                let read = sys::pass_through_a_pipe(arena.pointer(range.page + page));
                assert_eq!(read.expect_err("nothing is mapped").raw_os_error(), Some(libc::EFAULT));
            }
            assert_eq!(arena.map(128).expect("memory"), range);
            check_zero(&arena, range);
        }
        // A late zap takes poison away, and the touch is denied once more.
        assert!(figure(&connection, "denied") >= 5 * 43);
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// A range that is unmapped and mapped again has nothing of what was on its way there.
#[test]
fn map_after_unmap_with_pages_in_flight() {
    alone("race::map_after_unmap_with_pages_in_flight", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 256);
        let other = arena.map(256).expect("memory");
        let stop = Stop::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _end = stop.at_the_end();
                (2..40).for_each(|round| fill_and_check(&arena, other, round));
            });
            while !stop.is_set() {
                let range = arena.map(128).expect("memory");
                check_zero(&arena, range);
                fill_and_check(&arena, range, 3);
                arena.unmap(range).expect("it is mapped");
            }
        });
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn discard_while_threads_fault() {
    alone("race::discard_while_threads_fault", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 512);
        for _ in 0..5 {
            let child = touched_by_threads(&arena, pages, || {
                for _ in 0..20 {
                    arena.discard(pages).expect("it is private");
                }
            });
            child.succeeded();
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// Stores and discards of one range: a page holds what was stored last, or zeros if it was discarded since.
#[test]
fn discard_while_threads_store() {
    alone("race::discard_while_threads_store", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 256);
        let (stop, discards) = (Stop::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for thread in 0..3u32 {
                let (arena, stop, discards) = (&arena, &stop, &discards);
                scope.spawn(move || {
                    for round in 2.. {
                        for page in (thread..pages.count).step_by(3) {
                            let before = discards.load(Ordering::SeqCst);
                            store(arena, pages.page + page, word(page, round));
                            let seen = load(arena, pages.page + page);
                            let after = discards.load(Ordering::SeqCst);
                            // An odd count: a discard is under way.
                            let quiet = before == after && before.is_multiple_of(2);
                            assert!(
                                seen == word(page, round) || seen == 0 && !quiet,
                                "{seen:#x} in page {page}"
                            );
                        }
                        if stop.is_set() {
                            return;
                        }
                    }
                });
            }
            let _end = stop.at_the_end();
            for _ in 0..60 {
                discards.fetch_add(1, Ordering::SeqCst);
                arena.discard(pages).expect("it is private");
                discards.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        arena.discard(pages).expect("it is private");
        (0..pages.count).for_each(|page| assert_eq!(load(&arena, pages.page + page), 0));
        end(connection, pager, arena);
    });
}

#[test]
fn killed_with_faults_pending() {
    alone("race::killed_with_faults_pending", || {
        let (connection, pager, arena, pages) = filled_slowly(64, 8192, 512);
        let reserved = figure(&connection, "swap_reserved");
        for round in 0..20u64 {
            let child = fork(|| {
                std::thread::scope(|scope| {
                    for thread in 0..4 {
                        let (arena, part) = (&arena, Pages { page: pages.page + thread * 128, count: 128 });
                        scope.spawn(move || (2..u64::MAX).for_each(|round| fill(arena, part, round)));
                    }
                });
            });
            std::thread::sleep(std::time::Duration::from_millis(3 + round % 7 * 3));
            sys::kill(child.0);
            assert_eq!(child.died_by(), libc::SIGKILL);
            figure_becomes(&connection, "swap_reserved", reserved);
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// One page is pinned: all of them stay mapped, and protected as they were, so that a store to a clean one is not lost.
#[test]
fn an_unmap_that_is_refused_changes_nothing() {
    alone("race::an_unmap_that_is_refused_changes_nothing", || {
        let (connection, pager, arena, pages) =
            filled_with(Options { read_ahead: 0, ..options(64, 4096) }, 96);
        // Read only, over and over: most are clean, and expected to stay so.
        (0..4).for_each(|_| check(&arena, pages, 1));
        let last = Pages { page: pages.page + 95, count: 1 };
        store(&arena, last.page, word(95, 1));
        assert!(arena.pin(last).expect("a frame is there"), "it was just touched");
        assert_eq!(arena.unmap(pages).expect_err("a page is pinned").errno(), libc::EBUSY);
        // Those that are in memory first.
        (0..96).rev().for_each(|page| store(&arena, pages.page + page, word(page, 2)));
        let others = arena.map(256).expect("memory");
        fill(&arena, others, 3);
        check(&arena, pages, 2);
        arena.unpin(last).expect("it was pinned");
        arena.unmap(pages).expect("nothing is pinned");
        end(connection, pager, arena);
    });
}
