//! Words in arenas that say where they belong.

use crate::apart::{Child, pager};
use crate::common::options;
use crate::common::sys::{load, store};
use mager_linux_client::{Arena, Connection, Pages};
use mager_linux_pager::{Faults, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What everybody in these tests has: a connection, the pager at its other end, an arena, pages in it.
pub type World = (Arc<Connection>, Child, Arena, Pages);

/// A pager, a connection that follows forks, and an arena with `count` pages that have been filled once.
pub fn filled(frames: u32, swap_blocks: u32, count: u32) -> World {
    filled_with(options(frames, swap_blocks), count)
}

/// The same, where every input and output takes a while.
pub fn filled_slowly(frames: u32, swap_blocks: u32, count: u32) -> World {
    let faults = Some(Faults { late_us: 300, ..Faults::default() });
    filled_with(Options { faults, read_ahead: 0, ..options(frames, swap_blocks) }, count)
}

pub fn filled_with(options: Options, count: u32) -> World {
    let (connection, pager) = pager(options);
    connection.follow_forks().expect("it can follow");
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(count).expect("memory");
    fill(&arena, pages, 1);
    (connection, pager, arena, pages)
}

/// Everything is given back, and the pager ends well when the last who had anything of it is gone.
pub fn end(connection: Arc<Connection>, pager: Child, arena: Arena) {
    drop(arena);
    drop(connection);
    pager.succeeded();
}

pub fn word(page: u32, round: u64) -> u64 {
    (round << 32) | (u64::from(page) + 1)
}

pub fn fill(arena: &Arena, pages: Pages, round: u64) {
    (0..pages.count).for_each(|page| store(arena, pages.page + page, word(page, round)));
}

pub fn check(arena: &Arena, pages: Pages, round: u64) {
    for page in 0..pages.count {
        assert_eq!(load(arena, pages.page + page), word(page, round), "page {page}, round {round}");
    }
}

pub fn check_zero(arena: &Arena, pages: Pages) {
    (0..pages.count).for_each(|page| assert_eq!(load(arena, pages.page + page), 0, "page {page}"));
}

pub fn fill_and_check(arena: &Arena, pages: Pages, round: u64) {
    fill(arena, pages, round);
    check(arena, pages, round);
}

/// Threads that look at this stop when it is dropped, by a failed test too.
#[derive(Default)]
pub struct Stop(AtomicBool);

impl Stop {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it at the end of the scope.
    pub fn at_the_end(&self) -> impl Drop + '_ {
        Setter(self)
    }
}

struct Setter<'a>(&'a Stop);

impl Drop for Setter<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
