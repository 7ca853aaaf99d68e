//! Memory files: where the bytes of resident pages are, in a file without a name.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use std::io;

/// A sparse file in memory. What is written to it counts; a hole costs nothing.
#[derive(Debug)]
pub struct MemoryFile(OwnedFd);

impl MemoryFile {
    /// An empty one of `size` bytes, sealed against changes of its size.
    pub fn new(name: &str, size: u64) -> io::Result<Self> {
        let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, size)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(MemoryFile(fd))
    }

    /// Reads a page that is there.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let read = rustix::io::retry_on_intr(|| rustix::io::pread(&self.0, &mut *into, offset))?;
        if read == into.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Writes a page, there or not.
    pub fn write(&self, offset: u64, from: &[u8]) -> io::Result<()> {
        let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(&self.0, from, offset))?;
        if written == from.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Gives the memory of a range back. Whoever maps it loses it.
    pub fn punch(&self, offset: u64, len: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::io::retry_on_intr(|| rustix::fs::fallocate(&self.0, flags, offset, len))?)
    }

    /// Bytes of memory it holds.
    pub fn held(&self) -> io::Result<u64> {
        Ok(u64::try_from(rustix::fs::fstat(&self.0)?.st_blocks).unwrap_or(0) * 512)
    }
}

impl AsFd for MemoryFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
