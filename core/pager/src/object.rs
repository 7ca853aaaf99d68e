//! File pages: which page holds a block of an object, and which objects are still in use.
//!
//! Looked up when mapping, never on the path of a fault on a page that was touched before. Blocks are indexed in
//! leaves of 32, so that a run of blocks costs about five bytes each. A page knows its slot in them, which says
//! whose block it is: leaf, and place in it.

use crate::page::Option32;
use crate::{BlockNo, ObjectNo};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use mager_policies::PageNo;

const LEAF_BITS: u32 = 5;
const LEAF: u32 = 1 << LEAF_BITS;

/// The place of a block's page in the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    pub(crate) const MOST: u32 = (1 << 31) - 1;

    const fn leaf(self) -> usize {
        (self.0 >> LEAF_BITS) as usize
    }

    const fn place(self) -> usize {
        (self.0 % LEAF) as usize
    }
}

/// The pages of 32 blocks; of a leaf that is free, none.
#[derive(Debug)]
struct Leaf {
    object: ObjectNo,
    first: BlockNo,
    pages: Box<[Option32; LEAF as usize]>,
}

#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// The leaf of each 32 blocks of an object.
    index: BTreeMap<(ObjectNo, u32), u32>,
    leaves: Vec<Leaf>,
    free: Vec<u32>,
    /// Virtual pages mapped to each object, and pages of it: when both are gone, so is the object.
    uses: BTreeMap<ObjectNo, u64>,
    forgotten: Vec<ObjectNo>,
    pages: u32,
}

impl Objects {
    pub(crate) fn pages(&self) -> u32 {
        self.pages
    }

    pub(crate) fn in_use(&self) -> usize {
        self.uses.len()
    }

    pub(crate) fn find(&self, object: ObjectNo, block: BlockNo) -> Option<PageNo> {
        let &leaf = self.index.get(&(object, block.0 / LEAF))?;
        self.leaves[leaf as usize].pages[(block.0 % LEAF) as usize].get().map(PageNo)
    }

    /// Whose block a slot is for.
    #[inline]
    pub(crate) fn block(&self, slot: Slot) -> (ObjectNo, BlockNo) {
        let leaf = &self.leaves[slot.leaf()];
        (leaf.object, BlockNo(leaf.first.0 + slot.0 % LEAF))
    }

    /// The slot for a block's page, to be filled at once; `None`: there are no numbers left for slots.
    pub(crate) fn slot(&mut self, object: ObjectNo, block: BlockNo) -> Option<Slot> {
        let key = (object, block.0 / LEAF);
        let leaf = match self.index.get(&key) {
            Some(&leaf) => leaf,
            None => {
                let leaf = self.new_leaf(object, BlockNo(block.0 - block.0 % LEAF))?;
                self.index.insert(key, leaf);
                leaf
            }
        };
        Some(Slot(leaf * LEAF + block.0 % LEAF))
    }

    fn new_leaf(&mut self, object: ObjectNo, first: BlockNo) -> Option<u32> {
        if let Some(free) = self.free.pop() {
            let leaf = &mut self.leaves[free as usize];
            (leaf.object, leaf.first) = (object, first);
            return Some(free);
        }
        let number =
            u32::try_from(self.leaves.len()).ok().filter(|&number| number <= Slot::MOST >> LEAF_BITS)?;
        self.leaves.push(Leaf { object, first, pages: Box::new([Option32::NONE; LEAF as usize]) });
        Some(number)
    }

    pub(crate) fn insert(&mut self, slot: Slot, page: PageNo) {
        let leaf = &mut self.leaves[slot.leaf()];
        let (object, number) = (leaf.object, &mut leaf.pages[slot.place()]);
        assert!(number.get().is_none(), "object {object}: two pages for slot {}", slot.0);
        *number = Option32::some(page.0);
        self.pages += 1;
        self.used(object, 1);
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        let leaf = &mut self.leaves[slot.leaf()];
        let object = leaf.object;
        leaf.pages[slot.place()] = Option32::NONE;
        if leaf.pages.iter().all(|page| page.get().is_none()) {
            self.index.remove(&(object, leaf.first.0 / LEAF));
            self.free.push(slot.0 >> LEAF_BITS);
        }
        self.pages -= 1;
        self.unused(object, 1);
    }

    pub(crate) fn used(&mut self, object: ObjectNo, count: u32) {
        *self.uses.entry(object).or_default() += u64::from(count);
    }

    pub(crate) fn unused(&mut self, object: ObjectNo, count: u32) {
        let uses = self.uses.get_mut(&object).expect("object: returned a use nobody had");
        *uses = uses.checked_sub(u64::from(count)).expect("object: returned more uses than there were");
        if *uses == 0 {
            self.uses.remove(&object);
            self.forgotten.push(object);
        }
    }

    /// Objects that went out of use since the last call and have not come back.
    pub(crate) fn take_forgotten(&mut self) -> Vec<ObjectNo> {
        let mut gone = core::mem::take(&mut self.forgotten);
        gone.retain(|object| !self.uses.contains_key(object));
        gone.sort_unstable();
        gone.dedup();
        gone
    }

    /// Every page of one object, or of all, in the order of blocks.
    pub(crate) fn iter(&self, object: Option<ObjectNo>) -> impl Iterator<Item = PageNo> {
        let (from, to) = match object {
            Some(object) => (object, object),
            None => (ObjectNo(0), ObjectNo(u32::MAX)),
        };
        let leaves = self.index.range((from, 0)..=(to, u32::MAX));
        let leaves = leaves.map(|(_, &leaf)| &self.leaves[leaf as usize]);
        leaves.flat_map(|leaf| leaf.pages.iter().filter_map(|page| page.get().map(PageNo)))
    }
}
