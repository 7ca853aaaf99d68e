//! Which places of the swap file are free, by clusters of 64: what is written at a time lies together.
//!
//! ```text
//! open: places are taken from it, the lowest first, until it has none
//! next: a cluster that is free as a whole, the one freed last; without any, the partly free one that has been so longest
//! ```
//! A page that is written anew gets another place, so that a lot of victims is a few writes of many pages however long
//! ago each was written before: a device does fewer writes, and reads wait less for them. So do the kernel's swap slots
//! and log-structured file systems (M. Rosenblum, J. Ousterhout, "The Design and Implementation of a Log-Structured File
//! System", SOSP 1991); nothing is ever copied together here, as there are blocks for more pages than memory holds.

use crate::ages::Ages;

const PLACES: u32 = 64;

#[derive(Debug)]
pub(super) struct Room {
    /// Free places, a bit each.
    free: Vec<u64>,
    places: u32,
    /// Clusters that are free as a whole, and partly: neither the open one nor those without a free place.
    whole: Ages,
    partly: Ages,
    open: Option<u32>,
}

impl Room {
    pub(super) fn new(places: u32) -> Self {
        let clusters = places.div_ceil(PLACES);
        let (mut whole, partly) = (Ages::new(clusters as usize), Ages::new(clusters as usize));
        (0..clusters).rev().for_each(|cluster| whole.push(cluster));
        let mut room = Room { free: Vec::new(), places, whole, partly, open: None };
        room.free = (0..clusters).map(|cluster| room.all(cluster)).collect();
        room
    }

    /// A free place, if there is one, which is not free any more.
    pub(super) fn take(&mut self) -> Option<u32> {
        let cluster = match self.open.filter(|&cluster| self.free[cluster as usize] != 0) {
            Some(cluster) => cluster,
            None => self.open_next()?,
        };
        let free = &mut self.free[cluster as usize];
        let place = cluster * PLACES + free.trailing_zeros();
        *free &= *free - 1;
        Some(place)
    }

    /// The place is free again.
    pub(super) fn give(&mut self, place: u32) {
        assert!(place < self.places && !self.is_free(place), "swap file: a place is given back twice");
        let (cluster, all) = (place / PLACES, self.all(place / PLACES));
        let free = &mut self.free[cluster as usize];
        let (before, now) = (*free, *free | 1 << (place % PLACES));
        *free = now;
        if self.open == Some(cluster) {
            return;
        }
        if before == 0 && now != all {
            self.partly.push(cluster);
        } else if now == all {
            if before != 0 {
                self.partly.remove(cluster);
            }
            self.whole.push(cluster);
        }
    }

    pub(super) fn is_free(&self, place: u32) -> bool {
        self.free[(place / PLACES) as usize] >> (place % PLACES) & 1 == 1
    }

    fn open_next(&mut self) -> Option<u32> {
        let (whole, partly) = (self.whole.newest(), self.partly.iter().next());
        match (whole, partly) {
            (Some(cluster), _) => self.whole.remove(cluster),
            (None, Some(cluster)) => self.partly.remove(cluster),
            (None, None) => {}
        }
        self.open = whole.or(partly);
        self.open
    }

    /// The cluster's places.
    fn all(&self, cluster: u32) -> u64 {
        let count = (self.places - cluster * PLACES).min(PLACES);
        u64::MAX >> (PLACES - count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(room: &mut Room, count: usize) -> Vec<u32> {
        std::iter::from_fn(|| room.take()).take(count).collect()
    }

    #[test]
    fn places_are_taken_in_order_until_none_is_left() {
        for places in [0, 1, 63, 64, 65, 200] {
            let mut room = Room::new(places);
            assert_eq!(take(&mut room, 1000), (0..places).collect::<Vec<_>>());
            (0..places).rev().for_each(|place| room.give(place));
            assert!((0..places).all(|place| room.is_free(place)));
            let mut again = take(&mut room, 1000);
            again.sort_unstable();
            assert_eq!(again, (0..places).collect::<Vec<_>>());
        }
    }

    #[test]
    fn whole_clusters_come_first_and_those_freed_last_among_them() {
        let mut room = Room::new(640);
        take(&mut room, 320);
        [5, 7, 70].into_iter().for_each(|place| room.give(place));
        (128..192).for_each(|place| room.give(place));
        assert_eq!(take(&mut room, 64), (128..192).collect::<Vec<_>>());
        assert_eq!(take(&mut room, 1), [320]);
        assert_eq!(take(&mut room, 640).split_off(319), [5, 7, 70]);
    }

    #[test]
    #[should_panic(expected = "given back twice")]
    fn a_place_given_back_twice_is_noticed() {
        let mut room = Room::new(100);
        take(&mut room, 2);
        room.give(1);
        room.give(1);
    }

    /// Any sequence: no place twice, and all of them come back.
    #[test]
    fn no_place_is_taken_twice() {
        let (mut room, mut random) = (Room::new(300), crate::faults::Dice::new(7));
        let mut held: Vec<u32> = Vec::new();
        for _ in 0..100_000 {
            let taken = if random.below(2) == 0 { room.take() } else { None };
            if let Some(place) = taken {
                assert!(!held.contains(&place) && !room.is_free(place), "{place}");
                held.push(place);
            } else if !held.is_empty() {
                let which = random.below(held.len().try_into().unwrap());
                room.give(held.swap_remove(which.try_into().unwrap()));
            }
        }
        held.drain(..).for_each(|place| room.give(place));
        assert_eq!(take(&mut room, 1000).len(), 300);
    }
}
