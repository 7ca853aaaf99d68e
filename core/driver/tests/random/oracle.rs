//! What every page must hold: a model without frames, faults, or copies that are put off.

use mager_pager::{ArenaId, BlockNo, ObjectNo, Pages, Site, VirtPage};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub enum Cell {
    Private(u64),
    File(ObjectNo, BlockNo),
}

#[derive(Default)]
pub struct Oracle {
    arenas: BTreeMap<ArenaId, BTreeMap<VirtPage, Cell>>,
    files: BTreeMap<(ObjectNo, BlockNo), u64>,
    /// Every object that was ever mapped.
    objects: BTreeSet<ObjectNo>,
}

impl Oracle {
    pub fn arenas(&self) -> Vec<ArenaId> {
        self.arenas.keys().copied().collect()
    }

    pub fn create(&mut self, arena: ArenaId) {
        self.arenas.insert(arena, BTreeMap::new());
    }

    pub fn fork(&mut self, parent: ArenaId, child: ArenaId) {
        self.arenas.insert(child, self.arenas[&parent].clone());
    }

    pub fn destroy(&mut self, arena: ArenaId) {
        self.arenas.remove(&arena);
    }

    pub fn map(&mut self, arena: ArenaId, pages: Pages, file: Option<(ObjectNo, BlockNo)>) {
        self.objects.extend(file.map(|(object, _)| object));
        let cells = self.arenas.get_mut(&arena).unwrap();
        for (page, by) in pages.iter().zip(0..) {
            let cell = match file {
                None => Cell::Private(0),
                Some((object, block)) => Cell::File(object, BlockNo(block.0 + by)),
            };
            assert!(cells.insert(page, cell).is_none(), "{page} of {arena} was mapped already");
        }
    }

    pub fn unmap(&mut self, arena: ArenaId, pages: Pages) {
        let cells = self.arenas.get_mut(&arena).unwrap();
        pages
            .iter()
            .for_each(|page| assert!(cells.remove(&page).is_some(), "{page} of {arena} was not mapped"));
    }

    pub fn discard(&mut self, arena: ArenaId, pages: Pages) {
        for page in pages.iter() {
            let cell = self.arenas.get_mut(&arena).unwrap().get_mut(&page).unwrap();
            assert!(matches!(cell, Cell::Private(_)), "{page} of {arena} is a file's, but was discarded");
            *cell = Cell::Private(0);
        }
    }

    fn cell(&self, at: Site) -> Option<Cell> {
        self.arenas.get(&at.arena)?.get(&at.page).copied()
    }

    pub fn load(&self, at: Site) -> Option<u64> {
        Some(match self.cell(at)? {
            Cell::Private(word) => word,
            Cell::File(object, block) => self.files.get(&(object, block)).copied().unwrap_or(0),
        })
    }

    pub fn store(&mut self, at: Site, word: u64) {
        match self.cell(at).expect("a store happened at a page that is not mapped") {
            Cell::Private(_) => {
                self.arenas.get_mut(&at.arena).unwrap().insert(at.page, Cell::Private(word));
            }
            Cell::File(object, block) => {
                self.files.insert((object, block), word);
            }
        }
    }

    pub fn pages(&self) -> Vec<Site> {
        let all = |(&arena, cells): (&ArenaId, &BTreeMap<VirtPage, Cell>)| {
            cells.keys().map(|&page| Site { arena, page }).collect::<Vec<_>>()
        };
        self.arenas.iter().flat_map(all).collect()
    }

    pub fn objects(&self) -> Vec<ObjectNo> {
        self.objects.iter().copied().collect()
    }

    /// What a home on the disk must hold once everything was flushed.
    pub fn files(&self) -> impl Iterator<Item = (ObjectNo, BlockNo, u64)> {
        self.files.iter().map(|(&(object, block), &word)| (object, block, word))
    }
}
