//! Mapped files: pages that are shared with whoever maps the same file.

use crate::arena::{Arena, Mapped, pages_for};
use crate::error::Error;
use crate::sys;
use std::fs::File;

/// A part of a file. Others may change it at any moment, so it is read and written by copying; references to it are for
/// those who know that nobody else does ([`MappedFile::bytes_mut`]).
///
/// What is written is in the file after [`MappedFile::flush`], or some time after this is dropped.
#[derive(Debug)]
pub struct MappedFile {
    pub(crate) memory: Mapped,
    pub(crate) len: usize,
}

impl MappedFile {
    pub(crate) fn new(arena: &Arena, file: &File, offset: u64, len: usize) -> Result<Self, Error> {
        let page_size = arena.raw().page_size();
        let too_large = || Error::TooLarge { wanted: len, size: 1 };
        if !offset.is_multiple_of(page_size) {
            return Err(Error::Offset { offset, page_size });
        }
        let block = u32::try_from(offset / page_size).map_err(|_| too_large())?;
        let count = pages_for(arena, len).ok_or_else(too_large)?;
        let pages = arena.raw().map_file(file, block, count)?;
        Ok(MappedFile { memory: Mapped::new(arena, pages), len })
    }

    /// How many bytes were mapped.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no bytes were.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the bytes from `at` on.
    ///
    /// # Errors
    /// They reach beyond the end.
    pub fn read_at(&self, at: usize, into: &mut [u8]) -> Result<(), Error> {
        self.check(at, into.len())?;
        sys::load(&self.memory, at, into);
        Ok(())
    }

    /// Writes the bytes from `at` on.
    ///
    /// # Errors
    /// They reach beyond the end.
    pub fn write_at(&self, at: usize, from: &[u8]) -> Result<(), Error> {
        self.check(at, from.len())?;
        sys::store(&self.memory, at, from);
        Ok(())
    }

    /// Waits until everything written is in the file.
    ///
    /// # Errors
    /// It could not be written; it is still here, and can be flushed again.
    pub fn flush(&self) -> Result<(), Error> {
        Ok(self.memory.arena.raw().flush(self.memory.pages.page)?)
    }

    fn check(&self, start: usize, count: usize) -> Result<(), Error> {
        match start.checked_add(count) {
            Some(end) if end <= self.len => Ok(()),
            end => Err(Error::Range { start, end: end.unwrap_or(usize::MAX), len: self.len }),
        }
    }
}
