//! What a fork costs. Run by hand: it measures and judges nothing.

use crate::apart::{alone, fork, pager};
use crate::common::options;
use crate::words::fill;
use mager_linux_client::{Arena, Forking, Pages};
use mager_linux_pager::Options;
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

fn median(mut what: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<_> = (0..ROUNDS).map(|_| what()).collect();
    all.sort_unstable();
    all[ROUNDS / 2]
}

fn measure(mib: u32) {
    let frames = 40_000;
    let (connection, process) = pager(Options { pull: true, ..options(frames, 200_000) });
    let plain = median(|| timed(|| fork(|| ()).succeeded()));
    connection.follow_forks().expect("it can follow");
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(mib * 256).expect("memory");
    let prepared = median(|| {
        fill(&arena, pages, 1);
        timed(|| drop(Forking::prepare().expect("there is swap")))
    });
    let whole = median(|| {
        fill(&arena, pages, 1);
        timed(|| fork(|| ()).succeeded())
    });
    let again = median(|| timed(|| fork(|| ()).succeeded()));
    let after = median(|| {
        fork(|| ()).succeeded();
        timed(|| fill(&arena, Pages { count: 1000.min(pages.count), ..pages }, 2))
    });
    eprintln!(
        "{mib} MiB resident: prepared {prepared:?}; fork, exit, wait {whole:?}, not written since {again:?}, without \
         following {plain:?}; first 1000 stores after a fork {after:?}"
    );
    drop(arena);
    drop(connection);
    process.succeeded();
}

fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

#[test]
#[ignore = "measures; run it with --release and --nocapture"]
fn fork_of_resident_memory() {
    alone("cost::fork_of_resident_memory", || [1, 16, 64].into_iter().for_each(measure));
}
