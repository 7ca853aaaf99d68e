//! Which runs of an arena's pages are free: first fit, neighbours joined.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Room {
    /// First page of a free run, and how many.
    free: BTreeMap<u32, u32>,
}

impl Room {
    pub(crate) fn new(pages: u32) -> Self {
        Room { free: BTreeMap::from([(0, pages)]) }
    }

    /// The lowest run of `count` free pages.
    pub(crate) fn take(&mut self, count: u32) -> Option<u32> {
        let (&page, &run) = self.free.iter().find(|&(_, &run)| run >= count)?;
        self.free.remove(&page);
        if run > count {
            self.free.insert(page + count, run - count);
        }
        Some(page)
    }

    pub(crate) fn give(&mut self, page: u32, count: u32) {
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
}
