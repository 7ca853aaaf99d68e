//! Disks that fail: what cannot be read is denied and told, what cannot be written is kept.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::Honest;
use common::process::{Ended, again, role, word};
use common::sys::{Teller, exit_on_bus_error, load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Connection, OnPagerDeath, Pages};
use mager_linux_pager::{Faults, Options, Server};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The status of a client that got SIGBUS where it expected it.
const BUS_ERROR: i32 = 42;

fn failing(faults: Faults) -> Options {
    Options { faults: Some(Faults { seed: 1, ..faults }), ..options(128, 4096) }
}

fn faults(kind: &str) -> Faults {
    match kind {
        "unreadable" => Faults { failed_reads: 1000, ..Faults::default() },
        _ => Faults { flipped_reads: 1000, ..Faults::default() },
    }
}

/// Serves as `word` says: what fails, and where.
fn serve() {
    let word = word();
    let (kind, path) = word.split_once(' ').expect("a kind and a path");
    let options = Options { socket: Some(path.into()), ..failing(faults(kind)) };
    let mut server = Server::new(options).expect("a pager");
    let (_never, stop) = mager_linux_sys::pair().expect("a pair of sockets");
    server.run(Some(&stop)).expect("it serves");
}

/// Four times the memory, of which the first is not there any more.
fn fill(arena: &Arena) -> Pages {
    let pages = arena.map(512).expect("memory");
    (0..512).for_each(|page| store(arena, pages.page + page, u64::from(page) + 1));
    pages
}

fn touch() {
    let connection = Connection::to(Path::new(&word()), OnPagerDeath::End).expect("a pager");
    let arena = Arena::new(&connection).expect("an arena");
    let pages = fill(&arena);
    exit_on_bus_error(BUS_ERROR);
    let found = load(&arena, pages.page);
    eprintln!("page 0 was shown as {found}");
}

fn told_and_denied(test: &str, kind: &str, words: &[&str]) {
    match role().as_deref() {
        Some("pager") => return serve(),
        Some("client") => return touch(),
        _ => {}
    }
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let path = path.to_str().expect("a plain name");
    let mut pager = again(test, "pager", &format!("{kind} {path}"));
    let mut pager = Ended(pager.stderr(Stdio::piped()).spawn().expect("a pager"));
    let until = Instant::now() + Duration::from_secs(10);
    while Connection::observe(Path::new(path)).is_err() {
        assert!(Instant::now() < until, "no pager");
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut client = Ended(again(test, "client", path).spawn().expect("a client"));
    let status = client.within(Duration::from_secs(20)).expect("it ends");
    assert_eq!(status.code(), Some(BUS_ERROR), "{status:?}");
    let mut errors = pager.0.stderr.take().expect("its errors");
    drop(pager);
    let mut said = String::new();
    errors.read_to_string(&mut said).expect("text");
    for word in words {
        assert!(said.contains(word), "{word:?} is not said: {said}");
    }
}

#[test]
fn a_page_that_cannot_be_read_ends_in_a_signal_and_a_message() {
    let words = ["page 0.0:0: cannot read swap block ", "page 0.0:0 is denied to its process: I/O error"];
    told_and_denied("a_page_that_cannot_be_read_ends_in_a_signal_and_a_message", "unreadable", &words);
}

#[test]
fn a_damaged_page_ends_in_a_signal_and_a_message() {
    let words = ["page 0.0:0: swap block ", "is damaged", "page 0.0:0 is denied to its process: I/O error"];
    told_and_denied("a_damaged_page_ends_in_a_signal_and_a_message", "damaged", &words);
}

#[test]
fn a_denied_page_is_cured_by_discarding_it_and_by_mapping_it_anew() {
    if !possible() {
        return;
    }
    let pager = Standing::start(failing(faults("unreadable")));
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = fill(&arena);
    let teller = Teller::new();
    for page in [pages.page, pages.page + 1] {
        assert_eq!(teller.load(&arena, page, 0), None, "it is denied");
        assert!(!teller.store(&arena, page, 0, 7), "to stores as well");
    }
    assert!(pager.figure("denied") >= 2);
    arena.discard(Pages { page: pages.page, count: 1 }).expect("it is discarded");
    arena.unmap(Pages { page: pages.page + 1, count: 1 }).expect("it is unmapped");
    let again = arena.map(1).expect("memory");
    assert_eq!(again.page, pages.page + 1, "the same place");
    for page in [pages.page, pages.page + 1] {
        assert_eq!(teller.load(&arena, page, 0), Some(0), "it is zeros again");
        assert!(teller.store(&arena, page, 0, 9));
        assert_eq!(teller.load(&arena, page, 0), Some(9));
    }
}

#[test]
fn writes_that_fail_now_and_then_cost_nobody_a_page() {
    if !possible() {
        return;
    }
    // Far more of them than there are spare blocks.
    let pager = Standing::start(failing(Faults { failed_writes: 300, ..Faults::default() }));
    let honest = [Honest::start(&pager, 300), Honest::start(&pager, 200)];
    honest.into_iter().for_each(Honest::finish);
    assert_eq!(pager.figure("denied"), 0);
}

#[test]
fn a_disk_that_takes_nothing_any_more_denies_new_pages_and_keeps_the_old() {
    if !possible() {
        return;
    }
    let pager = Standing::start(failing(Faults { failed_writes: 1000, ..Faults::default() }));
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(512).expect("memory");
    let teller = Teller::new();
    let stored = (0..512).take_while(|&page| teller.store(&arena, pages.page + page, 0, u64::from(page) + 1));
    let stored = u32::try_from(stored.count()).expect("a count");
    assert!((64..=128).contains(&stored), "{stored} pages were stored in 128 frames");
    for page in 0..stored {
        assert_eq!(teller.load(&arena, pages.page + page, 0), Some(u64::from(page) + 1));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_by_flush_and_not_shown_as_it_was() {
    if !possible() {
        return;
    }
    let pager = Standing::start(failing(Faults { failed_writes: 1000, ..Faults::default() }));
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let file = tempfile::tempfile().expect("a file");
    file.set_len(16 * 4096).expect("a length");
    let pages = arena.map_file(&file, 0, 16).expect("a file");
    let teller = Teller::new();
    assert!(teller.store(&arena, pages.page, 0, 7));
    let flushed = arena.flush(pages.page).expect_err("it could not be written");
    assert_eq!(flushed.errno(), libc::EIO, "{flushed}");
    assert_eq!(teller.load(&arena, pages.page, 0), Some(7), "it is there still");
}

/// A store to a page that is just leaving, and that cannot be read again, is denied or kept, and never lost: what is left
/// of the page in memory is not handed out for writing.
#[test]
fn a_store_to_a_page_that_leaves_and_cannot_be_read_is_not_lost() {
    if !possible() {
        return;
    }
    let faults = Some(Faults { seed: 1, failed_reads: 500, late_us: 50, ..Faults::default() });
    let pager = Standing::start(Options { faults, ..options(64, 4096) });
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(THREADS * EACH).expect("memory");
    std::thread::scope(|scope| {
        let one = |thread| {
            let arena = &arena;
            scope
                .spawn(move || store_and_load(arena, Pages { page: pages.page + thread * EACH, count: EACH }))
        };
        (0..THREADS).map(one).collect::<Vec<_>>().into_iter().for_each(|thread| {
            thread.join().expect("every store is found again, or was denied");
        });
    });
    assert!(pager.figure("denied") > 100, "{}", pager.figures());
}

const THREADS: u32 = 4;
/// Pages of each thread; two threads' are as many as there are frames.
const EACH: u32 = 32;

fn store_and_load(arena: &Arena, pages: Pages) {
    let (teller, mut values) = (Teller::new(), vec![0u64; pages.count as usize]);
    for round in 0..5000u64 {
        // Somewhere, and not in a sequence.
        let index = u32::try_from(round * 7919 % 104_729).expect("it is small") % pages.count;
        let (page, value) = (pages.page + index, &mut values[index as usize]);
        let found = teller.load(arena, page, 0);
        assert!(
            found.is_none_or(|found| found == *value),
            "page {page} in round {round}: {found:?}, not {value}"
        );
        let next = *value + u64::from(round % 3 > 0);
        if found.is_some() && (next == *value || teller.store(arena, page, 0, next)) {
            *value = next;
        } else {
            arena.discard(Pages { page, count: 1 }).expect("it is discarded");
            *value = 0;
        }
    }
}
