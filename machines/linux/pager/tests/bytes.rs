//! Bytes come back, whatever was evicted in between.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::sys::{load, store};
use common::{options, possible, start};
use mager_linux_client::Arena;

#[test]
fn four_times_the_memory_is_kept() {
    if !possible() {
        return;
    }
    let (connection, pager) = start(options(1024, 8192));
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(4096).expect("memory");
    for round in 0..3u64 {
        for page in 0..4096 {
            let expected = if round == 0 { 0 } else { round * 1_000_000 + u64::from(page) };
            assert_eq!(load(&arena, pages.page + page), expected, "page {page} in round {round}");
            store(&arena, pages.page + page, (round + 1) * 1_000_000 + u64::from(page));
        }
    }
    drop(arena);
    drop(connection);
    pager.join().expect("the pager ends");
}
