//! Where the arena is, to be asked on every `free`: without a lock.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

static BASE: AtomicUsize = AtomicUsize::new(0);
/// Of the heap zone.
static HEAP: AtomicUsize = AtomicUsize::new(0);
/// Of the whole arena.
static LEN: AtomicUsize = AtomicUsize::new(0);

/// Who is asked for a piece of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// mimalloc.
    Heap,
    /// The mapping zone.
    Mappings,
    /// The C library.
    Elsewhere,
}

/// The arena lies at `base`; the first `heap` of its `len` bytes are the heap zone.
pub(crate) fn set(base: usize, heap: usize, len: usize) {
    BASE.store(base, Ordering::Relaxed);
    HEAP.store(heap, Ordering::Relaxed);
    LEN.store(len, Ordering::Release);
}

/// Bytes from the arena's start; anything outside is larger than its length.
pub(crate) fn offset(address: usize) -> usize {
    address.wrapping_sub(BASE.load(Ordering::Relaxed))
}

#[inline]
pub(crate) fn owner(address: usize) -> Owner {
    let offset = offset(address);
    if offset < HEAP.load(Ordering::Relaxed) {
        Owner::Heap
    } else if offset < LEN.load(Ordering::Relaxed) {
        Owner::Mappings
    } else {
        Owner::Elsewhere
    }
}

/// Bytes from the arena's start, and whose they are: none where not all of them are one zone's.
pub(crate) fn zone(address: usize, len: usize) -> Option<(Owner, Range<usize>)> {
    let (first, last) = (owner(address), owner(address.checked_add(len.checked_sub(1)?)?));
    let start = offset(address);
    (first == last && first != Owner::Elsewhere).then(|| (first, start..start + len))
}

/// Whether any of them is the arena's.
pub(crate) fn meets(address: usize, len: usize) -> bool {
    let (base, end) = (BASE.load(Ordering::Relaxed), LEN.load(Ordering::Acquire));
    address < base + end && address.saturating_add(len) > base
}
