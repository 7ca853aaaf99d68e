//! The future of a trace: when each page is touched next.

use crate::Access;

/// The number of the next access to the same page, for each access; `u32::MAX` where there is none. Computed, never
/// taken from a trace's own word.
#[must_use]
pub fn next_accesses(accesses: &[Access], pages: u32) -> Vec<u32> {
    const NEVER: u32 = u32::MAX;
    assert!(u32::try_from(accesses.len()).is_ok(), "the optimum is for traces of less than 2^32 accesses");
    let mut last = vec![NEVER; pages as usize];
    let mut next = vec![NEVER; accesses.len()];
    for (now, access) in (0u32..).zip(accesses) {
        let before = std::mem::replace(&mut last[access.page() as usize], now);
        if before != NEVER {
            next[before as usize] = now;
        }
    }
    next
}
