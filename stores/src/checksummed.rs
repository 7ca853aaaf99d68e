//! A store around another that lies: what comes back is what was written, or an error.

use crate::Store;
use crate::checksum::checksum;
use crate::memory::no_block;
use crate::place::wide;
use crate::store::BadChecksum;
use std::io;

/// Keeps a checksum of each block in memory and verifies it on each read. A mismatch is a
/// [`BadChecksum`] inside an error of the kind `InvalidData`.
#[derive(Debug)]
pub struct Checksummed<S> {
    inner: S,
    /// Of each block the checksum, exclusive-or that of zeros: so a block never written needs no entry.
    sums: Vec<u32>,
    zeros: u32,
}

impl<S: Store> Checksummed<S> {
    /// Around `inner`, of which `blocks` blocks of `page_size` bytes are used, none of them written yet.
    #[must_use]
    pub fn new(inner: S, page_size: usize, blocks: usize) -> Self {
        Checksummed { inner, sums: vec![0; blocks], zeros: checksum(&vec![0; page_size]) }
    }

    fn entry(&mut self, block: u64) -> io::Result<&mut u32> {
        let blocks = wide(self.sums.len());
        let entry = usize::try_from(block).ok().and_then(|block| self.sums.get_mut(block));
        entry.ok_or_else(|| no_block(block, blocks))
    }
}

impl<S: Store> Store for Checksummed<S> {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        let expected = *self.entry(block)? ^ self.zeros;
        self.inner.read(block, into)?;
        let found = checksum(into);
        if found == expected { Ok(()) } else { Err(BadChecksum { block, expected, found }.into()) }
    }

    /// After a failed write the block may be either, so that reading it may say that it is damaged.
    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        let sum = checksum(from) ^ self.zeros;
        self.entry(block)?;
        self.inner.write(block, from)?;
        *self.entry(block)? = sum;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()
    }

    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        self.entry(block.saturating_add(count - 1))?;
        self.inner.discard(block, count)?;
        (block..block + count).try_for_each(|block| {
            *self.entry(block)? = 0;
            Ok(())
        })
    }
}
