//! How soon evicted pages come back, of a sample of all: from it follows how many frames more would have kept them.
//!
//! A page that comes back after n evictions would, with n frames more, not have left; exactly so under LRU and for
//! pages used in turn, roughly under other policies. Which pages are watched is decided by their number, so that a page
//! is always watched or never.

use crate::frames::Place;
use crate::latency::Counts;
use mager_linux_wire::figures;
use mager_pager::{ArenaId, Site};
use std::collections::HashMap;

/// One page in so many is watched.
const SAMPLE: u64 = 16;

#[derive(Debug)]
pub(crate) struct Returns {
    /// Evictions of the core so far.
    pub(crate) evictions: u64,
    /// When a watched page left.
    left: HashMap<Site, u64>,
    after: Counts,
    /// Of late.
    pub(crate) lately: Counts,
    /// Returns noted there since it was looked at.
    pub(crate) seen: u64,
}

/// Neighbours are not watched together: a mix of the number's bits decides (Fibonacci hashing).
fn watched(site: Site) -> bool {
    let number = u64::from(site.arena.slot) << 32 | u64::from(site.page.0);
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).is_multiple_of(SAMPLE)
}

impl Returns {
    pub(crate) fn new() -> Self {
        Returns { evictions: 0, left: HashMap::new(), after: Counts::new(), lately: Counts::new(), seen: 0 }
    }

    /// A frame's page has left memory.
    #[inline]
    pub(crate) fn left(&mut self, place: Place) {
        if let Place::Private(site) = place
            && watched(site)
        {
            self.left.insert(site, self.evictions);
        }
    }

    /// A page is being read.
    #[inline]
    pub(crate) fn came(&mut self, place: Place) {
        if let Place::Private(site) = place
            && watched(site)
            && let Some(then) = self.left.remove(&site)
        {
            let after = self.evictions.saturating_sub(then);
            self.after.note(after);
            self.lately.note(after);
            self.seen += 1;
        }
    }

    pub(crate) fn forget(&mut self, arena: ArenaId) {
        self.left.retain(|site, _| site.arena != arena);
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
        let arena = ArenaId { slot: 3, generation: 1 };
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
        let arena = ArenaId { slot: 1, generation: 1 };
        let mut returns = Returns::new();
        (0..16_000).for_each(|page| returns.left(Place::Private(Site { arena, page: VirtPage(page) })));
        assert!((800..1200).contains(&returns.left.len()), "{}", returns.left.len());
        returns.forget(arena);
        assert!(returns.left.is_empty());
    }
}
