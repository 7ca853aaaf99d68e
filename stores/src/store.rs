//! The trait of a store: boring on purpose, so that a store around another one (checksums, compression, failures for
//! tests) is a page long.

use std::io;

/// Blocks of one size, numbered from 0; each call is finished when it returns.
///
/// A block never written, or discarded since, reads as zeros. The size of a block is fixed when the store is made;
/// buffers are exactly as long, and a store may panic if they are not.
pub trait Store {
    /// Fills `into` with the contents of `block`.
    ///
    /// # Errors
    /// Whatever keeps the store from giving exactly what was last written; `into` is then unspecified.
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()>;

    /// Makes `from` the contents of `block`.
    ///
    /// # Errors
    /// The block does not exist, there is no room for it, or the device failed.
    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()>;

    /// Returns when all that was written survives a loss of power, as far as the store can tell.
    ///
    /// # Errors
    /// What the device says.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes `count` blocks from `block` on read as zeros, and gives back their room where that is possible.
    ///
    /// # Errors
    /// The blocks do not exist, or the device failed.
    fn discard(&mut self, block: u64, count: u64) -> io::Result<()>;
}

/// A block is not what was last written to it. Stores say it inside an [`io::Error`] of the kind `InvalidData`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("block {block} is damaged: its checksum is {found:08x}, written was {expected:08x}")]
pub struct BadChecksum {
    /// Which block.
    pub block: u64,
    /// The checksum of what was written.
    pub expected: u32,
    /// The checksum of what was read.
    pub found: u32,
}

impl From<BadChecksum> for io::Error {
    fn from(bad: BadChecksum) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, bad)
    }
}
