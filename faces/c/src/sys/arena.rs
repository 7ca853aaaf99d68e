//! Arenas, and memory in them.

use super::failure::{handle, status, told};
use super::pager::mager_pager;
use crate::mappings::{Mappings, Wrong, invalid};
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::os::fd::BorrowedFd;

/// Address space under a pager's control.
#[expect(non_camel_case_types, reason = "its name in C")]
#[derive(Debug)]
pub struct mager_arena(Mappings);

/// A new arena. NULL and errno if there is none.
///
/// # Safety
/// `pager` is a pager that was not left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_arena_new(pager: *const mager_pager) -> *mut mager_arena {
    told(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let arena = unsafe { handle(pager) }?.0.arena()?;
        Ok(Box::into_raw(Box::new(mager_arena(Mappings::new(arena)))))
    })
}

/// Frees an arena with everything mapped in it.
///
/// # Safety
/// `arena` is NULL or was not freed; neither it nor memory in it is used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_arena_free(arena: *mut mager_arena) {
    if !arena.is_null() {
        // SAFETY: the caller's promise; it was made from a box.
        drop(unsafe { Box::from_raw(arena) });
    }
}

/// Maps `length` bytes of zeros, at the beginning of a page. NULL and errno (ENOMEM: not so much swap).
///
/// # Safety
/// `arena` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_map(arena: *const mager_arena, length: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    mapped(|| unsafe { handle(arena) }?.0.map(length))
}

/// Maps `length` bytes of an open file, readable and writable, from byte `offset` on, a multiple of the page size. The
/// descriptor can be closed. NULL and errno if it cannot be mapped.
///
/// # Safety
/// `arena` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_map_file(
    arena: *const mager_arena,
    file: c_int,
    offset: u64,
    length: usize,
) -> *mut c_void {
    mapped(|| {
        // SAFETY: the caller's promise.
        let arena = unsafe { handle(arena) }?;
        if file < 0 {
            return Err(Wrong(libc::EBADF, "not a descriptor".to_owned()));
        }
        // SAFETY: the caller's descriptor is open during the call; if it is not, duplicating it fails.
        let borrowed = unsafe { BorrowedFd::borrow_raw(file) };
        let owned = borrowed.try_clone_to_owned().map_err(|why| Wrong(libc::EBADF, why.to_string()))?;
        arena.0.map_file(&File::from(owned), offset, length)
    })
}

/// Unmaps what was mapped at this address, all of it. 0, or -1 and errno.
///
/// # Safety
/// `arena` was not freed; the memory is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_unmap(arena: *const mager_arena, at: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    status(|| unsafe { handle(arena) }?.0.unmap(at.addr()))
}

/// Waits until what was written to the file mapped at this address is in the file. 0, or -1 and errno.
///
/// # Safety
/// `arena` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_flush(arena: *const mager_arena, at: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    status(|| unsafe { handle(arena) }?.0.flush(at.addr()))
}

/// Private pages from `at` on read as zeros again; `length` is rounded up to pages. 0, or -1 and errno.
///
/// # Safety
/// `arena` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_discard(arena: *const mager_arena, at: *mut c_void, length: usize) -> c_int {
    // SAFETY: the caller's promise.
    status(|| unsafe { handle(arena) }?.0.discard(at.addr(), length))
}

/// The pages stay in memory where they are, for devices to write to. 0, or -1 and errno (EAGAIN: too few frames).
///
/// # Safety
/// `arena` was not freed; nobody writes to the pages during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_pin(arena: *const mager_arena, at: *mut c_void, length: usize) -> c_int {
    // SAFETY: the caller's promise.
    status(|| unsafe { handle(arena) }?.0.pin(at.addr(), length, touch))
}

/// They may be evicted again. 0, or -1 and errno.
///
/// # Safety
/// `arena` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mager_unpin(arena: *const mager_arena, at: *mut c_void, length: usize) -> c_int {
    // SAFETY: the caller's promise.
    status(|| unsafe { handle(arena) }?.0.unpin(at.addr(), length))
}

fn mapped(call: impl FnOnce() -> Result<usize, Wrong>) -> *mut c_void {
    told(std::ptr::null_mut(), || match call()? {
        0 => Err(invalid("nothing is mapped at address 0")),
        address => Ok(std::ptr::with_exposed_provenance_mut(address)),
    })
}

/// Has a mapped page be there for writing.
fn touch(page: *mut u8) {
    // SAFETY: the page is mapped; `mager_pin` was promised that nobody writes to it.
    let byte = unsafe { page.read_volatile() };
    // SAFETY: as above; the byte is what it was.
    unsafe { page.write_volatile(byte) };
}
