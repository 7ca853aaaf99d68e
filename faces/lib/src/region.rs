//! Regions: private memory as slices.

use crate::arena::{Arena, Mapped, pages_for};
use crate::error::Error;
use crate::sys;
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Range};

/// How often pages are touched again that were evicted before they could be pinned.
const TRIES: u32 = 64;

/// Private memory in an arena, as a slice of plain data. It is owned as a `Vec` is, and gone when it is dropped.
pub struct Region<T: Pod> {
    memory: Mapped,
    len: usize,
    data: PhantomData<T>,
}

impl<T: Pod> Region<T> {
    pub(crate) fn new(arena: &Arena, len: usize) -> Result<Self, Error> {
        const {
            assert!(
                size_of::<T>() > 0 && align_of::<T>() <= 4096,
                "elements of some size, aligned to a page at most"
            )
        };
        let refused = || Error::TooLarge { wanted: len, size: size_of::<T>() };
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok());
        let count = bytes.and_then(|bytes| pages_for(arena, bytes)).ok_or_else(refused)?;
        let memory = Mapped::new(arena, arena.raw().map(count)?);
        Ok(Region { memory, len, data: PhantomData })
    }

    /// The bytes of all elements.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }

    /// The bytes of all elements.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self)
    }

    /// The elements in the range are zero from here on. What pages they fill cost neither memory nor swap until they
    /// are written again.
    ///
    /// # Errors
    /// The range lies outside; a page of it is pinned.
    pub fn discard(&mut self, elements: Range<usize>) -> Result<(), Error> {
        let bytes = self.bytes(&elements)?;
        let page = self.memory.arena.page_size();
        let Some(inside) = self.memory.inside(&bytes) else {
            self.as_bytes_mut()[bytes].fill(0);
            return Ok(());
        };
        self.memory.arena.raw().discard(inside)?;
        let first = bytes.start.next_multiple_of(page);
        let last = first + inside.count as usize * page;
        self.as_bytes_mut()[bytes.start..first].fill(0);
        self.as_bytes_mut()[last..bytes.end].fill(0);
        Ok(())
    }

    /// The elements stay in memory where they are, so that devices can write to them, until the pin is dropped.
    ///
    /// # Errors
    /// The range lies outside, or is more than the pager's frames can keep.
    pub fn pin(&mut self, elements: Range<usize>) -> Result<Pinned<'_, T>, Error> {
        let bytes = self.bytes(&elements)?;
        if let Some(pages) = self.memory.around(&bytes) {
            self.pin_pages(pages)?;
        }
        Ok(Pinned { region: self, elements, bytes })
    }

    fn pin_pages(&mut self, pages: mager_linux_client::Pages) -> Result<(), Error> {
        let arena = self.memory.arena.clone();
        if pages.count >= arena.frames() {
            return Err(Error::NotPinned);
        }
        for _ in 0..TRIES {
            for page in 0..pages.count {
                sys::touch(arena.raw().pointer(pages.page + page));
            }
            if arena.raw().pin(pages)? {
                return Ok(());
            }
        }
        Err(Error::NotPinned)
    }

    fn bytes(&self, elements: &Range<usize>) -> Result<Range<usize>, Error> {
        let Range { start, end } = *elements;
        if start > end || end > self.len {
            return Err(Error::Range { start, end, len: self.len });
        }
        Ok(start * size_of::<T>()..end * size_of::<T>())
    }
}

impl<T: Pod> Deref for Region<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        sys::slice(&self.memory, self.len)
    }
}

impl<T: Pod> DerefMut for Region<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        sys::slice_mut(&mut self.memory, self.len)
    }
}

impl<T: Pod> fmt::Debug for Region<T> {
    /// Without the elements: there may be more of them than memory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Region").field("memory", &self.memory).field("len", &self.len).finish()
    }
}

/// Elements that stay in memory where they are.
#[derive(Debug)]
pub struct Pinned<'a, T: Pod> {
    region: &'a mut Region<T>,
    elements: Range<usize>,
    bytes: Range<usize>,
}

impl<T: Pod> Deref for Pinned<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.region[self.elements.clone()]
    }
}

impl<T: Pod> DerefMut for Pinned<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.region[self.elements.clone()]
    }
}

impl<T: Pod> Drop for Pinned<'_, T> {
    fn drop(&mut self) {
        if let Some(pages) = self.region.memory.around(&self.bytes) {
            // A pager that is gone pins nothing.
            let _ = self.region.memory.arena.raw().unpin(pages);
        }
    }
}
