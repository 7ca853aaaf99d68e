//! Which runs of an arena's pages are free: first fit, neighbours joined.

use std::collections::BTreeMap;

/// Which runs are free.
#[derive(Debug)]
pub struct Room {
    /// First page of a free run, and how many.
    free: BTreeMap<u32, u32>,
}

impl Room {
    /// The first `pages` are free.
    #[must_use]
    pub fn new(pages: u32) -> Self {
        Room { free: BTreeMap::from([(0, pages)]) }
    }

    /// The lowest run of `count` free pages.
    pub fn take(&mut self, count: u32) -> Option<u32> {
        let (&page, &run) = self.free.iter().find(|&(_, &run)| run >= count)?;
        self.free.remove(&page);
        if run > count {
            self.free.insert(page + count, run - count);
        }
        Some(page)
    }

    /// These, if all of them are free.
    pub fn take_at(&mut self, page: u32, count: u32) -> bool {
        let Some((&start, &run)) = self.free.range(..=page).next_back() else { return false };
        let (end, wanted) = (start + run, page + count);
        if wanted > end {
            return false;
        }
        self.free.remove(&start);
        for (from, to) in [(start, page), (wanted, end)] {
            if to > from {
                self.free.insert(from, to - from);
            }
        }
        true
    }

    /// They are free again.
    pub fn give(&mut self, page: u32, count: u32) {
        let (mut page, mut count) = (page, count);
        if let Some(after) = self.free.remove(&(page + count)) {
            count += after;
        }
        if let Some((&before, &run)) = self.free.range(..page).next_back()
            && before + run == page
        {
            (page, count) = (before, run + count);
        }
        self.free.insert(page, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_whole_again() {
        let mut room = Room::new(100);
        let (a, b, c) = (room.take(10), room.take(20), room.take(70));
        assert_eq!((a, b, c), (Some(0), Some(10), Some(30)));
        assert_eq!(room.take(1), None);
        room.give(0, 10);
        room.give(30, 70);
        room.give(10, 20);
        assert_eq!(room.take(100), Some(0));
    }

    #[test]
    fn only_what_is_free_is_taken_in_its_place() {
        let mut room = Room::new(100);
        assert!(room.take_at(20, 30));
        assert!(!room.take_at(10, 11) && !room.take_at(49, 1) && !room.take_at(90, 11));
        assert!(room.take_at(50, 50) && room.take_at(0, 20));
        assert_eq!(room.take(1), None);
        room.give(0, 100);
        assert_eq!(room.take(100), Some(0));
    }
}
