//! A store around another that fails as ordered: for tests.

use crate::Store;
use crate::faults::{Fates, Faults, ReadFate, WriteFate};
use std::io;

/// Fails, tears and forgets, by a seed. `sync` and `discard` go through.
#[derive(Debug)]
pub struct Faulty<S> {
    inner: S,
    fates: Fates,
    old: Vec<u8>,
}

impl<S: Store> Faulty<S> {
    /// Around `inner`.
    #[must_use]
    pub fn new(inner: S, faults: Faults) -> Self {
        Faulty { inner, fates: Fates::new(faults), old: Vec::new() }
    }

    /// The first half of `from` arrives.
    fn tear(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        let half = from.len() / 2;
        self.old.resize(from.len(), 0);
        self.inner.read(block, &mut self.old)?;
        self.old[..half].copy_from_slice(&from[..half]);
        self.inner.write(block, &self.old)
    }
}

impl<S: Store> Store for Faulty<S> {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        match self.fates.read() {
            ReadFate::Failed => return Err(ordered()),
            ReadFate::Fine => self.inner.read(block, into)?,
            ReadFate::Flipped => {
                self.inner.read(block, into)?;
                self.fates.flip(into);
            }
        }
        Ok(())
    }

    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        match self.fates.write() {
            WriteFate::Fine => self.inner.write(block, from),
            WriteFate::Failed => Err(ordered()),
            WriteFate::Torn => self.tear(block, from),
            WriteFate::Stale => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()
    }

    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        self.inner.discard(block, count)
    }
}

/// The error that was ordered.
pub(crate) fn ordered() -> io::Error {
    io::Error::from_raw_os_error(libc::EIO)
}
