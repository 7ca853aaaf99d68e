//! Swap: reservations are a counter, blocks are assigned late.
//!
//! A reservation is taken for every private page when it is mapped, so that a page that was granted can always be
//! kept; which block a page gets is decided at its first write-back: the lowest free one, so that pages written
//! together lie together.

use crate::SwapBlock;
use alloc::{boxed::Box, vec, vec::Vec};

#[derive(Debug)]
pub(crate) struct Swap {
    blocks: u32,
    reserved: u32,
    /// Of the reserved: held by private pages in flight that no entry names any more.
    pub(crate) lingering: u32,
    /// Private pages in flight that no entry names any more, and whose reservations stayed with their sites.
    pub(crate) owed: u32,
    assigned: u32,
    map: BitTree,
}

impl Swap {
    pub(crate) fn new(blocks: u32) -> Self {
        Swap { blocks, reserved: 0, lingering: 0, owed: 0, assigned: 0, map: BitTree::new(blocks) }
    }

    pub(crate) fn unreserved(&self) -> u32 {
        self.blocks - self.reserved
    }

    pub(crate) fn reserved(&self) -> u32 {
        self.reserved
    }

    pub(crate) fn assigned(&self) -> u32 {
        self.assigned
    }

    /// The caller has checked that as many are unreserved.
    pub(crate) fn reserve(&mut self, count: u32) {
        assert!(count <= self.unreserved(), "swap: reserved more than there is");
        self.reserved += count;
    }

    pub(crate) fn unreserve(&mut self, count: u32) {
        assert!(count <= self.reserved, "swap: returned more than was reserved");
        self.reserved -= count;
    }

    /// A private page that no entry named is gone, its I/O answered. Which one does not matter: blocks are alike.
    pub(crate) fn bury(&mut self) {
        if self.owed > 0 {
            self.owed -= 1;
        } else {
            self.lingering -= 1;
            self.unreserve(1);
        }
    }

    /// Whether there is no block to assign now. Then pages in flight are owed one.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.assigned == self.blocks
    }

    pub(crate) fn assign(&mut self) -> SwapBlock {
        let block = self.map.take_lowest().expect("swap: whoever assigns a block has looked for one");
        self.assigned += 1;
        SwapBlock(block)
    }

    pub(crate) fn release(&mut self, block: SwapBlock) {
        self.map.put_back(block.0);
        self.assigned -= 1;
    }

    pub(crate) fn is_free(&self, block: SwapBlock) -> bool {
        self.map.contains(block.0)
    }
}

/// A set of small numbers with the lowest found in O(log64 n): each level summarises 64 words of the one below.
#[derive(Debug)]
struct BitTree {
    levels: Vec<Box<[u64]>>,
}

impl BitTree {
    /// The set of all numbers below `count`.
    fn new(count: u32) -> Self {
        let mut levels = Vec::new();
        let mut bits = count as usize;
        loop {
            let mut words = vec![u64::MAX; bits.div_ceil(64).max(1)].into_boxed_slice();
            let used = bits % 64;
            if used != 0 || bits == 0 {
                let last = words.len() - 1;
                words[last] = (1 << used) - 1;
            }
            bits = words.len();
            levels.push(words);
            if bits == 1 {
                return BitTree { levels };
            }
        }
    }

    fn contains(&self, number: u32) -> bool {
        self.levels[0].get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn take_lowest(&mut self) -> Option<u32> {
        if self.levels[self.levels.len() - 1][0] == 0 {
            return None;
        }
        let index =
            self.levels.iter().rev().fold(0, |at, level| at * 64 + level[at].trailing_zeros() as usize);
        let mut at = index;
        for level in &mut self.levels {
            level[at / 64] &= !(1 << (at % 64));
            if level[at / 64] != 0 {
                break;
            }
            at /= 64;
        }
        u32::try_from(index).ok()
    }

    fn put_back(&mut self, number: u32) {
        assert!(!self.contains(number), "swap: block {number} released twice");
        let mut at = number as usize;
        for level in &mut self.levels {
            level[at / 64] |= 1 << (at % 64);
            at /= 64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_block_is_taken_whatever_the_size() {
        for count in [0u32, 1, 63, 64, 65, 4096, 4097, 300_000] {
            let mut tree = BitTree::new(count);
            for expected in 0..count {
                assert_eq!(tree.take_lowest(), Some(expected));
            }
            assert_eq!(tree.take_lowest(), None);
            if count > 1 {
                tree.put_back(count - 1);
                tree.put_back(count / 2 - count / 4);
                assert_eq!(tree.take_lowest(), Some(count / 2 - count / 4));
            }
        }
    }
}
