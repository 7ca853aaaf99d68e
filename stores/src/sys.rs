//! All of this crate's unsafe code: the memory of the staging buffers, loans of it, and the ring that hands loans to
//! the kernel.
//!
//! A page of the area is idle, being filled (the kernel may write it) or being drained (the kernel may read it). One
//! loan at most exists for each page; only the loan ends the state, when it is dropped. So whoever holds a loan for
//! filling is the only one who touches the page, from whatever thread; and a loan that is forgotten leaves the page
//! locked for ever, which wastes it and harms nobody.

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

mod ring;

pub(crate) use ring::Ring;

const IDLE: u8 = 0;
const FILLING: u8 = 1;
const DRAINING: u8 = 2;

/// Asks for huge pages where `memory` covers whole ones: who reads here and there in much of it finds its addresses in
/// the TLB more often. Nothing depends on it.
pub(crate) fn prefer_huge_pages(memory: &mut [u8]) {
    let from = memory.as_ptr().align_offset(HUGE).min(memory.len());
    let length = (memory.len() - from) / HUGE * HUGE;
    let start = memory[from..].as_mut_ptr().cast::<c_void>();
    // SAFETY: the range is ours and in `memory`; the advice changes no bytes.
    let _ = unsafe { rustix::mm::madvise(start, length, rustix::mm::Advice::LinuxHugepage) };
}

/// Asks for no huge pages in `memory`: what is touched of it, and nothing more, is to cost memory.
pub(crate) fn refuse_huge_pages(memory: &mut [u8]) {
    let start = memory.as_mut_ptr().cast::<c_void>();
    // SAFETY: the range is ours, and begins with a page; the advice changes no bytes.
    let _ = unsafe { rustix::mm::madvise(start, memory.len(), rustix::mm::Advice::LinuxNoHugepage) };
}

/// Gives the memory of whole pages back to the system: they read as zeros, and cost nothing until they are touched again.
/// Whether that was done.
pub(crate) fn give_back(memory: &mut [u8]) -> bool {
    let start = memory.as_mut_ptr();
    assert!(start.align_offset(PAGE) == 0 && memory.len().is_multiple_of(PAGE), "memory: not of whole pages");
    // SAFETY: the range is private memory of ours that nobody else looks at; bytes of it may become zeros.
    unsafe { rustix::mm::madvise(start.cast::<c_void>(), memory.len(), rustix::mm::Advice::LinuxDontNeed) }
        .is_ok()
}

/// The smallest page of x86-64; every page size of a store is a multiple of it.
pub(crate) const PAGE: usize = 4096;
/// A huge page of x86-64.
const HUGE: usize = 2 << 20;

/// Which way a loan's bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Toward {
    /// The store's contents come into memory.
    Memory,
    /// Memory goes out to the store.
    Store,
}

/// The mapping, and the state of each page of it.
#[derive(Debug)]
struct Area {
    start: NonNull<c_void>,
    page_size: usize,
    states: Box<[AtomicU8]>,
}

// SAFETY: the mapping belongs to no thread; who may touch which page is what `states` says.
unsafe impl Send for Area {}
// SAFETY: as above; the states are atomic.
unsafe impl Sync for Area {}

impl Area {
    fn new(page_size: usize, count: usize) -> io::Result<Self> {
        let length = page_size.checked_mul(count.max(1)).ok_or(io::ErrorKind::OutOfMemory)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new private mapping disturbs nothing.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), length, access, MapFlags::PRIVATE) }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Area { start, page_size, states: (0..count).map(|_| AtomicU8::new(IDLE)).collect() })
    }

    fn state(&self, page: usize) -> u8 {
        self.states[page].load(Ordering::Acquire)
    }

    fn set(&self, page: usize, state: u8) {
        self.states[page].store(state, Ordering::Release);
    }

    fn at(&self, page: usize) -> *mut u8 {
        assert!(page < self.states.len(), "buffers: there is no buffer {page}");
        self.start.as_ptr().cast::<u8>().wrapping_add(page * self.page_size)
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        let length = self.page_size * self.states.len().max(1);
        // SAFETY: the mapping is ours, and no loan is left: each holds a reference to this.
        let _ = unsafe { munmap(self.start.as_ptr(), length) };
    }
}

/// The one owner of an area's idle pages.
#[derive(Debug)]
pub(crate) struct Staging {
    area: Arc<Area>,
}

impl Staging {
    pub(crate) fn new(page_size: usize, count: usize) -> io::Result<Self> {
        Ok(Staging { area: Arc::new(Area::new(page_size, count)?) })
    }

    pub(crate) fn page_size(&self) -> usize {
        self.area.page_size
    }

    pub(crate) fn idle(&self, page: usize) -> bool {
        self.area.state(page) == IDLE
    }

    pub(crate) fn bytes(&self, page: usize) -> &[u8] {
        assert!(self.area.state(page) != FILLING, "buffers: {page} is looked at while it is being read");
        // SAFETY: the page is in the mapping; nobody writes it: it is not being filled, and to lend it or to change
        // it takes `&mut self`.
        unsafe { slice::from_raw_parts(self.area.at(page), self.area.page_size) }
    }

    pub(crate) fn run(&self, page: usize, count: usize) -> &[u8] {
        let idle = (page..page + count).all(|page| self.area.state(page) != FILLING);
        assert!(idle, "buffers: one of {count} from {page} on is looked at while it is being read");
        // SAFETY: `states` has all of the pages, so they are in the mapping, and neighbours in it; nobody writes them, as in `bytes`.
        unsafe { slice::from_raw_parts(self.area.at(page), self.area.page_size * count) }
    }

    pub(crate) fn bytes_mut(&mut self, page: usize) -> &mut [u8] {
        assert!(self.idle(page), "buffers: {page} is changed while it is in flight");
        // SAFETY: the page is in the mapping; it is idle, so no loan of it exists, and `&mut self` is the only owner.
        unsafe { slice::from_raw_parts_mut(self.area.at(page), self.area.page_size) }
    }

    pub(crate) fn lend(&mut self, page: usize, toward: Toward) -> Lent {
        assert!(self.idle(page), "buffers: {page} is used while it is in flight");
        self.area.set(page, if toward == Toward::Memory { FILLING } else { DRAINING });
        Lent { area: Arc::clone(&self.area), page, toward }
    }
}

/// One page lent out; dropping it gives the page back.
#[derive(Debug)]
pub(crate) struct Lent {
    area: Arc<Area>,
    page: usize,
    toward: Toward,
}

impl Lent {
    pub(crate) fn toward(&self) -> Toward {
        self.toward
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: in the mapping. Being filled, only this loan touches the page; being drained, nobody writes it.
        unsafe { slice::from_raw_parts(self.area.at(self.page), self.area.page_size) }
    }

    /// Only of a page that is being filled.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        assert!(self.toward == Toward::Memory, "buffers: a page that is written out is changed");
        // SAFETY: in the mapping; it is being filled, so only this loan touches it, and `&mut self` is the loan.
        unsafe { slice::from_raw_parts_mut(self.area.at(self.page), self.area.page_size) }
    }

    /// Where the kernel finds the page.
    fn at(&self) -> *mut u8 {
        self.area.at(self.page)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.area.set(self.page, IDLE);
    }
}
