//! An array that grows by whole chunks: no element ever moves, and no doubling leaves half of it unused.

use alloc::{boxed::Box, vec, vec::Vec};
use core::ops::{Index, IndexMut};

const BITS: u32 = 12;
const SIZE: usize = 1 << BITS;

#[derive(Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Box<[T; SIZE]>>,
    len: u32,
}

impl<T: Copy> Chunked<T> {
    pub(crate) const fn new() -> Self {
        Chunked { chunks: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Appends `value`; its index is the length before.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let index = self.len;
        if index as usize & (SIZE - 1) == 0 {
            let chunk = vec![value; SIZE].into_boxed_slice();
            self.chunks.push(chunk.try_into().unwrap_or_else(|_| unreachable!("a chunk has SIZE elements")));
        }
        self.len += 1;
        self[index] = value;
        index
    }
}

impl<T> Index<u32> for Chunked<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.chunks[index as usize >> BITS][index as usize & (SIZE - 1)]
    }
}

impl<T> IndexMut<u32> for Chunked<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.chunks[index as usize >> BITS][index as usize & (SIZE - 1)]
    }
}
