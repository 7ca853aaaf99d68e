//! The staging buffers: which of them are free. The memory itself, and what keeps a buffer in flight from being
//! touched, is in `sys`.

use crate::place::{checked_page_size, small};
use crate::sys::{Lent, Staging, Toward};
use std::io;

/// One staging buffer of a [`Buffers`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BufferNo(pub u32);

impl BufferNo {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Page-aligned buffers of one page each, in one allocation, handed out by number.
///
/// A buffer keeps whatever was in it last; nobody clears it. While a page is read into it its bytes cannot be looked
/// at, and while it is read or written they cannot be changed: both are panics.
#[derive(Debug)]
pub struct Buffers {
    staging: Staging,
    free: Vec<BufferNo>,
    /// For need only; those from `count` on.
    extra: Vec<BufferNo>,
    count: usize,
    taken: Vec<bool>,
}

impl Buffers {
    /// `count` buffers of `page_size` bytes. Memory is used as buffers are first used.
    ///
    /// # Errors
    /// The page size is not a power of two from 4 KiB to 64 KiB, or the system has no room.
    pub fn new(page_size: usize, count: usize) -> io::Result<Self> {
        Self::with_extra(page_size, count, 0)
    }

    /// The same, and `extra` ones that only [`Buffers::take_extra`] gives. They cost memory only while they are taken.
    ///
    /// # Errors
    /// As [`Buffers::new`].
    pub fn with_extra(page_size: usize, count: usize, extra: usize) -> io::Result<Self> {
        let page_size = checked_page_size(page_size)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let all = count.saturating_add(extra);
        if all > u32::MAX as usize {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // The lowest is on top: neighbours are taken one after the other.
        let numbers = |from, to| (small(from)..small(to)).rev().map(BufferNo).collect();
        let (free, extra) = (numbers(0, count), numbers(count, all));
        Ok(Buffers { staging: Staging::new(page_size, all)?, free, extra, count, taken: vec![false; all] })
    }

    /// A buffer that nobody has; `None` if all are taken.
    pub fn take(&mut self) -> Option<BufferNo> {
        let buffer = self.free.pop()?;
        self.taken[buffer.index()] = true;
        Some(buffer)
    }

    /// One that is kept for when none is free, and none will be before the caller goes on.
    pub fn take_extra(&mut self) -> Option<BufferNo> {
        let buffer = self.extra.pop()?;
        self.taken[buffer.index()] = true;
        Some(buffer)
    }

    /// Gives a buffer back. It must have been taken and not be in flight.
    pub fn give(&mut self, buffer: BufferNo) {
        let taken = &mut self.taken[buffer.index()];
        assert!(*taken, "buffers: {} given back twice", buffer.0);
        assert!(self.staging.idle(buffer.index()), "buffers: {} given back in flight", buffer.0);
        *taken = false;
        if buffer.index() < self.count {
            return self.free.push(buffer);
        }
        crate::sys::give_back(self.staging.bytes_mut(buffer.index()));
        self.extra.push(buffer);
    }

    /// The contents. Consecutive buffers are consecutive in memory. The buffer must not be being read into.
    #[must_use]
    pub fn bytes(&self, buffer: BufferNo) -> &[u8] {
        self.staging.bytes(buffer.index())
    }

    /// The contents of `count` buffers that follow each other. None of them may be being read into.
    #[must_use]
    pub fn run(&self, first: BufferNo, count: usize) -> &[u8] {
        self.staging.run(first.index(), count)
    }

    /// The contents, to be changed. The buffer must not be in flight.
    pub fn bytes_mut(&mut self, buffer: BufferNo) -> &mut [u8] {
        self.staging.bytes_mut(buffer.index())
    }

    /// How many nobody has, without the extra ones.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// How many there are, without the extra ones.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The size of each in bytes.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.staging.page_size()
    }

    /// Is the buffer being read into or written from?
    #[must_use]
    pub fn in_flight(&self, buffer: BufferNo) -> bool {
        !self.staging.idle(buffer.index())
    }

    pub(crate) fn taken(&self, buffer: BufferNo) -> bool {
        self.taken[buffer.index()]
    }

    /// Lends a buffer to the kernel; it comes back when the loan is dropped.
    pub(crate) fn lend(&mut self, buffer: BufferNo, toward: Toward) -> Lent {
        self.staging.lend(buffer.index(), toward)
    }
}
