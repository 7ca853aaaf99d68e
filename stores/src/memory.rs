//! The simplest store: blocks in memory.

use crate::Store;
use crate::place::{narrow, wide};
use std::io;

/// Blocks in memory, all of them there from the start (the system gives the memory as it is touched).
#[derive(Debug)]
pub struct Memory {
    page_size: usize,
    bytes: Vec<u8>,
}

impl Memory {
    /// `blocks` blocks of `page_size` bytes.
    #[must_use]
    pub fn new(page_size: usize, blocks: usize) -> Self {
        Memory { page_size, bytes: vec![0; page_size * blocks] }
    }

    fn blocks(&mut self, block: u64, count: u64) -> io::Result<&mut [u8]> {
        let blocks = wide(self.bytes.len() / self.page_size);
        let end = block.checked_add(count).filter(|&end| end <= blocks);
        let end = end.ok_or_else(|| no_block(block, blocks))?;
        Ok(&mut self.bytes[narrow(block) * self.page_size..narrow(end) * self.page_size])
    }
}

impl Store for Memory {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        into.copy_from_slice(self.blocks(block, 1)?);
        Ok(())
    }

    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        self.blocks(block, 1)?.copy_from_slice(from);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        self.blocks(block, count)?.fill(0);
        Ok(())
    }
}

/// What every store says of a block that it has not got.
pub(crate) fn no_block(block: u64, blocks: u64) -> io::Error {
    let text = format!("block {block} does not exist: there are {blocks}");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
