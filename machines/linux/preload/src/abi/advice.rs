//! madvise(2), posix_madvise(3): advice that takes bytes away is followed in the arena; hints there change nothing.

use super::mapping::{PAGE, split, whole};
use super::{answer, no_memory, refused};
use crate::address::{self, Owner, owner};
use crate::start::{Managed, managed};
use crate::sys;
use std::ffi::{c_int, c_void};
use std::ops::Range;

/// Advice that takes the bytes away. Nothing of the arena is locked.
const TAKES_AWAY: [c_int; 3] = [libc::MADV_DONTNEED, libc::MADV_FREE, libc::MADV_DONTNEED_LOCKED];

/// Advice that promises nothing, or what is so anyway. What is neither is refused, as by a kernel that does not know it
/// (guards of pages, since Linux 6.13), or as what the arena cannot keep (WIPEONFORK, DONTFORK, REMOVE).
const HINTS: [c_int; 17] = [
    libc::MADV_NORMAL,
    libc::MADV_RANDOM,
    libc::MADV_SEQUENTIAL,
    libc::MADV_WILLNEED,
    libc::MADV_DOFORK,
    libc::MADV_MERGEABLE,
    libc::MADV_UNMERGEABLE,
    libc::MADV_HUGEPAGE,
    libc::MADV_NOHUGEPAGE,
    libc::MADV_DONTDUMP,
    libc::MADV_DODUMP,
    libc::MADV_KEEPONFORK,
    libc::MADV_COLD,
    libc::MADV_PAGEOUT,
    libc::MADV_POPULATE_READ,
    libc::MADV_POPULATE_WRITE,
    libc::MADV_COLLAPSE,
];

#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(start: *mut c_void, len: usize, advice: c_int) -> c_int {
    let address = start.addr();
    let Some(len) = whole(address, len).filter(|_| address.is_multiple_of(PAGE)) else {
        return refused(libc::EINVAL);
    };
    if let Some(managed) = managed()
        && owner(address) == Owner::Heap
    {
        return answer(advise_heap(managed, address, len, advice));
    }
    split(
        address,
        len,
        |managed, bytes| advise_mappings(managed, bytes, advice),
        |start, len| sys::advise(start, len, advice),
    )
}

/// Whether it has to be followed; an error where it cannot be.
fn takes_away(advice: c_int) -> Result<bool, c_int> {
    let takes_away = TAKES_AWAY.contains(&advice);
    if takes_away || HINTS.contains(&advice) { Ok(takes_away) } else { Err(libc::EINVAL) }
}

fn advise_mappings(managed: &Managed, bytes: &Range<usize>, advice: c_int) -> Result<(), c_int> {
    let takes_away = takes_away(advice)?;
    managed.zones(|zones| {
        if takes_away {
            zones.mappings.discard(managed, bytes).map_err(no_memory)?;
        }
        // The kernel says so when it has advised about the rest.
        if zones.mappings.has(bytes) { Ok(()) } else { Err(libc::ENOMEM) }
    })
}

fn advise_heap(managed: &Managed, address: usize, len: usize, advice: c_int) -> Result<(), c_int> {
    if !takes_away(advice)? || len == 0 {
        return Ok(());
    }
    let (_, bytes) = address::zone(address, len).ok_or(libc::ENOMEM)?;
    managed.zones(|zones| zones.heap.discard(managed, bytes)).map_err(no_memory)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_madvise(start: *mut c_void, len: usize, advice: c_int) -> c_int {
    // POSIX's DONTNEED keeps the bytes.
    let keeps = advice == libc::POSIX_MADV_DONTNEED;
    if owner(start.addr()) == Owner::Elsewhere {
        return if keeps { 0 } else { sys::advise(start.addr(), len, advice).err().unwrap_or(0) };
    }
    let known = (libc::POSIX_MADV_NORMAL..=libc::POSIX_MADV_DONTNEED).contains(&advice);
    if known && start.addr().is_multiple_of(PAGE) { 0 } else { libc::EINVAL }
}
