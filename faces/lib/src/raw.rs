//! Pages of an arena without any care for who uses them, whoever pages them.

use crate::fallback::FallbackArena;
use mager_linux_client::{self as client, Error, Pages};
use std::fs::File;

/// An arena, as those see it who name memory by pages and addresses.
#[derive(Debug)]
pub enum RawArena {
    /// The pager pages it.
    Paged(client::Arena),
    /// The kernel does.
    Fallback(FallbackArena),
}

/// The same call of whichever arena it is.
macro_rules! either {
    ($arena:expr, $found:ident => $call:expr) => {
        match $arena {
            RawArena::Paged($found) => $call,
            RawArena::Fallback($found) => $call,
        }
    };
}

impl RawArena {
    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> u64 {
        either!(self, arena => arena.page_size())
    }

    /// Where a page is.
    #[must_use]
    pub fn pointer(&self, page: u32) -> *mut u8 {
        either!(self, arena => arena.pointer(page))
    }

    /// Private memory, zeros at first. Swap is reserved for all of it.
    ///
    /// # Errors
    /// There is no room, or no swap.
    pub fn map(&self, count: u32) -> Result<Pages, Error> {
        either!(self, arena => arena.map(count))
    }

    /// `count` pages of a file from page `block` on.
    ///
    /// # Errors
    /// They reach beyond its end; it is not open for reading and writing.
    pub fn map_file(&self, file: &File, block: u32, count: u32) -> Result<Pages, Error> {
        either!(self, arena => arena.map_file(file, block, count))
    }

    /// The pages, all of a mapping, are not used any more.
    ///
    /// # Errors
    /// The pager is gone.
    pub fn unmap(&self, pages: Pages) -> Result<(), Error> {
        either!(self, arena => arena.unmap(pages))
    }

    /// See [`crate::Arena::seal`].
    ///
    /// # Errors
    /// The kernel cannot; files have been mapped.
    pub fn seal(&self) -> Result<(), Error> {
        either!(self, arena => arena.seal())
    }

    /// Private pages read as zeros again.
    ///
    /// # Errors
    /// They are not private; one of them is pinned.
    pub fn discard(&self, pages: Pages) -> Result<(), Error> {
        either!(self, arena => arena.discard(pages))
    }

    /// Writes dirty pages of the file mapped at `page` home, and waits for it.
    ///
    /// # Errors
    /// No file is mapped there; it could not be written.
    pub fn flush(&self, page: u32) -> Result<(), Error> {
        either!(self, arena => arena.flush(page))
    }

    /// The pages stay in memory where they are; `false`: they have to be touched again. The kernel, where it pages them
    /// itself, pins what it gives to devices by itself.
    ///
    /// # Errors
    /// There are too few frames.
    pub fn pin(&self, pages: Pages) -> Result<bool, Error> {
        match self {
            RawArena::Paged(arena) => arena.pin(pages),
            RawArena::Fallback(_) => Ok(true),
        }
    }

    /// They may be evicted again.
    ///
    /// # Errors
    /// They were not pinned.
    pub fn unpin(&self, pages: Pages) -> Result<(), Error> {
        match self {
            RawArena::Paged(arena) => arena.unpin(pages),
            RawArena::Fallback(_) => Ok(()),
        }
    }
}
