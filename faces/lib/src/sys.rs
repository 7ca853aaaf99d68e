//! Memory of an arena as Rust sees it: the only unsafe code of the library.
//!
//! Private pages belong to one [`Mapped`], which one `Region` owns: nobody else has references to them, and the pager
//! changes no byte that the program did not write. File pages are everyone's: they are read and written word by word.
#![allow(unsafe_code, reason = "the one place")]

use crate::arena::Mapped;
use crate::file::MappedFile;
use bytemuck::Pod;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

const WORD: usize = size_of::<u64>();

fn assert_fits<T>(memory: &Mapped, len: usize) {
    let bytes = memory.pages.count as usize * memory.arena.page_size();
    debug_assert!(len * size_of::<T>() <= bytes && memory.base.is_multiple_of(align_of::<T>()));
}

/// The first `len` elements of private memory, for which there is room.
#[inline]
pub(crate) fn slice<T: Pod>(memory: &Mapped, len: usize) -> &[T] {
    assert_fits::<T>(memory, len);
    // SAFETY: the pages are mapped as long as `memory` lives, hold `len` aligned elements, any bytes are a `T`, and
    // whoever could write them needs `&mut` of what is borrowed here.
    unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(memory.base), len) }
}

/// As [`slice`], for writing.
#[inline]
pub(crate) fn slice_mut<T: Pod>(memory: &mut Mapped, len: usize) -> &mut [T] {
    assert_fits::<T>(memory, len);
    // SAFETY: as above, and the borrow is the only one.
    unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(memory.base), len) }
}

/// Has the page at `page`, of a region borrowed for writing, be there for writing.
pub(crate) fn touch(page: *mut u8) {
    // SAFETY: the caller's region is mapped, and no reference to it is alive.
    let byte = unsafe { page.read_volatile() };
    // SAFETY: as above; the byte is what it was.
    unsafe { page.write_volatile(byte) };
}

fn byte(memory: &Mapped, at: usize) -> &AtomicU8 {
    // SAFETY: the caller has checked that the byte lies in the mapping, which lives as long as the borrow.
    unsafe { AtomicU8::from_ptr(std::ptr::with_exposed_provenance_mut(memory.base + at)) }
}

fn word(memory: &Mapped, at: usize) -> &AtomicU64 {
    // SAFETY: as above, for eight bytes; `at` is a multiple of eight, and the mapping begins at a page.
    unsafe { AtomicU64::from_ptr(std::ptr::with_exposed_provenance_mut(memory.base + at)) }
}

/// How many of `len` bytes at `at` come before the first whole word.
fn head(at: usize, len: usize) -> usize {
    (at.next_multiple_of(WORD) - at).min(len)
}

/// Copies file pages that others may be writing; the range lies inside.
pub(crate) fn load(memory: &Mapped, at: usize, into: &mut [u8]) {
    let (head, rest) = into.split_at_mut(head(at, into.len()));
    let middle = at + head.len();
    head.iter_mut().enumerate().for_each(|(i, to)| *to = byte(memory, at + i).load(Ordering::Relaxed));
    let mut words = rest.chunks_exact_mut(WORD);
    let mut here = middle;
    for to in &mut words {
        to.copy_from_slice(&word(memory, here).load(Ordering::Relaxed).to_ne_bytes());
        here += WORD;
    }
    let tail = words.into_remainder();
    tail.iter_mut().enumerate().for_each(|(i, to)| *to = byte(memory, here + i).load(Ordering::Relaxed));
}

/// Copies into file pages that others may be reading; the range lies inside.
pub(crate) fn store(memory: &Mapped, at: usize, from: &[u8]) {
    let (head, rest) = from.split_at(head(at, from.len()));
    head.iter().enumerate().for_each(|(i, &from)| byte(memory, at + i).store(from, Ordering::Relaxed));
    let (words, tail) = rest.as_chunks::<WORD>();
    let mut here = at + head.len();
    for from in words {
        word(memory, here).store(u64::from_ne_bytes(*from), Ordering::Relaxed);
        here += WORD;
    }
    tail.iter().enumerate().for_each(|(i, &from)| byte(memory, here + i).store(from, Ordering::Relaxed));
}

impl MappedFile {
    /// The bytes of the file.
    ///
    /// # Safety
    /// As long as the borrow lasts nobody writes to this part of the file through a mapping: neither other mappings of
    /// this program nor other clients of the pager.
    #[must_use]
    pub unsafe fn bytes(&self) -> &[u8] {
        slice(&self.memory, self.len)
    }

    /// The bytes of the file.
    ///
    /// # Safety
    /// As long as the borrow lasts nobody else reads or writes this part of the file through a mapping.
    pub unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        slice_mut(&mut self.memory, self.len)
    }
}
