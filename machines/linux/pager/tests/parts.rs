//! Pages of 16 KiB: the kernel shows, drops and takes each 4 KiB of them by itself.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::sys::advise;
use common::{options, possible, start};
use mager_linux_client::Arena;
use mager_linux_pager::{Options, References};

const PART: usize = 4096;
const PAGES: u32 = 512;

fn word(arena: &Arena, page: u32, part: usize) -> *mut u64 {
    arena.pointer(page).wrapping_add(part * PART).cast()
}

fn load(arena: &Arena, page: u32, part: usize) -> u64 {
    common::sys::load_at(word(arena, page, part))
}

fn store(arena: &Arena, page: u32, part: usize, value: u64) {
    common::sys::store_at(word(arena, page, part), value);
}

/// Stores to the first page from `first` on, in all of its parts, of which then this happens to one; and evicts it later.
fn with_one_part(advice: i32, change: impl Fn(&Arena, u32)) {
    if !possible() {
        return;
    }
    for references in [References::Agent, References::Faults] {
        with(Options { page_size: 16384, references, ..options(64, 1024) }, advice, &change);
    }
}

fn with(options: Options, advice: i32, change: impl Fn(&Arena, u32)) {
    let (connection, pager) = start(options);
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(PAGES).expect("memory");
    for part in 0..4 {
        store(&arena, pages.page, part, 10 + part as u64);
    }
    advise(word(&arena, pages.page, 2).cast(), PART, advice).expect("the part is mapped");
    change(&arena, pages.page);
    (1..PAGES).for_each(|page| store(&arena, pages.page + page, 0, 1));
    change(&arena, pages.page);
    drop(arena);
    drop(connection);
    pager.join().expect("the pager ends");
}

#[test]
fn a_part_whose_entry_was_dropped_is_shown_again() {
    with_one_part(libc::MADV_DONTNEED, |arena, page| {
        for part in 0..4 {
            assert_eq!(load(arena, page, part), 10 + part as u64, "part {part}");
        }
    });
}

#[test]
fn a_store_to_a_part_whose_entry_was_dropped_is_kept() {
    with_one_part(libc::MADV_DONTNEED, |arena, page| {
        if load(arena, page, 2) == 12 {
            store(arena, page, 2, 99);
        }
        for (part, expected) in [10, 11, 99, 13].into_iter().enumerate() {
            assert_eq!(load(arena, page, part), expected, "part {part}");
        }
    });
}

#[test]
fn a_hole_in_a_page_is_zeros_and_the_rest_stays() {
    with_one_part(libc::MADV_REMOVE, |arena, page| {
        for (part, expected) in [10, 11, 0, 13].into_iter().enumerate() {
            assert_eq!(load(arena, page, part), expected, "part {part}");
        }
    });
}
