//! Some of so many things by age: a list through them, from which any can be taken.

use crate::place::small;

const NONE: u32 = u32::MAX;

/// Neighbours in the list.
#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
}

/// What a thing costs here.
pub(crate) const LINK: usize = size_of::<Link>();

#[derive(Debug)]
pub(crate) struct Ages {
    /// One for each thing, and at the end of all one that closes the circle.
    links: Vec<Link>,
}

impl Ages {
    pub(crate) fn new(things: usize) -> Self {
        let mut links = vec![Link { older: NONE, newer: NONE }; things];
        links.push(Link { older: small(things), newer: small(things) });
        Ages { links }
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let some = |number| (number != self.ends()).then_some(number);
        let oldest = some(self.links[self.ends() as usize].newer);
        std::iter::successors(oldest, move |&number| some(self.links[number as usize].newer))
    }

    pub(crate) fn newest(&self) -> Option<u32> {
        let newest = self.links[self.ends() as usize].older;
        (newest != self.ends()).then_some(newest)
    }

    /// It is the newest; it must not be listed.
    pub(crate) fn push(&mut self, number: u32) {
        let ends = self.ends();
        let newest = self.links[ends as usize].older;
        self.links[number as usize] = Link { older: newest, newer: ends };
        self.links[newest as usize].newer = number;
        self.links[ends as usize].older = number;
    }

    /// What is listed is not any more.
    pub(crate) fn remove(&mut self, number: u32) {
        let Link { older, newer } = self.links[number as usize];
        assert!(older != NONE, "ages: what is not listed has an age");
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
        assert_eq!((listed(&ages), ages.newest()), (vec![0, 2], Some(2)));
    }
}
