//! More pages being written at a time than there are staging buffers, and then their range is given up: each needs one.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::sys::{load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Pages};
use mager_linux_pager::{Faults, Options};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const LATE: Duration = Duration::from_millis(1200);

/// Stores to all frames' worth of pages and a few more, while writes take long; then discards them.
fn discarded_while_written(page_size: u32, frames: u32, threads: u32) {
    if !possible() {
        return;
    }
    let late_us = u32::try_from(LATE.as_micros()).expect("a short time");
    let faults = Some(Faults { seed: 1, late_us, ..Faults::default() });
    let pager =
        Standing::start(Options { page_size, faults, arena_pages: 1 << 16, ..options(frames, 4 * frames) });
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(2 * frames).expect("memory");
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        let arena = &arena;
        scope.spawn(move || (0..frames + 4).for_each(|page| store(arena, pages.page + page, 1)));
        let until = Instant::now() + Duration::from_secs(30);
        while pager.figure("free_frames") > 0 {
            assert!(Instant::now() < until, "it never was as full as it is to be");
            std::thread::sleep(Duration::from_millis(1));
        }
        for page in 0..threads {
            scope.spawn(move || store(arena, pages.page + frames + 64 + page, 1));
        }
        std::thread::sleep(LATE / 4);
        scope.spawn(move || {
            arena.discard(Pages { page: pages.page, count: frames - 64 }).expect("it is mapped");
            let _ = done.send(());
        });
        // A pager that hangs would not let the scope end.
        if is_done.recv_timeout(Duration::from_secs(30)).is_err() {
            eprintln!("the discard is not answered");
            mager_linux_sys::exit_now(101);
        }
    });
    (0..frames - 64).step_by(97).for_each(|page| assert_eq!(load(&arena, pages.page + page), 0));
    (0..threads).for_each(|page| assert_eq!(load(&arena, pages.page + frames + 64 + page), 1));
}

#[test]
fn large_pages() {
    discarded_while_written(65_536, 4096, 0);
}

#[test]
fn many_threads() {
    discarded_while_written(16_384, 4096, 320);
}
