//! The mapping zone: large anonymous mappings, and allocations too large for mimalloc's blocks.

use crate::guards::Guards;
use crate::start::Managed;
use mager_linux_client::{Error, Pages, Room};
use std::collections::BTreeMap;
use std::ops::Range;

/// The kernel's word on rights.
pub(crate) fn system(errno: i32) -> Error {
    Error::System { what: "rights of an arena's pages", why: std::io::Error::from_raw_os_error(errno) }
}

/// Runs of pages that are mapped. Addresses are bytes from the arena's start.
#[derive(Debug)]
pub(crate) struct Mappings {
    room: Room,
    /// First page and number of pages; neighbours that were mapped by different calls stay apart.
    runs: BTreeMap<u32, u32>,
    guards: Guards,
    page: usize,
    /// The arena's first address.
    base: usize,
}

impl Mappings {
    /// Everything from `start` to `end` is free.
    pub(crate) fn new(base: usize, page: usize, start: usize, end: usize) -> Self {
        let number = |bytes: usize| u32::try_from(bytes / page).unwrap_or(u32::MAX);
        let mut room = Room::new(number(end));
        let taken = room.take_at(0, number(start));
        debug_assert!(taken, "mappings: an empty room has room");
        Mappings { room, runs: BTreeMap::new(), guards: Guards::new(base, page), page, base }
    }

    fn count(&self, len: usize) -> Option<u32> {
        u32::try_from(len.div_ceil(self.page)).ok()
    }

    /// The pages that these bytes touch.
    fn around(&self, bytes: &Range<usize>) -> Range<u32> {
        let number = |page: usize| u32::try_from(page).unwrap_or(u32::MAX);
        number(bytes.start / self.page)..number(bytes.end.div_ceil(self.page))
    }

    /// Fresh zeros; where they are.
    pub(crate) fn map(&mut self, managed: &Managed, len: usize, align: usize) -> Result<usize, Error> {
        let slack = self.count(align.saturating_sub(self.page)).unwrap_or(u32::MAX);
        let count = self.count(len).filter(|&count| count > 0 && count < u32::MAX - slack);
        let count = count.ok_or(Error::NoRoom { wanted: u32::MAX })?;
        let found = self.room.take(count + slack).ok_or(Error::NoRoom { wanted: count })?;
        let page = self.trim(found, count, slack, align);
        self.commit(managed, Pages { page, count })?;
        self.runs.insert(page, count);
        Ok(page as usize * self.page)
    }

    /// Has swap reserved for pages that are taken. Where there is none they are free again.
    fn commit(&mut self, managed: &Managed, pages: Pages) -> Result<(), Error> {
        managed.commit(pages).inspect_err(|_| self.room.give(pages.page, pages.count))
    }

    /// Gives back what alignment needed no more.
    fn trim(&mut self, found: u32, count: u32, slack: u32, align: usize) -> u32 {
        let at = (self.base + found as usize * self.page).next_multiple_of(align.max(1));
        let page = u32::try_from((at - self.base) / self.page).unwrap_or(found);
        let end = found + count + slack;
        for (from, to) in [(found, page), (page + count, end)] {
            if to > from {
                self.room.give(from, to - from);
            }
        }
        page
    }

    /// The mapped runs that lie in `pages`, cut to them.
    fn inside(&self, pages: &Range<u32>) -> Vec<Pages> {
        let before = self.runs.range(..pages.start).next_back();
        let all = before.into_iter().chain(self.runs.range(pages.clone()));
        let cut = all.filter_map(|(&page, &count)| {
            let (start, end) = (page.max(pages.start), (page + count).min(pages.end));
            (start < end).then(|| Pages { page: start, count: end - start })
        });
        cut.collect()
    }

    /// Where the first pages of these that are not mapped begin, or these end.
    fn mapped_to(&self, pages: &Range<u32>) -> u32 {
        let next = |at, run: Pages| if run.page == at { at + run.count } else { at };
        self.inside(pages).into_iter().fold(pages.start, next)
    }

    /// Whether all of these bytes are mapped.
    pub(crate) fn has(&self, bytes: &Range<usize>) -> bool {
        let pages = self.around(bytes);
        self.mapped_to(&pages) == pages.end
    }

    /// Bytes of the run that starts here, as it was asked for and rounded up to pages.
    pub(crate) fn len(&self, start: usize) -> Option<usize> {
        let page = u32::try_from(start / self.page).ok()?;
        self.runs.get(&page).map(|&count| count as usize * self.page)
    }

    /// Maps what is not mapped of these bytes: all of that, or nothing. Where it is.
    pub(crate) fn fill(
        &mut self,
        managed: &Managed,
        bytes: &Range<usize>,
    ) -> Result<Vec<Range<usize>>, Error> {
        let pages = self.around(bytes);
        let mut filled = Vec::new();
        let mut at = self.mapped_to(&pages);
        while at < pages.end {
            let end = self.runs.range(at..pages.end).next().map_or(pages.end, |(&run, _)| run);
            let hole = Pages { page: at, count: end - at };
            if let Err(why) = self.fill_hole(managed, hole) {
                filled.iter().try_for_each(|hole| self.unmap(managed, hole))?;
                return Err(why);
            }
            filled.push(self.bytes(hole));
            at = self.mapped_to(&(end..pages.end));
        }
        Ok(filled)
    }

    fn fill_hole(&mut self, managed: &Managed, hole: Pages) -> Result<(), Error> {
        if !self.room.take_at(hole.page, hole.count) {
            return Err(Error::NoRoom { wanted: hole.count });
        }
        self.commit(managed, hole)?;
        self.runs.insert(hole.page, hole.count);
        Ok(())
    }

    fn bytes(&self, pages: Pages) -> Range<usize> {
        let start = pages.page as usize * self.page;
        start..start + pages.count as usize * self.page
    }

    /// They are not mapped any more, whatever of them was.
    pub(crate) fn unmap(&mut self, managed: &Managed, bytes: &Range<usize>) -> Result<(), Error> {
        for run in self.inside(&self.around(bytes)) {
            // The arena's own rights, to be had again by whoever gets these pages next.
            self.guards.lift(run).map_err(system)?;
            managed.arena.withdraw(run)?;
            managed.has_room();
            self.cut(run);
            self.room.give(run.page, run.count);
        }
        Ok(())
    }

    /// Takes pages, which are of one run, out of it.
    fn cut(&mut self, gone: Pages) {
        let Some((&page, &count)) = self.runs.range(..=gone.page).next_back() else { return };
        self.runs.remove(&page);
        let (after, end) = (gone.page + gone.count, page + count);
        for (from, to) in [(page, gone.page), (after, end)] {
            if to > from {
                self.runs.insert(from, to - from);
            }
        }
    }

    /// What is mapped of these bytes, and of the pages that they are in, reads as zeros again.
    pub(crate) fn discard(&self, managed: &Managed, bytes: &Range<usize>) -> Result<(), Error> {
        self.inside(&self.around(bytes)).into_iter().try_for_each(|run| managed.arena.discard(run))
    }

    /// The run that `have` bytes at `start` end gets `want` bytes from there, where it is. `false`: no room behind it.
    pub(crate) fn resize(
        &mut self,
        managed: &Managed,
        start: usize,
        have: usize,
        want: usize,
    ) -> Result<bool, Error> {
        let had = self.around(&(start..start + have));
        let end = self.count(want).and_then(|count| had.start.checked_add(count));
        let end = end.ok_or(Error::NoRoom { wanted: u32::MAX })?;
        if end > had.end {
            return self.grow(managed, &had, end);
        }
        self.unmap(managed, &(end as usize * self.page..had.end as usize * self.page))?;
        Ok(true)
    }

    /// What is new has the rights of the page before it.
    fn grow(&mut self, managed: &Managed, had: &Range<u32>, end: u32) -> Result<bool, Error> {
        let Some((&page, &count)) = self.runs.range(..=had.start).next_back() else { return Ok(false) };
        let more = Pages { page: had.end, count: end - had.end };
        if page + count != had.end || !self.room.take_at(more.page, more.count) {
            return Ok(false);
        }
        self.commit(managed, more)?;
        self.runs.insert(page, count + more.count);
        let guarded = self.guards.set(more, self.guards.of(had.end - 1));
        if guarded.is_err() {
            self.unmap(managed, &self.bytes(more))?;
        }
        guarded.map(|()| true).map_err(system)
    }

    /// What may be done with these bytes from now on. Readable and writable is what they are at first. Where some are not
    /// mapped, those before have it, as the kernel does it.
    pub(crate) fn guard(&mut self, bytes: &Range<usize>, rights: i32) -> Result<(), i32> {
        let pages = self.around(bytes);
        let end = self.mapped_to(&pages);
        if end > pages.start {
            self.guards.set(Pages { page: pages.start, count: end - pages.start }, rights)?;
        }
        if end < pages.end { Err(libc::ENOMEM) } else { Ok(()) }
    }

    /// Which of these bytes are not readable and writable, and what they are.
    pub(crate) fn rights(&self, bytes: &Range<usize>) -> Vec<(Range<usize>, i32)> {
        let pages = self.around(bytes);
        let guarded = self.guards.within(Pages { page: pages.start, count: pages.end - pages.start });
        guarded.into_iter().map(|(part, rights)| (self.bytes(part), rights)).collect()
    }

    /// In a forked child, whose arena is readable and writable all over.
    pub(crate) fn guard_again(&self) {
        self.guards.set_again();
    }
}
