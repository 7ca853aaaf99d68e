//! File pages: which page holds a block of an object, and which objects are still in use.
//!
//! Looked up when mapping, never on the path of a fault on a page that was touched before. Blocks are indexed in
//! leaves of 32, so that a run of blocks costs about five bytes each.

use crate::page::Option32;
use crate::{BlockNo, ObjectNo};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use mager_policies::PageNo;

const LEAF: u32 = 32;

#[derive(Debug)]
struct Leaf {
    pages: [Option32; LEAF as usize],
}

#[derive(Debug, Default)]
pub(crate) struct Objects {
    leaves: BTreeMap<(ObjectNo, u32), Box<Leaf>>,
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
        let leaf = self.leaves.get(&(object, block.0 / LEAF))?;
        leaf.pages[(block.0 % LEAF) as usize].get().map(PageNo)
    }

    pub(crate) fn insert(&mut self, object: ObjectNo, block: BlockNo, page: PageNo) {
        let empty = || Box::new(Leaf { pages: [Option32::NONE; LEAF as usize] });
        let leaf = self.leaves.entry((object, block.0 / LEAF)).or_insert_with(empty);
        let slot = &mut leaf.pages[(block.0 % LEAF) as usize];
        assert!(slot.get().is_none(), "object {object}: two pages for block {block}");
        *slot = Option32::some(page.0);
        self.pages += 1;
        self.used(object, 1);
    }

    pub(crate) fn remove(&mut self, object: ObjectNo, block: BlockNo) {
        let key = (object, block.0 / LEAF);
        let leaf = self.leaves.get_mut(&key).expect("object: a page of it is in the index");
        leaf.pages[(block.0 % LEAF) as usize] = Option32::NONE;
        if leaf.pages.iter().all(|page| page.get().is_none()) {
            self.leaves.remove(&key);
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
        self.leaves
            .range((from, 0)..=(to, u32::MAX))
            .flat_map(|(_, leaf)| leaf.pages.iter().filter_map(|page| page.get().map(PageNo)))
    }
}
