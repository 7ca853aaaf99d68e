//! Chunks in use by age: a list through all of them, from which any can be taken.

use super::chunk::NONE;
use crate::place::small;

/// Neighbours in the list.
#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
}

/// What a chunk costs here.
pub(super) const LINK: usize = size_of::<Link>();

#[derive(Debug)]
pub(super) struct Ages {
    /// One for each chunk, and at the end of all one that closes the circle.
    links: Vec<Link>,
}

impl Ages {
    pub(super) fn new(chunks: usize) -> Self {
        let mut links = vec![Link { older: NONE, newer: NONE }; chunks];
        links.push(Link { older: small(chunks), newer: small(chunks) });
        Ages { links }
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let some = |number| (number != self.ends()).then_some(number);
        let oldest = some(self.links[self.ends() as usize].newer);
        std::iter::successors(oldest, move |&number| some(self.links[number as usize].newer))
    }

    /// The chunk is the newest; it must not be listed.
    pub(super) fn push(&mut self, number: u32) {
        let ends = self.ends();
        let newest = self.links[ends as usize].older;
        self.links[number as usize] = Link { older: newest, newer: ends };
        self.links[newest as usize].newer = number;
        self.links[ends as usize].older = number;
    }

    /// The chunk, which is listed, is not any more.
    pub(super) fn remove(&mut self, number: u32) {
        let Link { older, newer } = self.links[number as usize];
        assert!(older != NONE, "slab: a chunk that nobody uses has an age");
        self.links[older as usize].newer = newer;
        self.links[newer as usize].older = older;
        self.links[number as usize] = Link { older: NONE, newer: NONE };
    }

    fn ends(&self) -> u32 {
        small(self.links.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_listed_in_that_order_until_it_is_removed() {
        let mut ages = Ages::new(4);
        let listed = |ages: &Ages| ages.iter().collect::<Vec<_>>();
        assert_eq!(listed(&ages), []);
        [2, 0, 3, 1].iter().for_each(|&number| ages.push(number));
        assert_eq!(listed(&ages), [2, 0, 3, 1]);
        [2, 3, 1].iter().for_each(|&number| ages.remove(number));
        ages.push(2);
        assert_eq!(listed(&ages), [0, 2]);
    }
}
