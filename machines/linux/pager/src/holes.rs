//! Memory to give back. Punching a hole interrupts whoever runs with the page, so neighbours go together; all are
//! punched before any page is put somewhere, so that the frames' bytes never exceed the budget.

use crate::arenas::Arenas;
use crate::frames::Place;
use crate::objects::Objects;

#[derive(Debug, Default)]
pub(crate) struct Holes(Vec<Place>);

impl Holes {
    pub(crate) fn push(&mut self, place: Place) {
        self.0.push(place);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Punches all of them.
    pub(crate) fn punch(&mut self, arenas: &Arenas, objects: &Objects, page_size: u64) {
        self.0.sort_unstable();
        let mut rest = &self.0[..];
        while let Some(&first) = rest.first() {
            let count = rest.iter().zip(0..).take_while(|&(&place, by)| follows(first, place, by)).count();
            punch(first, count as u64, arenas, objects, page_size);
            rest = &rest[count..];
        }
        self.0.clear();
    }
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

fn punch(first: Place, count: u64, arenas: &Arenas, objects: &Objects, page_size: u64) {
    let memory = match first {
        Place::None => None,
        // A dying arena's memory goes with its file.
        Place::Private(site) => {
            arenas.get(site.arena).filter(|arena| !arena.dying).map(|arena| &arena.memory)
        }
        Place::Object(object, _) => objects.get(object).map(|object| &object.memory),
    };
    if let Some(memory) = memory
        && let Err(why) = memory.punch(u64::from(first.index()) * page_size, count * page_size)
    {
        // The kernel has no reason to refuse; without the memory back the budget would not hold.
        panic!("machine: a hole of {count} pages at {first:?} was not punched: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mager_pager::{ArenaId, ObjectNo, Site, VirtPage};

    fn page(slot: u32, page: u32) -> Place {
        Place::Private(Site { arena: ArenaId { slot, generation: 0 }, page: VirtPage(page) })
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
