//! Which CPUs a thread may run on: what the program believes, while the pager has pulled the thread to its own.
//!
//! The pager pulls a thread by giving it a mask of one CPU, or keeps it from that CPU, and gives the thread's own mask back
//! later. What a thread makes meanwhile (threads, processes, other programs) must not inherit that.

use mager_linux_sys::{CpuMask, affinity, set_affinity};
use std::cell::Cell;
use std::sync::OnceLock;

/// What the process was started with.
static PROCESS: OnceLock<CpuMask> = OnceLock::new();

thread_local! {
    /// What the thread has been given by the program itself.
    static OWN: Cell<Option<CpuMask>> = const { Cell::new(None) };
}

pub(crate) fn remember() {
    if let Ok(mask) = affinity(0) {
        let _ = PROCESS.set(mask);
    }
}

/// The program has chosen a mask for the calling thread.
pub(crate) fn chosen() {
    OWN.set(affinity(0).ok());
}

/// The calling thread's own mask, if it is not on that now.
pub(crate) fn own() -> Option<CpuMask> {
    let own = OWN.get().or_else(|| PROCESS.get().copied())?;
    let now = affinity(0).ok()?;
    let placed = now.count() == 1 || now.count() + 1 == own.count();
    (placed && now != own).then_some(own)
}

/// The calling thread is where it wants to be, and so is what it is about to make.
pub(crate) fn let_go() {
    if let Some(own) = own() {
        let _ = set_affinity(0, &own);
    }
}

/// Writes a mask as the kernel would; `false`: it does not fit.
///
/// # Safety
/// There is room for `size` bytes at `place`.
pub(crate) unsafe fn write(mask: &CpuMask, place: *mut u8, size: usize) -> bool {
    let mut bytes = vec![0_u8; size];
    for cpu in mager_linux_sys::online_cpus(mask) {
        match bytes.get_mut(cpu / 8) {
            Some(byte) => *byte |= 1 << (cpu % 8),
            None => return false,
        }
    }
    // SAFETY: the caller's word.
    unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), size) };
    true
}
