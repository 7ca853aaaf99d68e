//! The counting allocator: all this test's unsafe code.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting for all threads: those of a pool count too.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often the process has asked for memory.
pub fn calls() -> u64 {
    CALLS.load(Ordering::SeqCst)
}

// SAFETY: every call goes on to the system's allocator with the arguments it came with; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `alloc` above, hence from the system's, with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}
