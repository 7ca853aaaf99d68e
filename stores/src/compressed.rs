//! A store in compressed memory.

use crate::memory::no_block;
use crate::pack::{Pack, fill_same, index, same_filled};
use crate::place::wide;
use crate::store::BadChecksum;
use crate::table::{Place, Table};
use crate::{OpenError, Store, pack::Damage};
use std::io;

/// Blocks compressed with LZ4, in a budget of bytes.
///
/// A block that is one word over and over takes no room, one that does not compress takes its own size. The budget
/// covers everything but the table of blocks: 8 bytes for each block that was ever touched.
#[derive(Debug)]
pub struct Compressed {
    pack: Pack,
    table: Table,
}

impl Compressed {
    /// `blocks` blocks of `page_size` bytes, in at most `budget` bytes.
    ///
    /// # Errors
    /// A size is impossible.
    pub fn new(page_size: usize, blocks: usize, budget: usize) -> Result<Self, OpenError> {
        let page_size = crate::place::checked_page_size(page_size)?;
        Ok(Compressed { pack: Pack::new(page_size, budget, true)?, table: Table::new(blocks) })
    }

    /// Bytes in use, with all overhead; never more than [`Compressed::budget`].
    #[must_use]
    pub fn used(&self) -> usize {
        self.pack.used()
    }

    /// The bound of [`Compressed::used`].
    #[must_use]
    pub fn budget(&self) -> usize {
        self.pack.budget()
    }

    fn place(&self, block: u64) -> io::Result<(u32, Place)> {
        let found = index(block).and_then(|block| Some((block, self.table.get(block)?)));
        found.ok_or_else(|| no_block(block, wide(self.table.blocks())))
    }
}

impl Store for Compressed {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        let (_, place) = self.place(block)?;
        if let Place::Same(word) = place {
            fill_same(word, into);
            return Ok(());
        }
        self.pack.get(place, into).map_err(|damage| match damage {
            Damage::Checksum { expected, found } => BadChecksum { block, expected, found }.into(),
            Damage::Unpack => io::Error::from(io::ErrorKind::InvalidData),
        })
    }

    /// A write that finds no room leaves the block as it was.
    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        let (number, old) = self.place(block)?;
        let place = match same_filled(from) {
            Some(word) => {
                self.pack.free(old);
                Place::Same(word)
            }
            None => self.pack.put(number, from, Some(old)).ok_or(io::ErrorKind::StorageFull)?,
        };
        self.table.set(number, place);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        let blocks = wide(self.table.blocks());
        let end = block.checked_add(count).filter(|&end| end <= blocks);
        let end = end.ok_or_else(|| no_block(block.saturating_add(count), blocks))?;
        for block in block..end {
            let (number, old) = self.place(block)?;
            self.pack.free(old);
            self.table.set(number, Place::Same(0));
        }
        Ok(())
    }
}
