//! The counting allocator: all this test's unsafe code.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread: tests run side by side.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often this thread has asked for memory.
pub fn calls() -> u64 {
    CALLS.get()
}

/// How many bytes this thread has asked for and not given back.
pub fn bytes() -> i64 {
    BYTES.get()
}

/// Counts a change of `by` bytes; a thread that is ending counts nothing more.
fn count(calls: u64, by: i64) {
    let _ = CALLS.try_with(|it| it.set(it.get() + calls));
    let _ = BYTES.try_with(|it| it.set(it.get() + by));
}

fn size(layout: Layout) -> i64 {
    i64::try_from(layout.size()).expect("a layout is at most isize::MAX bytes")
}

// SAFETY: every call goes on to the system's allocator with the arguments it came with; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, size(layout));
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, -size(layout));
        // SAFETY: `at` came from `alloc` above, hence from the system's, with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}
