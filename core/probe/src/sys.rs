//! What std would bring, and the way in: all the probe's unsafe code.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

const ROOM: usize = 1 << 20;

/// Gives memory out once and takes none back: nothing but the linker ever looks at it.
struct Bump {
    room: UnsafeCell<[u8; ROOM]>,
    used: AtomicUsize,
}

// SAFETY: `alloc` gives each byte of `room` out at most once, by an atomic counter; nothing else touches it.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump { room: UnsafeCell::new([0; ROOM]), used: AtomicUsize::new(0) };

// SAFETY: a block lies in `room`, is aligned within it, and overlaps no other; null says that there is no room.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let wanted = layout.size() + layout.align();
        let at = self.used.fetch_add(wanted, Ordering::Relaxed);
        if at.checked_add(wanted).is_none_or(|end| end > ROOM) {
            return core::ptr::null_mut();
        }
        let start = self.room.get().cast::<u8>().wrapping_add(at);
        start.wrapping_add(start.align_offset(layout.align()))
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// The way in, so that the linker keeps all of it.
// SAFETY: no other symbol has this name, and it takes and gives plain numbers.
#[unsafe(no_mangle)]
pub extern "C" fn mager_probe() -> u32 {
    crate::probe()
}
