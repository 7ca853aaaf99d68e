//! Memory to give back. Punching a hole interrupts whoever runs with the page, so neighbours go together.
//!
//! ```text
//! threads run where they like   all are punched before any page is put somewhere
//! threads are pulled to us      many are punched together, by another thread; a page that is put where one of them is,
//!                               or for which there is no room otherwise, waits for all of them
//! ```
//! Until it is punched the memory counts as used, so that the frames' bytes never exceed the budget.

use crate::arenas::Arenas;
use crate::budget::Budget;
use crate::frames::Place;
use crate::objects::Objects;
use crate::puncher::{Hole, Lot, Puncher};
use std::sync::Arc;

/// Holes that are worth waking a thread for.
const MANY: usize = 24;

#[derive(Debug, Default)]
pub(crate) struct Holes {
    places: Vec<Place>,
    /// Those that the thread has; sorted.
    away: Vec<Place>,
    puncher: Option<Puncher>,
    /// Empty ones, used again.
    lots: Vec<Lot>,
    /// Pages of an arena that is being ended, whose memory goes all at once when it is.
    of_dying: u32,
}

/// Where holes are punched, and who has the memory back then.
pub(crate) struct Ground<'a> {
    pub(crate) arenas: &'a Arenas,
    pub(crate) objects: &'a Objects,
    pub(crate) budget: &'a mut Budget,
    pub(crate) page_size: u64,
}

impl Holes {
    pub(crate) fn new(puncher: Option<Puncher>) -> Self {
        Holes { puncher, ..Holes::default() }
    }

    pub(crate) fn push(&mut self, place: Place) {
        self.places.push(place);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.away.is_empty()
    }

    /// Whether there is a thread that punches.
    pub(crate) fn can_wait(&self) -> bool {
        self.puncher.is_some()
    }

    /// Whether one of the `count` pages from `first` on is still to be punched.
    pub(crate) fn concern(&self, first: Place, count: u32) -> bool {
        let from = self.away.partition_point(|&place| place < first);
        self.away.get(from).is_some_and(|&place| within(first, count, place))
            || self.places.iter().any(|&place| within(first, count, place))
    }

    /// Pages of the arena that was ended: its memory is gone now.
    pub(crate) fn take_of_dying(&mut self) -> u32 {
        std::mem::take(&mut self.of_dying)
    }

    /// Punches all of them. The places where that was refused, if any.
    pub(crate) fn punch(&mut self, ground: &mut Ground<'_>) -> Vec<Place> {
        let mut refused = Vec::new();
        if !self.away.is_empty() {
            self.fetch(true, ground, &mut refused);
        }
        let mut lot = self.gather(ground);
        self.places.clear();
        lot.iter_mut().for_each(Hole::punch);
        self.punched(lot, ground, &mut refused);
        refused
    }

    /// Has them punched by the thread, if they are many, and fetches what it has done. The places where that was refused.
    pub(crate) fn hand_over(&mut self, ground: &mut Ground<'_>) -> Vec<Place> {
        let mut refused = Vec::new();
        if !self.away.is_empty() {
            self.fetch(false, ground, &mut refused);
        }
        if self.away.is_empty() && self.places.len() >= MANY {
            let lot = self.gather(ground);
            self.away.append(&mut self.places);
            self.puncher.as_mut().expect("holes: there is a thread that punches").begin(lot);
        }
        refused
    }

    fn fetch(&mut self, wait: bool, ground: &mut Ground<'_>, refused: &mut Vec<Place>) {
        if let Some(lot) = self.puncher.as_mut().and_then(|puncher| puncher.finished(wait)) {
            self.away.clear();
            self.punched(lot, ground, refused);
        }
    }

    /// The places, sorted, as holes of neighbours.
    fn gather(&mut self, ground: &Ground<'_>) -> Lot {
        let mut lot = self.lots.pop().unwrap_or_default();
        self.places.sort_unstable();
        let mut rest = &self.places[..];
        while let Some(&first) = rest.first() {
            let count = rest.iter().zip(0..).take_while(|&(&place, by)| follows(first, place, by)).count();
            let pages = u32::try_from(count).unwrap_or(u32::MAX);
            match ground.hole(first, pages) {
                Dug::Here(hole) => lot.push(hole),
                Dug::OfDying => self.of_dying += pages,
                Dug::Gone => {}
            }
            rest = &rest[count..];
        }
        lot
    }

    fn punched(&mut self, mut lot: Lot, ground: &mut Ground<'_>, refused: &mut Vec<Place>) {
        for hole in lot.drain(..) {
            match hole.refused {
                true => refused.push(hole.first),
                false => ground.budget.took(hole.allowance, hole.pages),
            }
        }
        self.lots.push(lot);
    }
}

/// What is to become of a hole.
enum Dug {
    Here(Hole),
    OfDying,
    /// With its file.
    Gone,
}

impl Ground<'_> {
    fn hole(&self, first: Place, pages: u32) -> Dug {
        let (memory, allowance) = match first {
            Place::None => return Dug::Gone,
            Place::Private(site) => match self.arenas.get(site.arena) {
                Some(arena) if arena.dying => return Dug::OfDying,
                Some(arena) => (&arena.memory, arena.allowance),
                None => return Dug::Gone,
            },
            Place::Object(object, _) => match self.objects.get(object) {
                Some(object) => (&object.memory, object.allowance),
                None => return Dug::Gone,
            },
        };
        Dug::Here(Hole {
            memory: Arc::clone(memory),
            offset: u64::from(first.index()) * self.page_size,
            length: u64::from(pages) * self.page_size,
            pages,
            allowance,
            first,
            refused: false,
        })
    }
}

/// Whether `place` is one of the `count` pages from `first` on, in the same file.
fn within(first: Place, count: u32, place: Place) -> bool {
    let same = match (first, place) {
        (Place::Private(a), Place::Private(b)) => a.arena == b.arena,
        (Place::Object(a, _), Place::Object(b, _)) => a == b,
        (Place::None | Place::Private(_) | Place::Object(..), _) => false,
    };
    same && place.index().checked_sub(first.index()).is_some_and(|by| by < count)
}

/// Whether `place` is `by` pages after `first`, in the same file.
fn follows(first: Place, place: Place, by: u32) -> bool {
    match (first, place) {
        (Place::Private(a), Place::Private(b)) => {
            a.arena == b.arena && a.page.0.checked_add(by) == Some(b.page.0)
        }
        (Place::Object(a, from), Place::Object(b, to)) => a == b && from.checked_add(by) == Some(to),
        (Place::None | Place::Private(_) | Place::Object(..), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arenas::Arena;
    use crate::options::MemoryKind;
    use mager_pager::{ArenaId, ObjectNo, Site, VirtPage};

    fn page(slot: u32, page: u32) -> Place {
        Place::Private(Site { arena: ArenaId { slot, generation: 0 }, page: VirtPage(page) })
    }

    #[test]
    fn pages_are_concerned_by_holes_that_are_to_be_punched_and_by_those_of_the_thread() {
        let mut holes = Holes::default();
        holes.push(page(0, 7));
        holes.away = vec![page(0, 2), page(0, 20), page(1, 5)];
        let concern = |first, count| holes.concern(first, count);
        assert!(concern(page(0, 7), 1) && concern(page(0, 5), 3) && !concern(page(0, 5), 2));
        assert!(concern(page(0, 20), 1) && concern(page(0, 18), 3) && !concern(page(0, 21), 9));
        assert!(concern(page(1, 0), 6) && !concern(page(1, 7), 1) && !concern(page(2, 2), 99));
        assert!(!concern(Place::Object(ObjectNo(0), 0), 99));
    }

    const PAGES: u32 = 64;

    /// An arena of which all pages have bytes.
    fn full() -> (Arenas, Budget) {
        let mut budget = Budget::new(4096, PAGES, MemoryKind::Audit).expect("a budget");
        let allowance = budget.open(PAGES).expect("an allowance");
        let memory = budget.file(allowance, "test", u64::from(PAGES) * 4096).expect("a file");
        let mut arenas = Arenas::default();
        for page in 0..PAGES {
            memory.write(u64::from(page) * 4096, &[7; 4096]).expect("it is written");
            assert!(budget.room(allowance, 1));
            budget.put(allowance);
        }
        arenas.insert(Arena::new(ArenaId { slot: 0, generation: 0 }, (memory, allowance), None, 0));
        (arenas, budget)
    }

    #[test]
    fn memory_counts_as_used_until_the_thread_has_punched_its_holes() {
        let (arenas, mut budget) = full();
        let arena = arenas.get(ArenaId { slot: 0, generation: 0 }).expect("an arena");
        let objects = Objects::default();
        let mut ground = Ground { arenas: &arenas, objects: &objects, budget: &mut budget, page_size: 4096 };
        let Some(puncher) = Puncher::new().expect("a thread") else {
            return eprintln!("SKIPPED: needs two CPUs");
        };
        let mut holes = Holes::new(Some(puncher));
        (0..MANY as u32 - 1).for_each(|number| holes.push(page(0, number * 2)));
        assert!(holes.hand_over(&mut ground).is_empty() && holes.away.is_empty(), "too few to wake a thread");
        holes.push(page(0, 63));
        assert!(holes.hand_over(&mut ground).is_empty() && holes.places.is_empty());
        assert_eq!((holes.away.len(), ground.budget.of(arena.allowance).0), (MANY, PAGES));
        assert!(holes.concern(page(0, 62), 2), "until it is known to be punched");
        holes.push(page(0, 1));
        assert!(holes.punch(&mut ground).is_empty() && holes.is_empty());
        let left = PAGES - MANY as u32 - 1;
        assert_eq!(ground.budget.of(arena.allowance).0, left);
        assert_eq!(arena.memory.held().expect("it is told"), u64::from(left) * 4096);
    }

    #[test]
    fn only_neighbours_of_one_file_go_together() {
        assert!(follows(page(0, 4), page(0, 5), 1));
        assert!(!follows(page(0, 4), page(0, 6), 1));
        assert!(!follows(page(0, 4), page(1, 5), 1));
        assert!(follows(Place::Object(ObjectNo(2), 7), Place::Object(ObjectNo(2), 8), 1));
        assert!(!follows(Place::Object(ObjectNo(2), 7), page(0, 8), 1));
    }
}
