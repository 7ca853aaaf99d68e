//! A user's file, which keeps its length.

use crate::Store;
use crate::memory::no_block;
use crate::place::{checked_page_size, narrow, wide};
use rustix::fs::{FallocateFlags, OFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A file of any length. What lies behind its end reads as zeros and cannot be written; of the block that it ends in
/// only the part inside is written.
#[derive(Debug)]
pub struct PlainFile {
    file: File,
    page_size: usize,
}

impl PlainFile {
    /// A file that is open for what will be asked of it, through the page cache.
    ///
    /// # Errors
    /// The page size is not possible, or the file is open for direct I/O, which parts of blocks do not go through.
    pub fn new(file: File, page_size: usize) -> io::Result<Self> {
        checked_page_size(page_size).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        if rustix::fs::fcntl_getfl(&file)?.contains(OFlags::DIRECT) {
            let text = "a plain file goes through the page cache, and this one is open for direct I/O";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(PlainFile { file, page_size })
    }

    fn offset(&self, block: u64) -> io::Result<u64> {
        block.checked_mul(wide(self.page_size)).ok_or_else(|| no_block(block, u64::MAX))
    }
}

impl Store for PlainFile {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        let offset = self.offset(block)?;
        let mut got = 0;
        while got < into.len() {
            match self.file.read_at(&mut into[got..], offset + wide(got)) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        into[got..].fill(0);
        Ok(())
    }

    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        let offset = self.offset(block)?;
        let size = self.file.metadata()?.len();
        let inside = narrow(size.saturating_sub(offset)).min(from.len());
        if inside == 0 {
            return Err(no_block(block, size.div_ceil(wide(self.page_size))));
        }
        self.file.write_all_at(&from[..inside], offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        let (offset, length) = (self.offset(block)?, self.offset(count)?);
        let size = self.file.metadata()?.len();
        let length = length.min(size.saturating_sub(offset));
        if length == 0 {
            return Ok(());
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&self.file, flags, offset, length) {
            Err(rustix::io::Errno::OPNOTSUPP) => {
                crate::swap_file::fill_with_zeros(&self.file, offset, length)
            }
            other => Ok(other?),
        }
    }
}
