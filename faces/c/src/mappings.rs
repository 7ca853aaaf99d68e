//! Which pages were mapped where: C names memory by its address.

use mager_linux_client::{Error, Pages};
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Mutex, PoisonError};

/// How often pages are touched again that were evicted before they could be pinned.
const TRIES: u32 = 64;

/// Why a call failed: `errno`, and a sentence.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) i32, pub(crate) String);

impl From<Error> for Wrong {
    fn from(why: Error) -> Self {
        Wrong(why.errno(), why.to_string())
    }
}

impl From<mager::Error> for Wrong {
    fn from(why: mager::Error) -> Self {
        Wrong(why.errno(), why.to_string())
    }
}

pub(crate) fn invalid(why: &str) -> Wrong {
    Wrong(libc::EINVAL, why.to_owned())
}

/// An arena with what was mapped in it, by first page.
#[derive(Debug)]
pub(crate) struct Mappings {
    arena: mager::Arena,
    pages: Mutex<BTreeMap<u32, u32>>,
}

impl Mappings {
    pub(crate) fn new(arena: mager::Arena) -> Self {
        Mappings { arena, pages: Mutex::default() }
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, u32>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, bytes: usize) -> Result<u32, Wrong> {
        let count = u32::try_from(bytes.div_ceil(self.arena.page_size()));
        match count {
            Ok(0) => Err(invalid("a length of 0")),
            Ok(count) => Ok(count),
            Err(_) => Err(Wrong(libc::ENOMEM, format!("{bytes} bytes are more than an arena can hold"))),
        }
    }

    fn keep(&self, pages: Pages) -> usize {
        self.pages().insert(pages.page, pages.count);
        self.arena.raw().pointer(pages.page).expose_provenance()
    }

    pub(crate) fn map(&self, bytes: usize) -> Result<usize, Wrong> {
        Ok(self.keep(self.arena.raw().map(self.count(bytes)?)?))
    }

    pub(crate) fn map_file(&self, file: &File, offset: u64, bytes: usize) -> Result<usize, Wrong> {
        let page_size = self.arena.page_size() as u64;
        let block = u32::try_from(offset / page_size).ok().filter(|_| offset.is_multiple_of(page_size));
        let block = block.ok_or_else(|| invalid("a file is mapped from a multiple of the page size"))?;
        Ok(self.keep(self.arena.raw().map_file(file, block, self.count(bytes)?)?))
    }

    pub(crate) fn unmap(&self, at: usize) -> Result<(), Wrong> {
        let page = self.page(at)?;
        let unknown = || invalid("no mapping begins at this address");
        let count = self.pages().remove(&page).ok_or_else(unknown)?;
        let unmapped = self.arena.raw().unmap(Pages { page, count });
        if unmapped.is_err() {
            self.pages().insert(page, count);
        }
        Ok(unmapped?)
    }

    pub(crate) fn flush(&self, at: usize) -> Result<(), Wrong> {
        Ok(self.arena.raw().flush(self.page(at)?)?)
    }

    pub(crate) fn discard(&self, at: usize, bytes: usize) -> Result<(), Wrong> {
        Ok(self.arena.raw().discard(self.run(at, bytes)?)?)
    }

    pub(crate) fn unpin(&self, at: usize, bytes: usize) -> Result<(), Wrong> {
        Ok(self.arena.raw().unpin(self.run(at, bytes)?)?)
    }

    /// `touch` has a page be there for writing.
    pub(crate) fn pin(&self, at: usize, bytes: usize, touch: impl Fn(*mut u8)) -> Result<(), Wrong> {
        let pages = self.run(at, bytes)?;
        for _ in 0..TRIES {
            (0..pages.count).for_each(|page| touch(self.arena.raw().pointer(pages.page + page)));
            if self.arena.raw().pin(pages)? {
                return Ok(());
            }
        }
        Err(Wrong(libc::EAGAIN, "the pager has too few frames for the pages to stay".to_owned()))
    }

    /// The page that begins at an address.
    fn page(&self, at: usize) -> Result<u32, Wrong> {
        let base = self.arena.raw().pointer(0).expose_provenance();
        let (page_size, offset) = (self.arena.page_size(), at.checked_sub(base));
        let page = offset.filter(|offset| offset.is_multiple_of(page_size)).map(|offset| offset / page_size);
        let page = page.and_then(|page| u32::try_from(page).ok());
        page.ok_or_else(|| invalid("the address is not that of a page of this arena"))
    }

    /// The pages of `bytes` from an address on, all of them in one mapping.
    fn run(&self, at: usize, bytes: usize) -> Result<Pages, Wrong> {
        let (page, count) = (self.page(at)?, self.count(bytes)?);
        let inside = self.pages().range(..=page).next_back().is_some_and(|(&first, &mapped)| {
            page.checked_add(count).is_some_and(|end| end <= first + mapped)
        });
        if inside { Ok(Pages { page, count }) } else { Err(invalid("the range does not lie in one mapping")) }
    }
}
