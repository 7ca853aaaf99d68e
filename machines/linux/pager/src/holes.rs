//! Memory to give back. Punching a hole interrupts whoever runs with the page, so neighbours go together; all are
//! punched before any page is put somewhere, so that the frames' bytes never exceed the budget.

use crate::arenas::Arenas;
use crate::budget::{AllowanceNo, Budget};
use crate::frames::Place;
use crate::machine::Machine;
use crate::objects::Objects;
use crate::offences::Offence;
use std::io;

#[derive(Debug, Default)]
pub(crate) struct Holes {
    places: Vec<Place>,
    /// Pages of an arena that is being ended, whose memory goes all at once when it is.
    of_dying: u32,
}

impl Holes {
    pub(crate) fn push(&mut self, place: Place) {
        self.places.push(place);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Pages of the arena that was ended: its memory is gone now.
    pub(crate) fn take_of_dying(&mut self) -> u32 {
        std::mem::take(&mut self.of_dying)
    }

    /// Punches all of them. The places where that was refused, if any.
    pub(crate) fn punch(
        &mut self,
        arenas: &Arenas,
        objects: &Objects,
        budget: &mut Budget,
        page_size: u64,
    ) -> Vec<Place> {
        let mut refused = Vec::new();
        self.places.sort_unstable();
        let mut rest = &self.places[..];
        while let Some(&first) = rest.first() {
            let count = rest.iter().zip(0..).take_while(|&(&place, by)| follows(first, place, by)).count();
            let pages = u32::try_from(count).unwrap_or(u32::MAX);
            match punch(first, count as u64, arenas, objects, page_size) {
                Ok(Punched::Under(allowance)) => budget.took(allowance, pages),
                Ok(Punched::OfDying) => self.of_dying += pages,
                Ok(Punched::Gone) => {}
                Err(_) => refused.push(first),
            }
            rest = &rest[count..];
        }
        self.places.clear();
        refused
    }
}

impl Machine {
    #[inline]
    pub(crate) fn punch_holes(&mut self) {
        if !self.holes.is_empty() {
            self.punch_them();
        }
    }

    fn punch_them(&mut self) {
        let refused = self.holes.punch(&self.arenas, &self.objects, &mut self.budget, self.page_size);
        refused.into_iter().for_each(|place| self.offences.commit(place, Offence::NotPunched));
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

/// What became of a hole.
enum Punched {
    /// The memory came back to this allowance.
    Under(AllowanceNo),
    OfDying,
    /// With its file.
    Gone,
}

fn punch(
    first: Place,
    count: u64,
    arenas: &Arenas,
    objects: &Objects,
    page_size: u64,
) -> io::Result<Punched> {
    let (memory, allowance) = match first {
        Place::None => return Ok(Punched::Gone),
        Place::Private(site) => match arenas.get(site.arena) {
            Some(arena) if arena.dying => return Ok(Punched::OfDying),
            Some(arena) => (&arena.memory, arena.allowance),
            None => return Ok(Punched::Gone),
        },
        Place::Object(object, _) => match objects.get(object) {
            Some(object) => (&object.memory, object.allowance),
            None => return Ok(Punched::Gone),
        },
    };
    memory.punch(u64::from(first.index()) * page_size, count * page_size)?;
    Ok(Punched::Under(allowance))
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
