//! malloc(3), posix_memalign(3), malloc_usable_size(3). Blocks up to [`LARGE`] are mimalloc's, larger ones have mappings
//! of their own: they need no more swap than their size, and go back at once.

use super::{next, no_memory, pointer};
use crate::address::{Owner, offset, owner};
use crate::start::{Managed, Server, managed, server};
use crate::sys;
use libmimalloc_sys as mi;
use mager_linux_client::Error;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

/// What mimalloc takes from segments of its own; more, it would round up to 32 MiB.
const LARGE: usize = 16 << 20;
/// Every block's.
const ALIGN: usize = 16;

/// `null`, and why.
fn none(errno: c_int) -> *mut c_void {
    sys::set_errno(errno);
    null_mut()
}

/// mimalloc's answer. Where it has none, for want of addresses or of swap for a whole span, a mapping may do.
fn found(block: *mut c_void, size: usize, align: usize) -> *mut c_void {
    if block.is_null() { answer(mapping(size.max(1), align)) } else { block }
}

/// A mapping of its own: zeros.
#[cold]
fn mapping(size: usize, align: usize) -> Result<*mut c_void, Error> {
    let managed = managed().ok_or(Error::NoRoom { wanted: 0 })?;
    let at = managed.zones(|zones| zones.map(managed, size, align))?;
    Ok(pointer(sys::word(managed.arena.addresses().0) + at))
}

/// The same. If swap is short, the heap gives back first what blocks were freed of.
#[cold]
fn large(size: usize, align: usize) -> *mut c_void {
    answer(mapping(size, align).or_else(|why| {
        let Some(managed) = managed() else { return Err(why) };
        if size > sys::word(managed.arena.addresses().1) {
            return Err(why);
        }
        // SAFETY: it takes a choice.
        unsafe { mi::mi_collect(true) };
        managed.zones(|_| managed.has_room());
        mapping(size, align)
    }))
}

fn answer(mapped: Result<*mut c_void, Error>) -> *mut c_void {
    mapped.unwrap_or_else(|why| none(no_memory(why)))
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    if server() == Server::System {
        return sys::own_malloc(size);
    }
    if size > LARGE {
        return large(size, 1);
    }
    // SAFETY: it takes any size.
    found(unsafe { mi::mi_malloc(size) }, size, 1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    if server() == Server::System {
        return sys::own_calloc(count, size);
    }
    match count.checked_mul(size) {
        None => none(libc::ENOMEM),
        Some(bytes) if bytes > LARGE => large(bytes, 1),
        // SAFETY: it takes any size.
        Some(bytes) => found(unsafe { mi::mi_zalloc(bytes) }, bytes, 1),
    }
}

#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn free(block: *mut c_void) {
    match owner(block.addr()) {
        // SAFETY: the caller has it from us, and it is mimalloc's.
        Owner::Heap => unsafe { mi::mi_free(block) },
        Owner::Mappings => drop_large(block.addr()),
        // SAFETY: the caller has it from before us, or from the C library.
        Owner::Elsewhere => unsafe { sys::own_free(block) },
    }
}

#[cold]
fn drop_large(address: usize) {
    let Some(managed) = managed() else { return };
    let start = offset(address);
    managed.zones(|zones| {
        if let Some(len) = zones.mappings.len(start) {
            // Fails with the pager, and the program with it.
            let _ = zones.mappings.unmap(managed, &(start..start + len));
        }
    });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    let from = owner(old.addr());
    if size == 0 && !old.is_null() {
        // SAFETY: the caller's word.
        unsafe { free(old) };
        return null_mut();
    }
    if from == Owner::Heap && size <= LARGE && server() == Server::Arena {
        // SAFETY: the caller has it from us, and it is mimalloc's.
        let new = unsafe { mi::mi_realloc(old, size) };
        if !new.is_null() {
            return new;
        }
    }
    if from == Owner::Elsewhere {
        if old.is_null() {
            // SAFETY: it takes any size.
            return unsafe { malloc(size) };
        }
        // SAFETY: the caller has it from the C library.
        return unsafe { sys::own_realloc(old, size) };
    }
    // SAFETY: the caller's word.
    unsafe { move_large(old, size) }
}

/// # Safety
/// `old` is a block of the arena.
#[cold]
unsafe fn move_large(old: *mut c_void, size: usize) -> *mut c_void {
    if size > LARGE && managed().is_some_and(|managed| resized(managed, old.addr(), size)) {
        return old;
    }
    // SAFETY: it takes any size.
    let new = unsafe { malloc(size) };
    if !new.is_null() {
        // SAFETY: the caller's word.
        let len = unsafe { malloc_usable_size(old) }.min(size);
        // SAFETY: both are blocks of at least that length, and the new one is nobody else's.
        unsafe { new.cast::<u8>().copy_from_nonoverlapping(old.cast(), len) };
        // SAFETY: the caller gives it up.
        unsafe { free(old) };
    }
    new
}

fn resized(managed: &Managed, address: usize, size: usize) -> bool {
    owner(address) == Owner::Mappings
        && managed.zones(|zones| {
            let start = offset(address);
            let len = zones.mappings.len(start)?;
            zones.mappings.resize(managed, start, len, size).ok()
        }) == Some(true)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(old: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the caller's word.
        Some(bytes) => unsafe { realloc(old, bytes) },
        None => none(libc::ENOMEM),
    }
}

/// An alignment that is no power of two is taken for the next one.
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    let Some(align) = align.checked_next_power_of_two() else { return none(libc::EINVAL) };
    if server() == Server::System {
        return sys::own_memalign(align, size);
    }
    // mimalloc looks for an aligned place in a block that is larger by so much.
    if size.saturating_add(align) > LARGE {
        return large(size.max(1), align.max(ALIGN));
    }
    // SAFETY: it takes any size, and an alignment that is a power of two.
    found(unsafe { mi::mi_malloc_aligned(size, align.max(ALIGN)) }, size, align)
}

/// As the C library's was until it became particular about alignments (2.38): who was written for one or the other runs.
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    // SAFETY: it takes anything.
    unsafe { memalign(align, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        return libc::EINVAL;
    }
    // SAFETY: it takes anything.
    let block = unsafe { memalign(align, size) };
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller has made room for it there.
    unsafe { place.write(block) };
    0
}

const PAGE: usize = 4096;

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    // SAFETY: it takes anything.
    unsafe { memalign(PAGE, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    match size.checked_next_multiple_of(PAGE) {
        // SAFETY: it takes anything.
        Some(bytes) => unsafe { memalign(PAGE, bytes) },
        None => none(libc::ENOMEM),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    match owner(block.addr()) {
        // SAFETY: the caller has it from us, and it is mimalloc's.
        Owner::Heap => unsafe { mi::mi_usable_size(block) },
        Owner::Mappings => managed()
            .and_then(|managed| managed.zones(|zones| zones.mappings.len(offset(block.addr()))))
            .unwrap_or(0),
        Owner::Elsewhere => next!(c"malloc_usable_size" as fn(block: *mut c_void) -> usize),
    }
}

/// What is free goes back to the pager soon, as it does without being asked.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_trim(pad: usize) -> c_int {
    if managed().is_none() {
        return next!(c"malloc_trim" as fn(pad: usize) -> c_int);
    }
    // SAFETY: it takes a choice.
    unsafe { mi::mi_collect(false) };
    1
}
