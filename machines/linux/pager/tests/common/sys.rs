//! Raw access to an arena's words, as a program would have it.

use mager_linux_client::Arena;

/// The word at the start of a page that is mapped.
pub fn load(arena: &Arena, page: u32) -> u64 {
    // SAFETY: tests touch mapped pages only, each word from one thread at a time.
    unsafe { arena.pointer(page).cast::<u64>().read_volatile() }
}

/// Stores to the word at the start of a page that is mapped.
pub fn store(arena: &Arena, page: u32, word: u64) {
    // SAFETY: as above.
    unsafe { arena.pointer(page).cast::<u64>().write_volatile(word) }
}
