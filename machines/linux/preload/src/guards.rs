//! Which pages are not readable and writable, and what they are instead: what the program has chosen with mprotect(2).
//!
//! The kernel knows it too, but for a forked child, whose arena is readable and writable all over: there it is chosen again.

use crate::sys;
use mager_linux_client::Pages;
use std::collections::BTreeMap;

/// Addresses are pages from the arena's start.
#[derive(Debug)]
pub(crate) struct Guards {
    /// First page, number of pages, rights. Neighbours of the same rights are one run, as they are in the kernel: so its
    /// limit to how many there are (vm.max_map_count) is ours.
    runs: BTreeMap<u32, (u32, i32)>,
    /// The arena's first address.
    base: usize,
    page: usize,
}

impl Guards {
    /// Everything is readable and writable.
    pub(crate) fn new(base: usize, page: usize) -> Self {
        Guards { runs: BTreeMap::new(), base, page }
    }

    /// What may be done with these pages from now on.
    pub(crate) fn set(&mut self, pages: Pages, rights: i32) -> Result<(), i32> {
        if rights == sys::READ_WRITE {
            return self.lift(pages);
        }
        self.protect(pages, rights)?;
        self.forget(pages);
        self.insert(pages, rights);
        Ok(())
    }

    /// They are readable and writable again. Asks the kernel only about those that were not.
    pub(crate) fn lift(&mut self, pages: Pages) -> Result<(), i32> {
        self.within(pages).into_iter().try_for_each(|(part, _)| self.protect(part, sys::READ_WRITE))?;
        self.forget(pages);
        Ok(())
    }

    /// What may be done with a page.
    pub(crate) fn of(&self, page: u32) -> i32 {
        self.within(Pages { page, count: 1 }).first().map_or(sys::READ_WRITE, |&(_, rights)| rights)
    }

    /// The runs that lie in `pages`, cut to them.
    pub(crate) fn within(&self, pages: Pages) -> Vec<(Pages, i32)> {
        let end = pages.page + pages.count;
        let before = self.runs.range(..pages.page).next_back();
        let all = before.into_iter().chain(self.runs.range(pages.page..end));
        let cut = all.filter_map(|(&page, &(count, rights))| {
            let (start, end) = (page.max(pages.page), (page + count).min(end));
            (start < end).then(|| (Pages { page: start, count: end - start }, rights))
        });
        cut.collect()
    }

    fn forget(&mut self, gone: Pages) {
        let end = gone.page + gone.count;
        for (part, rights) in self.within(gone) {
            let Some((&page, &(count, _))) = self.runs.range(..=part.page).next_back() else { continue };
            self.runs.remove(&page);
            for (from, to) in [(page, gone.page), (end, page + count)] {
                if to > from {
                    self.runs.insert(from, (to - from, rights));
                }
            }
        }
    }

    /// None of them is in a run.
    fn insert(&mut self, pages: Pages, rights: i32) {
        let (mut page, mut count) = (pages.page, pages.count);
        if let Some(&(more, same)) = self.runs.get(&(page + count))
            && same == rights
        {
            self.runs.remove(&(page + count));
            count += more;
        }
        if let Some((&before, &(fewer, same))) = self.runs.range(..page).next_back()
            && (before + fewer, same) == (page, rights)
        {
            (page, count) = (before, fewer + count);
        }
        self.runs.insert(page, (count, rights));
    }

    fn protect(&self, pages: Pages, rights: i32) -> Result<(), i32> {
        let (start, len) = (self.base + pages.page as usize * self.page, pages.count as usize * self.page);
        sys::protect(start, len, rights)
    }

    /// In a forked child.
    pub(crate) fn set_again(&self) {
        for (&page, &(count, rights)) in &self.runs {
            let _ = self.protect(Pages { page, count }, rights);
        }
    }
}
