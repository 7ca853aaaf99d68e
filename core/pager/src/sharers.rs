//! Sharers: which page-table entries name a page, its first one first.
//!
//! Most pages have one sharer, which names its page while the page names it, and no more is kept. From the second on
//! the sharers form a circle of links, 16 bytes each; the page names the first link and each entry its own:
//!
//! ```text
//! one:   page -> entry -> page
//! more:  page -> link <-> link <-> link (and round)        each link -> its entry -> the link, and -> the page
//! ```

use crate::EntryNo;
use crate::chunked::Chunked;
use crate::entry::{Named, Target};
use crate::memory::Memory;
use crate::page::{First, Page};
use mager_policies::PageNo;

/// One of the sharers of a page that has several, by its place in the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LinkNo(pub(crate) u32);

impl LinkNo {
    /// So many can be numbered.
    pub(crate) const MOST: u32 = (1 << 28) - 16;
}

#[derive(Clone, Copy, Debug)]
struct Link {
    page: PageNo,
    entry: EntryNo,
    next: LinkNo,
    prev: LinkNo,
}

/// All links; free ones are chained through `next` and used again last in, first out.
#[derive(Debug)]
pub(crate) struct Links {
    links: Chunked<Link>,
    free: Option<LinkNo>,
    live: u32,
}

impl Links {
    pub(crate) const fn new() -> Self {
        Links { links: Chunked::new(), free: None, live: 0 }
    }

    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// Whether `more` entries can become sharers of pages that have one.
    pub(crate) fn room_for(&self, more: u64) -> bool {
        u64::from(self.live) + 2 * more <= u64::from(LinkNo::MOST)
    }

    /// A circle of one.
    fn add(&mut self, page: PageNo, entry: EntryNo) -> LinkNo {
        let number = self.free.unwrap_or(LinkNo(self.links.len()));
        let link = Link { page, entry, next: number, prev: number };
        match self.free {
            Some(free) => {
                let next = core::mem::replace(&mut self.links[free.0], link).next;
                self.free = (next != free).then_some(next);
            }
            None => {
                self.links.push(link);
            }
        }
        self.live += 1;
        number
    }

    fn free(&mut self, number: LinkNo) {
        self.links[number.0].next = self.free.unwrap_or(number);
        self.free = Some(number);
        self.live -= 1;
    }

    /// Puts `number`, a circle of one, before `at`.
    fn insert(&mut self, number: LinkNo, at: LinkNo) {
        let last = self.links[at.0].prev;
        (self.links[number.0].next, self.links[number.0].prev) = (at, last);
        self.links[last.0].next = number;
        self.links[at.0].prev = number;
    }

    /// Takes `number` out of its circle. Who comes after it.
    fn remove(&mut self, number: LinkNo) -> LinkNo {
        let Link { next, prev, .. } = self.links[number.0];
        self.links[prev.0].next = next;
        self.links[next.0].prev = prev;
        self.free(number);
        next
    }

    fn alone(&self, number: LinkNo) -> bool {
        self.links[number.0].next == number
    }
}

impl Memory {
    /// What `entry` shows.
    #[inline]
    pub(crate) fn target(&self, entry: EntryNo) -> Target {
        match self.entries[entry].named() {
            Named::Target(target) => target,
            Named::Link(link) => Target::Page(self.links.links[link.0].page),
        }
    }

    /// The first sharer of `page`; where frames live at sites, the frame lives at this one.
    #[inline]
    pub(crate) fn first_sharer(&self, page: &Page) -> Option<EntryNo> {
        match page.first() {
            First::None => None,
            First::Sole(entry) => Some(entry),
            First::Link(link) => Some(self.links.links[link.0].entry),
        }
    }

    /// Whether exactly one entry names `page`.
    #[inline]
    pub(crate) fn sole(&self, page: &Page) -> bool {
        matches!(page.first(), First::Sole(_))
    }

    /// The sharer of the same page that comes after `entry`: itself, if it is alone.
    #[inline]
    pub(crate) fn next_sharer(&self, entry: EntryNo) -> EntryNo {
        match self.entries[entry].named() {
            Named::Target(_) => entry,
            Named::Link(link) => self.links.links[self.links.links[link.0].next.0].entry,
        }
    }

    /// All sharers of a page, the first one first.
    pub(crate) fn sharers(&self, page: PageNo) -> impl Iterator<Item = EntryNo> {
        let first = self.first_sharer(&self.pages[page]);
        let mut at = first;
        core::iter::from_fn(move || {
            let entry = at?;
            let next = self.next_sharer(entry);
            at = (Some(next) != first).then_some(next);
            Some(entry)
        })
    }

    /// Makes `entry`, which names no page, name `page`, as the last of its sharers.
    pub(crate) fn link(&mut self, entry: EntryNo, page: PageNo) {
        let first = match self.pages[page].first() {
            First::None => {
                self.entries[entry].set_target(Target::Page(page));
                self.pages[page].set_first(First::Sole(entry));
                return;
            }
            First::Sole(sole) => {
                let first = self.new_link(page, sole);
                self.pages[page].set_first(First::Link(first));
                first
            }
            First::Link(first) => first,
        };
        let link = self.new_link(page, entry);
        self.links.insert(link, first);
    }

    fn new_link(&mut self, page: PageNo, entry: EntryNo) -> LinkNo {
        let link = self.links.add(page, entry);
        self.entries[entry].set_link(link);
        link
    }

    /// Takes `entry` out of the sharers of `page`: it names nothing.
    pub(crate) fn unlink(&mut self, entry: EntryNo, page: PageNo) {
        match self.entries[entry].named() {
            Named::Target(_) => self.pages[page].set_first(First::None),
            Named::Link(link) => self.unlink_from_others(link, page),
        }
        self.entries[entry].set_target(Target::Nothing);
    }

    fn unlink_from_others(&mut self, link: LinkNo, page: PageNo) {
        let next = self.links.remove(link);
        if self.links.alone(next) {
            let sole = self.links.links[next.0].entry;
            self.links.free(next);
            self.entries[sole].set_target(Target::Page(page));
            self.pages[page].set_first(First::Sole(sole));
        } else if self.pages[page].first() == First::Link(link) {
            self.pages[page].set_first(First::Link(next));
        }
    }

    /// `entry`, one of the sharers of `page`, is the first of them from now on.
    #[inline]
    pub(crate) fn make_first(&mut self, entry: EntryNo, page: PageNo) {
        if let Named::Link(link) = self.entries[entry].named() {
            self.pages[page].set_first(First::Link(link));
        }
    }

    /// Links name their entries, and these them; and each has as many as it needs.
    pub(crate) fn check_sharers(&self, number: PageNo) -> u32 {
        let count = self.sharers(number).count();
        let mut links = 0;
        for entry in self.sharers(number) {
            let Named::Link(link) = self.entries[entry].named() else { continue };
            let Link { page, entry: back, next, .. } = self.links.links[link.0];
            assert_eq!((page, back), (number, entry), "invariant: a link names its page and its entry");
            assert_eq!(self.links.links[next.0].prev, link, "invariant: sharers form a circle");
            links += 1;
        }
        let needed = if count > 1 { count } else { 0 };
        assert_eq!(links, needed, "invariant: page {number} has links exactly if it has several sharers");
        u32::try_from(links).expect("links have numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_used_again_the_last_freed_first() {
        let mut links = Links::new();
        let add = |links: &mut Links| links.add(PageNo(7), EntryNo(9));
        let all: [LinkNo; 3] = core::array::from_fn(|_| add(&mut links));
        assert_eq!((all, links.live()), ([LinkNo(0), LinkNo(1), LinkNo(2)], 3));
        links.free(all[0]);
        links.free(all[2]);
        assert_eq!(links.live(), 1);
        let again: [LinkNo; 3] = core::array::from_fn(|_| add(&mut links));
        assert_eq!((again, links.live()), ([LinkNo(2), LinkNo(0), LinkNo(3)], 4));
    }

    #[test]
    fn a_circle_is_gone_round_in_the_order_of_coming() {
        let mut links = Links::new();
        let all: [LinkNo; 4] = core::array::from_fn(|_| links.add(PageNo(0), EntryNo(0)));
        all[1..].iter().for_each(|&link| links.insert(link, all[0]));
        let round = |links: &Links, from: LinkNo| {
            let mut all = [from; 4];
            (1..4).for_each(|n| all[n] = links.links[all[n - 1].0].next);
            all
        };
        assert_eq!(round(&links, all[0]), all);
        assert_eq!(links.remove(all[0]), all[1]);
        assert_eq!(round(&links, all[1]), [all[1], all[2], all[3], all[1]]);
        assert_eq!(links.remove(all[2]), all[3]);
        assert!(!links.alone(all[1]));
        assert_eq!(links.remove(all[3]), all[1]);
        assert!(links.alone(all[1]));
    }

    /// A sharer more takes two links where there was one.
    #[test]
    fn room_is_asked_for_with_both_links() {
        let mut links = Links::new();
        assert!(links.room_for(u64::from(LinkNo::MOST / 2)));
        assert!(!links.room_for(u64::from(LinkNo::MOST / 2) + 1));
        links.live = LinkNo::MOST - 2;
        assert!(links.room_for(1));
        assert!(!links.room_for(2));
        links.live += 1;
        assert!(!links.room_for(1));
        assert!(links.room_for(0));
    }
}
