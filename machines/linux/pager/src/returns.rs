//! How soon evicted pages come back, of a sample of all: from it follows how many frames more would have kept them.
//!
//! A page that comes back after n evictions would, with n frames more, not have left; exactly so under LRU and for
//! pages used in turn, roughly under other policies. One page of each sixteen neighbours is watched, always the same
//! one, so that when it left takes a quarter of a byte a page where many leave, in tables that need no hashing:
//!
//! ```text
//! slot of the arena -> leaf for 8192 pages, once one of them has left -> evictions so far when this one left
//! ```

use crate::frames::Place;
use crate::latency::Counts;
use mager_linux_wire::figures;
use mager_pager::{ArenaId, Site};

/// One page in so many is watched.
const SAMPLE: u32 = 16;
/// Watched pages in a leaf.
const LEAF: usize = 512;
/// It has not left, or has come back.
const HERE: u32 = 0;

/// The arena that has a slot now, or will have it next.
#[derive(Clone, Debug, Default)]
struct Slot {
    generation: u32,
    leaves: Vec<Option<Box<[u32; LEAF]>>>,
}

#[derive(Debug)]
pub(crate) struct Returns {
    /// Evictions of the core so far.
    pub(crate) evictions: u64,
    /// When watched pages left, by arena.
    left: Vec<Slot>,
    after: Counts,
    /// Of late.
    pub(crate) lately: Counts,
    /// Returns noted there since it was looked at.
    pub(crate) seen: u64,
}

/// Which watched page of its arena this is, if it is one. Strides of all lengths meet as many as others do: a mix of the
/// number's bits decides (Fibonacci hashing).
fn watched(site: Site) -> Option<usize> {
    let group = site.page.0 / SAMPLE;
    let number = u64::from(site.arena.slot) << 32 | u64::from(group);
    let chosen = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    (u64::from(site.page.0 % SAMPLE) == chosen % u64::from(SAMPLE)).then_some(group as usize)
}

impl Returns {
    pub(crate) fn new() -> Self {
        Returns { evictions: 0, left: Vec::new(), after: Counts::new(), lately: Counts::new(), seen: 0 }
    }

    /// A frame's page has left memory.
    #[inline]
    pub(crate) fn left(&mut self, place: Place) {
        if let Place::Private(site) = place
            && let Some(group) = watched(site)
        {
            let now = self.now();
            self.note(site.arena, group, now);
        }
    }

    /// The time: evictions so far, of which the low bits are enough.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no page is away for four thousand million evictions"
    )]
    fn now(&self) -> u32 {
        (self.evictions as u32).max(HERE + 1)
    }

    /// Of an arena that is gone nothing is noted: its last pages leave after it.
    fn note(&mut self, arena: ArenaId, group: usize, now: u32) {
        let slot = self.slot(arena);
        if slot.generation != arena.generation {
            return;
        }
        if slot.leaves.len() <= group / LEAF {
            slot.leaves.resize(group / LEAF + 1, None);
        }
        let leaf = slot.leaves[group / LEAF].get_or_insert_with(|| Box::new([HERE; LEAF]));
        leaf[group % LEAF] = now;
    }

    fn slot(&mut self, arena: ArenaId) -> &mut Slot {
        let slot = arena.slot as usize;
        if self.left.len() <= slot {
            self.left.resize(slot + 1, Slot::default());
        }
        &mut self.left[slot]
    }

    /// A page is being read.
    #[inline]
    pub(crate) fn came(&mut self, place: Place) {
        if let Place::Private(site) = place
            && let Some(group) = watched(site)
            && let Some(then) = self.take(site.arena, group)
        {
            let after = self.now().wrapping_sub(then).into();
            self.after.note(after);
            self.lately.note(after);
            self.seen += 1;
        }
    }

    fn take(&mut self, arena: ArenaId, group: usize) -> Option<u32> {
        let slot =
            self.left.get_mut(arena.slot as usize).filter(|slot| slot.generation == arena.generation)?;
        let leaf = slot.leaves.get_mut(group / LEAF)?.as_mut()?;
        let then = std::mem::replace(&mut leaf[group % LEAF], HERE);
        (then != HERE).then_some(then)
    }

    pub(crate) fn forget(&mut self, arena: ArenaId) {
        *self.slot(arena) = Slot { generation: arena.generation.wrapping_add(1), leaves: Vec::new() };
    }

    pub(crate) fn tell(&self) -> figures::Returns {
        figures::Returns { below_evictions: self.after.tell() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mager_pager::VirtPage;

    /// Pages used in turn, under LRU: the budget that keeps them all is found from a run with a smaller one.
    #[test]
    fn pages_used_in_turn_need_as_many_frames_as_they_are() {
        let (pages, frames) = (10_000u32, 4_000u32);
        let arena = ArenaId { slot: 3, generation: 0 };
        let place = |page: u32| Place::Private(Site { arena, page: VirtPage(page % pages) });
        let mut returns = Returns::new();
        for turn in 0..3 * pages {
            returns.came(place(turn));
            if turn >= frames {
                returns.left(place(turn - frames));
                returns.evictions += 1;
            }
        }
        let more = returns.tell().frames_more(0.9, 100).expect("hundreds came back");
        let (least, most) = (u64::from(pages - frames), u64::from(pages - frames) * 5 / 4);
        assert!((least..=most).contains(&more), "{more} is not in {least}..={most}");
    }

    #[test]
    fn one_page_in_sixteen_is_watched_and_none_of_an_arena_that_is_gone() {
        let (arena, other) = (ArenaId { slot: 1, generation: 0 }, ArenaId { slot: 4, generation: 0 });
        let private = |arena, page| Place::Private(Site { arena, page: VirtPage(page) });
        let mut returns = Returns::new();
        for page in 0..16_000 {
            returns.left(private(arena, page));
            returns.left(private(other, page));
        }
        returns.forget(arena);
        (0..16_000).for_each(|page| returns.came(private(arena, page)));
        assert_eq!(returns.seen, 0);
        // Writes under way when it ended are answered now, and its slot is another's already.
        let next = ArenaId { generation: 1, ..arena };
        (0..16_000).for_each(|page| returns.left(private(arena, page)));
        (0..16_000).for_each(|page| returns.came(private(next, page)));
        assert_eq!(returns.seen, 0);
        (0..16_000).for_each(|page| returns.left(private(next, page)));
        (0..16_000).for_each(|page| returns.came(private(next, page)));
        assert_eq!(std::mem::take(&mut returns.seen), 1000);
        (0..2).for_each(|_| (0..16_000).for_each(|page| returns.came(private(other, page))));
        assert_eq!(returns.seen, 1000);
    }

    /// Pages 4 KiB, 64 KiB, 2 MiB apart: of each, about one in sixteen.
    #[test]
    fn no_stride_is_watched_more_than_others() {
        let arena = ArenaId { slot: 2, generation: 0 };
        for stride in [1, 2, 16, 48, 512, 1000] {
            let pages = (0..16_000).map(|n| Site { arena, page: VirtPage(n * stride) });
            let count = pages.filter(|&site| watched(site).is_some()).count();
            assert!((800..1200).contains(&count), "{count} of stride {stride}");
        }
    }

    /// Also where the count of evictions runs over what is kept of it.
    #[test]
    fn a_page_is_away_for_the_evictions_between() {
        let arena = ArenaId { slot: 0, generation: 0 };
        let page = (0..).map(|page| Site { arena, page: VirtPage(page) });
        let site = page.into_iter().find(|&site| watched(site).is_some()).expect("one of sixteen");
        for start in [0, 77, (1 << 32) - 50, 1 << 32] {
            let mut returns = Returns { evictions: start, ..Returns::new() };
            returns.left(Place::Private(site));
            returns.evictions += 1000;
            returns.came(Place::Private(site));
            let told = returns.tell().below_evictions;
            assert!(matches!(told[..], [(below, 1)] if (1000..1200).contains(&below)), "{told:?}");
        }
    }
}
