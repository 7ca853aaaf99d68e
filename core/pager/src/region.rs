//! Which runs of an arena are mapped, and to what: the whole truth about pages nobody has touched.
//!
//! Neighbours that continue each other are one region, so that mapping page after page costs one.

use crate::{BlockNo, ObjectNo, Pages, VirtPage};
use alloc::{collections::BTreeMap, vec::Vec};

/// What a run of virtual pages shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Private memory, zeros at first, at home in swap.
    Swap,
    /// Blocks of an object, from the one given on.
    Object(ObjectNo, BlockNo),
}

impl Kind {
    /// What the page `by` further on shows. After the last block a number can have comes block 0, so that a single
    /// page may show the last one: whole ranges never get there.
    pub(crate) fn plus(self, by: u32) -> Kind {
        match self {
            Kind::Swap => Kind::Swap,
            Kind::Object(object, block) => Kind::Object(object, BlockNo(block.0.wrapping_add(by))),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Region {
    count: u32,
    kind: Kind,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Regions {
    map: BTreeMap<u32, Region>,
    /// Every page below is mapped, this one is not (or is past the arena).
    lowest_free: u32,
}

impl Regions {
    pub(crate) fn lowest_free(&self) -> VirtPage {
        VirtPage(self.lowest_free)
    }

    /// What `page` shows, if it is mapped.
    pub(crate) fn find(&self, page: VirtPage) -> Option<Kind> {
        let (&start, region) = self.map.range(..=page.0).next_back()?;
        (page.0 - start < region.count).then(|| region.kind.plus(page.0 - start))
    }

    /// Maps a run of which no page is mapped yet.
    pub(crate) fn insert(&mut self, pages: Pages, kind: Kind) {
        let (mut start, mut count, mut kind) = (pages.start.0, pages.count, kind);
        if let Some((&before, region)) = self.map.range(..start).next_back()
            && before + region.count == start
            && region.kind.plus(region.count) == kind
        {
            (count, kind, start) = (count + region.count, region.kind, before);
        }
        if let Some(after) = self.map.get(&(start + count)).copied()
            && kind.plus(count) == after.kind
        {
            self.map.remove(&(start + count));
            count += after.count;
        }
        self.map.insert(start, Region { count, kind });
        self.raise_lowest_free();
    }

    fn raise_lowest_free(&mut self) {
        while let Some((&start, region)) = self.map.range(..=self.lowest_free).next_back() {
            if start + region.count <= self.lowest_free {
                break;
            }
            self.lowest_free = start + region.count;
        }
    }

    /// The mapped parts of `pages`, in order.
    pub(crate) fn within(&self, pages: Pages) -> Vec<(Pages, Kind)> {
        let (start, end) = (pages.start.0, pages.start.0.saturating_add(pages.count));
        let first = self.map.range(..=start).next_back().map_or(start, |(&at, _)| at);
        let overlap = |(&at, region): (&u32, &Region)| {
            let (from, to) = (at.max(start), (at + region.count).min(end));
            (from < to)
                .then(|| (Pages { start: VirtPage(from), count: to - from }, region.kind.plus(from - at)))
        };
        self.map.range(first..end).filter_map(overlap).collect()
    }

    /// All regions, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Pages, Kind)> {
        self.map.iter().map(|(&at, region)| (Pages { start: VirtPage(at), count: region.count }, region.kind))
    }

    pub(crate) fn count(&self) -> usize {
        self.map.len()
    }

    /// Unmaps a run; whatever reaches over its ends stays.
    pub(crate) fn remove(&mut self, pages: Pages) {
        self.split(pages.start.0);
        self.split(pages.start.0 + pages.count);
        let doomed: Vec<u32> =
            self.map.range(pages.start.0..pages.start.0 + pages.count).map(|(&at, _)| at).collect();
        for at in doomed {
            self.map.remove(&at);
        }
        self.lowest_free = self.lowest_free.min(pages.start.0);
    }

    fn split(&mut self, at: u32) {
        if let Some((&start, region)) = self.map.range_mut(..at).next_back()
            && start + region.count > at
        {
            let rest = Region { count: start + region.count - at, kind: region.kind.plus(at - start) };
            region.count = at - start;
            self.map.insert(at, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u32, count: u32) -> Pages {
        Pages { start: VirtPage(start), count }
    }

    #[test]
    fn neighbours_that_continue_each_other_are_one_region() {
        let mut regions = Regions::default();
        let file = |block| Kind::Object(ObjectNo(1), BlockNo(block));
        regions.insert(run(0, 2), Kind::Swap);
        regions.insert(run(3, 1), file(7));
        regions.insert(run(2, 1), file(6));
        regions.insert(run(4, 1), file(9));
        let all: Vec<_> = regions.iter().collect();
        assert_eq!(all, [(run(0, 2), Kind::Swap), (run(2, 2), file(6)), (run(4, 1), file(9))]);
        assert_eq!(regions.lowest_free(), VirtPage(5));
    }

    #[test]
    fn the_last_block_of_an_object_can_be_mapped_beside_others() {
        let mut regions = Regions::default();
        let file = |block| Kind::Object(ObjectNo(1), BlockNo(block));
        for (page, block) in [(0, u32::MAX), (1, 0), (2, u32::MAX)] {
            regions.insert(run(page, 1), file(block));
        }
        let found: Vec<_> = (0..3).map(|page| regions.find(VirtPage(page))).collect();
        assert_eq!(found, [Some(file(u32::MAX)), Some(file(0)), Some(file(u32::MAX))]);
    }

    #[test]
    fn unmapping_the_middle_leaves_both_ends() {
        let mut regions = Regions::default();
        regions.insert(run(0, 10), Kind::Object(ObjectNo(1), BlockNo(100)));
        regions.remove(run(3, 4));
        assert_eq!(regions.find(VirtPage(2)), Some(Kind::Object(ObjectNo(1), BlockNo(102))));
        assert_eq!(regions.find(VirtPage(3)), None);
        assert_eq!(regions.find(VirtPage(7)), Some(Kind::Object(ObjectNo(1), BlockNo(107))));
        assert_eq!(regions.lowest_free(), VirtPage(3));
        assert_eq!(regions.within(run(1, 8)).len(), 2);
    }
}
