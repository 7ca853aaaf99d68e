//! The arena's mappings in this process: which frame each page shows, and with which rights.

use crate::{client, sys};
use mager_course_abi::{ARENA_PAGES, Entry};
use mager_course_protocol::Change;
use rustix::mm::MprotectFlags;
use std::sync::atomic::{AtomicU32, Ordering};

/// What is mapped at each page: an entry's bits. A page whose rights were taken keeps its frame's mapping, without
/// any access: given back, it costs no new faults of the system's.
static MAPPED: [AtomicU32; ARENA_PAGES] = [const { AtomicU32::new(NOTHING) }; ARENA_PAGES];
static FRAMES: AtomicU32 = AtomicU32::new(0);

/// No frame has all these bits set.
const NOTHING: u32 = (1 << 30) - 1;

/// Physical memory has this many frames.
pub(crate) fn set_frames(frames: u32) {
    FRAMES.store(frames, Ordering::Relaxed);
}

/// Makes one page what the host says it is.
pub(crate) fn change(change: Change) {
    let Change { page, entry } = change;
    let mapped = &MAPPED[page as usize];
    let former = Entry::from_bits(mapped.load(Ordering::Relaxed));
    let (now, done) = if entry == Entry::NONE {
        (Entry::new(former.frame(), false, false), sys::protect(page, MprotectFlags::empty()))
    } else if entry.frame() == former.frame() {
        (entry, sys::protect(page, rights(entry)))
    } else if entry.frame() < FRAMES.load(Ordering::Relaxed) {
        (entry, sys::map_frame(page, entry.frame(), entry.write()))
    } else {
        client::end("the pager names a frame outside physical memory")
    };
    if let Err(error) = done {
        client::end(&format!("page {page} of the arena cannot be mapped: {error}"));
    }
    mapped.store(now.bits(), Ordering::Relaxed);
}

fn rights(entry: Entry) -> MprotectFlags {
    if entry.write() { MprotectFlags::READ | MprotectFlags::WRITE } else { MprotectFlags::READ }
}
