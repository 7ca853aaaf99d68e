//! The event log of a live run replays in the core with equal effects.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::process::{again, role, word};
use common::sys::{fork, load, store, wait};
use common::{Standing, options, possible};
use mager_driver::{Line, LogReader, Replay, Step};
use mager_linux_client::{Arena, Connection, OnPagerDeath, Pages};
use mager_linux_pager::{EngineKind, Faults, Options};
use mager_pager::Event;
use std::path::Path;
use std::sync::Arc;

const PAGES: u32 = 1024;

/// Four threads over four times the memory, with a file if there is one, and ranges that are discarded and mapped anew.
fn busy(connection: &Arc<Connection>, file: Option<&std::fs::File>) {
    let arena = Arena::new(connection).expect("an arena");
    let pages = arena.map(PAGES).expect("memory");
    let shared = file.map(|file| arena.map_file(file, 0, 64).expect("a file"));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let arena = &arena;
            scope.spawn(move || one_of_four(arena, pages, shared, thread));
        }
    });
    if let Some(shared) = shared {
        arena.unmap(shared).expect("it is unmapped");
    }
}

fn one_of_four(arena: &Arena, pages: Pages, shared: Option<Pages>, thread: u32) {
    for round in 0..4u64 {
        for index in (thread..PAGES).step_by(4) {
            let page = pages.page + if round % 2 == 0 { index } else { index * 5 % PAGES / 4 * 4 + thread };
            store(arena, page, load(arena, page).wrapping_add(round * 7 + u64::from(page)));
        }
        if let Some(shared) = shared {
            for page in (thread..64).step_by(4) {
                store(arena, shared.page + page, load(arena, shared.page + page) + 1);
            }
            arena.flush(shared.page).expect("it is flushed");
        }
        let page = pages.page + thread * 8;
        arena.discard(Pages { page, count: 4 }).expect("it is discarded");
        let passing = arena.map(4).expect("memory");
        (0..3).for_each(|page| store(arena, passing.page + page, round + 1));
        arena.unmap(passing).expect("it is unmapped");
    }
}

/// How many steps and effects were replayed.
fn replay(path: &Path) -> (u64, u64) {
    let text = std::fs::read_to_string(path).expect("a log");
    let (mut reader, mut replay) = (LogReader::new(), None::<Replay>);
    for line in text.lines() {
        let line = reader.line(line.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"));
        if let Line::Header(header) = &line {
            replay = Some(Replay::new(header).expect("a header"));
        }
        if let Some(replay) = &mut replay {
            replay.line(reader.number(), &line).unwrap_or_else(|how| panic!("{how}"));
        }
    }
    assert!(reader.ended(), "the log is whole");
    let replay = replay.expect("a header");
    replay.check();
    (replay.steps(), replay.total_effects())
}

fn a_live_run_replays(change: impl FnOnce(&mut Options)) {
    recorded(change, |pager, sound| {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(64 * 4096).expect("a length");
        // What of a file cannot be written is lost, and would be denied.
        busy(&pager.connect(), sound.then_some(&file));
    });
}

/// Replays what a pager does while `run` goes on.
fn recorded(change: impl FnOnce(&mut Options), run: impl FnOnce(&Standing, bool)) {
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("run.events");
    let mut options = Options { events: Some(log.clone()), ..options(256, 8192) };
    change(&mut options);
    let sound = options.faults.is_none();
    let pager = Standing::start(options);
    run(&pager, sound);
    pager.reaches("swap_reserved", 0);
    drop(pager);
    let (steps, effects) = replay(&log);
    println!("{steps} steps, {effects} effects");
    assert!(steps > 3000 && effects > 6000, "{steps} steps, {effects} effects");
    if let Some(kept) = std::env::var_os("MAGER_KEEP_LOG") {
        std::fs::copy(&log, kept).expect("a copy of the log");
    }
}

#[test]
fn a_live_run_replays_with_equal_effects() {
    a_live_run_replays(|_| {});
}

#[test]
fn a_compressed_run_of_an_asynchronous_engine_replays_with_equal_effects() {
    a_live_run_replays(|options| {
        options.compressed = 256 << 10;
        options.engine = EngineKind::Auto;
    });
}

#[test]
fn a_run_whose_writes_fail_replays_with_equal_effects() {
    a_live_run_replays(|options| {
        options.faults = Some(Faults { seed: 3, failed_writes: 100, ..Faults::default() });
    });
}

#[test]
fn a_run_by_another_policy_without_reference_bits_replays_with_equal_effects() {
    a_live_run_replays(|options| {
        options.policy = "fifo".into();
        options.references = mager_linux_pager::References::Off;
    });
}

#[test]
fn a_run_of_a_client_at_its_quota_replays_with_equal_effects() {
    a_live_run_replays(|options| {
        options.limits.frames = 80;
        options.engine = EngineKind::Auto;
        options.faults = Some(Faults { seed: 5, failed_writes: 50, ..Faults::default() });
    });
}

/// How often a log says that frames were freed ahead of need.
fn ticks(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).expect("a log");
    let mut reader = LogReader::new();
    let tick = |line: &&str| {
        let line = reader.line(line.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"));
        matches!(line, Line::Step(Step::Event(Event::Tick)))
    };
    text.lines().filter(tick).count()
}

#[test]
fn frames_are_freed_in_lots_though_writes_take_long() {
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("run.events");
    let faults = Some(Faults { late_us: 1000, ..Faults::default() });
    let pager = Standing::start(Options { events: Some(log.clone()), faults, ..options(1024, 8192) });
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(8192).expect("memory");
    (0..pages.count).for_each(|page| store(&arena, pages.page + page, u64::from(page)));
    let evictions = pager.figure("evictions");
    drop(arena);
    pager.reaches("swap_reserved", 0);
    drop(pager);
    // A lot is a quarter of the low-water mark, 16 frames, at least.
    let ticks = u64::try_from(ticks(&log)).expect("a few");
    assert!(evictions > 6000 && ticks * 15 < evictions, "{evictions} evictions in {ticks} lots");
}

/// Every page's number and the generation's, written and looked for again, down to the last generation.
fn descend(arena: &Arena, pages: Pages, generation: u64) {
    let inherited = |page| if generation == 1 { 0 } else { (generation - 1) << 32 | u64::from(page) };
    for page in pages.page..pages.page + pages.count {
        assert_eq!(load(arena, page), inherited(page), "page {page} of generation {generation}");
        store(arena, page, generation << 32 | u64::from(page));
    }
    let child = if generation < 3 { fork() } else { -1 };
    if child == 0 {
        let fine = std::panic::catch_unwind(|| descend(arena, pages, generation + 1)).is_ok();
        mager_linux_sys::exit_now(if fine { 0 } else { 1 });
    }
    for page in pages.page..pages.page + pages.count {
        assert_eq!(load(arena, page), generation << 32 | u64::from(page));
    }
    assert!(child < 0 || wait(child) == 0, "a child found wrong bytes");
}

#[test]
fn a_run_with_three_forked_generations_replays_with_equal_effects() {
    if role().is_some() {
        let connection = Connection::to(Path::new(&word()), OnPagerDeath::End).expect("a pager");
        connection.follow_forks().expect("it can follow");
        let arena = Arena::new(&connection).expect("an arena");
        return descend(&arena, arena.map(600).expect("memory"), 1);
    }
    for most in [u32::MAX, 100] {
        let test = "a_run_with_three_forked_generations_replays_with_equal_effects";
        recorded(
            |options| options.limits.frames = most,
            |pager, _| {
                let path = pager.path.to_str().expect("a plain name");
                assert!(again(test, "client", path).status().expect("a client").success());
            },
        );
    }
}
