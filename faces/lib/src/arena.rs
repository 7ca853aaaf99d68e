//! Arenas, and the pages that regions are made of.

use crate::error::Error;
use crate::fallback::FallbackArena;
use crate::file::MappedFile;
use crate::pager::{Held, Pager};
use crate::raw::RawArena;
use crate::region::Region;
use bytemuck::Pod;
use mager_linux_client::{self as client, Pages};
use std::fs::File;
use std::sync::Arc;

/// Address space under a pager's control. Copies are the same one; what is made in it keeps it.
#[derive(Clone, Debug)]
pub struct Arena(Arc<Inner>);

/// In this order: the arena is given up before the pager is.
#[derive(Debug)]
struct Inner {
    arena: RawArena,
    pager: Arc<Held>,
}

impl Arena {
    pub(crate) fn new(pager: &Pager) -> Result<Self, Error> {
        let arena = match &*pager.0 {
            Held::Paged { connection, .. } => RawArena::Paged(client::Arena::new(connection)?),
            Held::Fallback(common) => RawArena::Fallback(FallbackArena::new(common)?),
        };
        Ok(Arena(Arc::new(Inner { arena, pager: Arc::clone(&pager.0) })))
    }

    /// `len` elements, all of them zero. Swap is reserved for all of them.
    ///
    /// # Errors
    /// There is not so much swap, or not so much room in the arena.
    pub fn region<T: Pod>(&self, len: usize) -> Result<Region<T>, Error> {
        Region::new(self, len)
    }

    /// `len` bytes of a file from byte `offset` on, a multiple of the page size; shared with whoever maps them through
    /// the same pager. The file is open for reading and writing, and as long as that.
    ///
    /// # Errors
    /// It is not.
    pub fn map_file(&self, file: &File, offset: u64, len: usize) -> Result<MappedFile, Error> {
        MappedFile::new(self, file, offset, len)
    }

    /// From now on no part of this process can unmap, replace or protect the arena's addresses, by mistake or because it
    /// was attacked (mseal, since Linux 6.10). Regions come and go in it as before, and no file can be mapped any more. The
    /// addresses stay in use until the process ends, also when the arena is dropped.
    ///
    /// # Errors
    /// The kernel is too old; a file has been mapped in the arena; there is no pager.
    pub fn seal(&self) -> Result<(), Error> {
        Ok(self.raw().seal()?)
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> usize {
        usize::try_from(self.raw().page_size()).unwrap_or(usize::MAX)
    }

    /// How many frames the pager has for everyone.
    pub(crate) fn frames(&self) -> u32 {
        match &*self.0.pager {
            Held::Paged { connection, .. } => connection.facts().frames,
            Held::Fallback(_) => u32::MAX,
        }
    }

    /// Pages without any care for who uses them; for other languages' interfaces.
    #[doc(hidden)]
    #[must_use]
    pub fn raw(&self) -> &RawArena {
        &self.0.arena
    }
}

/// Mapped pages, unmapped when they are dropped.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) arena: Arena,
    pub(crate) pages: Pages,
    /// The address of the first byte.
    pub(crate) base: usize,
}

impl Mapped {
    pub(crate) fn new(arena: &Arena, pages: Pages) -> Self {
        let base = arena.raw().pointer(pages.page).expose_provenance();
        Mapped { arena: arena.clone(), pages, base }
    }

    /// The pages that lie wholly in these bytes; `None` if there are none.
    pub(crate) fn inside(&self, bytes: &std::ops::Range<usize>) -> Option<Pages> {
        let page = self.arena.page_size();
        self.run(bytes.start.div_ceil(page), bytes.end / page)
    }

    /// The pages that these bytes touch; `None` if there are none.
    pub(crate) fn around(&self, bytes: &std::ops::Range<usize>) -> Option<Pages> {
        let page = self.arena.page_size();
        self.run(bytes.start / page, bytes.end.div_ceil(page))
    }

    fn run(&self, first: usize, end: usize) -> Option<Pages> {
        let (first, count) = (u32::try_from(first).ok()?, u32::try_from(end.checked_sub(first)?).ok()?);
        (count > 0).then_some(Pages { page: self.pages.page + first, count })
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // A pager that is gone has unmapped it, and a child that does not follow never had it.
        let _ = self.arena.raw().unmap(self.pages);
    }
}

/// How many pages hold `bytes`, at least one.
pub(crate) fn pages_for(arena: &Arena, bytes: usize) -> Option<u32> {
    u32::try_from(bytes.max(1).div_ceil(arena.page_size())).ok()
}
