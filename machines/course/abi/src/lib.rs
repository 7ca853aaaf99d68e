//! What joins a host of the course machine and a pager, in Rust.
//!
//! Owns the machine's constants, the page-table entry as both sides see it, and the two traits: what a pager
//! offers ([`PagerObject`]) and what it may ask for ([`Services`]). The six `vm_*` symbols and the C headers are
//! the same contract for other languages; they live with the crates that export them. No I/O and no unsafe here.

mod entry;
mod traits;

pub use entry::{Entry, PageTable};
pub use traits::{Flushed, IoFailed, PagerObject, Services};

/// Bytes in a page, a frame and a block alike.
pub const PAGE_SIZE: usize = 0x1_0000;

/// Where every application's arena begins.
pub const ARENA_BASE: usize = 0x6_0000_0000;

/// Pages in an arena.
pub const ARENA_PAGES: usize = 256;

/// The first address behind the arena.
pub const ARENA_END: usize = ARENA_BASE + ARENA_PAGES * PAGE_SIZE;

/// The index of the arena page that holds `address`, or `None` outside the arena.
#[must_use]
pub const fn arena_page(address: usize) -> Option<usize> {
    if address >= ARENA_BASE && address < ARENA_END { Some((address - ARENA_BASE) / PAGE_SIZE) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_page_is_found_by_any_of_its_bytes() {
        assert_eq!(arena_page(ARENA_BASE), Some(0));
        assert_eq!(arena_page(ARENA_BASE + PAGE_SIZE - 1), Some(0));
        assert_eq!(arena_page(ARENA_END - 1), Some(255));
    }

    #[test]
    fn addresses_beside_the_arena_are_in_no_page() {
        assert_eq!(arena_page(ARENA_BASE - 1), None);
        assert_eq!(arena_page(ARENA_END), None);
    }
}
