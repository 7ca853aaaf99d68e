//! Pins: pages that are never victims, by request.
//!
//! A pin is put on a page that is in a frame with the access asked for; a machine faults it in first and asks
//! again if it was faster evicted than pinned. A private page must be there for writing, so that no copy can take
//! its contents elsewhere later. Pins are counted for each entry, and end with it. Pinned frames are not the
//! policy's, and at least one frame always stays replaceable.

use crate::entry::Target;
use crate::{Access, ArenaId, EntryNo, Pager, Pages, Refused, Site};
use alloc::collections::BTreeMap;
use mager_policies::{FrameNo, Gone, PageNo, Policy};

/// How often each entry and each frame is pinned. Few are, so the core map has one bit of this only.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    by_entry: BTreeMap<EntryNo, u32>,
    by_frame: BTreeMap<FrameNo, u16>,
}

impl Pins {
    pub(crate) fn of_frame(&self, frame: FrameNo) -> u16 {
        self.by_frame.get(&frame).copied().unwrap_or(0)
    }

    /// The entries that are pinned, in order.
    fn entries(&self) -> impl Iterator<Item = EntryNo> {
        self.by_entry.keys().copied()
    }

    fn add(&mut self, entry: EntryNo, frame: FrameNo) -> Result<(), Refused> {
        let pins = self.of_frame(frame).checked_add(1).ok_or(Refused::Full)?;
        self.by_frame.insert(frame, pins);
        *self.by_entry.entry(entry).or_default() += 1;
        Ok(())
    }

    /// Takes one pin of `entry`, which shows `frame`, off.
    fn take(&mut self, entry: EntryNo, frame: FrameNo) -> Result<(), Refused> {
        let pins = self.by_entry.get_mut(&entry).ok_or(Refused::NotPinned)?;
        *pins -= 1;
        if *pins == 0 {
            self.by_entry.remove(&entry);
        }
        let pins = self.by_frame.get_mut(&frame).expect("pin: the frame of a pinned entry is pinned");
        *pins -= 1;
        if *pins == 0 {
            self.by_frame.remove(&frame);
        }
        Ok(())
    }
}

impl<P: Policy> Pager<P> {
    /// Pins the page at `at`, which must be there for `access`. Its frame stays the same until it is unpinned.
    pub fn pin(&mut self, at: Site, access: Access) -> Result<FrameNo, Refused> {
        let (entry, page, frame) = self.shown(at)?;
        let private = !self.memory.pages[page].backing.is_file();
        let needed = if private { Access::Write } else { access.max(Access::Read) };
        if self.memory.entries[entry].now() < Some(needed) {
            return Err(Refused::NotResident);
        }
        let first = !self.memory.frames[frame].pinned();
        if first && self.memory.frames.pinned + 1 >= self.memory.circulating() {
            return Err(Refused::NoFrames);
        }
        self.memory.pins.add(entry, frame)?;
        if first {
            self.take_from_policy(page, frame);
        }
        Ok(frame)
    }

    /// Takes one pin off the page at `at`.
    pub fn unpin(&mut self, at: Site, out: &mut crate::Effects) -> Result<(), Refused> {
        let (entry, page, frame) = self.shown(at).map_err(|_| Refused::NotPinned)?;
        self.drop_pin(entry, page, frame)?;
        self.pump(out);
        Ok(())
    }

    fn shown(&self, at: Site) -> Result<(EntryNo, PageNo, FrameNo), Refused> {
        let arena = self.memory.range(at.arena, Pages::one(at.page))?;
        let chunk = arena.chunk(at.page).ok_or(Refused::NotResident)?;
        let entry = crate::entry::Entries::at(chunk, at.page);
        let Target::Page(page) = self.memory.target(entry) else {
            return Err(Refused::NotResident);
        };
        let frame = self.memory.pages[page].state().readable_frame().ok_or(Refused::NotResident)?;
        Ok((entry, page, frame))
    }

    fn drop_pin(&mut self, entry: EntryNo, page: PageNo, frame: FrameNo) -> Result<(), Refused> {
        self.memory.pins.take(entry, frame)?;
        if self.memory.pins.of_frame(frame) == 0 {
            self.give_to_policy(page, frame);
        }
        Ok(())
    }

    fn take_from_policy(&mut self, page: PageNo, frame: FrameNo) {
        self.memory.frames[frame].set_pinned(true);
        self.memory.frames.pinned += 1;
        self.memory.frames.evictable -= u32::from(!self.memory.pages[page].state().busy());
        self.policy.remove(frame, Gone::Freed);
    }

    fn give_to_policy(&mut self, page: PageNo, frame: FrameNo) {
        self.memory.frames[frame].set_pinned(false);
        self.memory.frames.pinned -= 1;
        self.memory.frames.evictable += u32::from(!self.memory.pages[page].state().busy());
        self.policy.admit(frame, page);
    }

    /// Whether any page of a range is pinned through this arena.
    pub(crate) fn pinned_in(&self, arena: ArenaId, pages: Pages) -> bool {
        self.memory.pins.entries().any(|entry| {
            let at = self.memory.entries.site(entry);
            at.arena == arena && at.page >= pages.start && at.page.0 - pages.start.0 < pages.count
        })
    }

    /// Whether any private page is pinned through this arena.
    pub(crate) fn private_pins(&self, arena: ArenaId) -> bool {
        self.memory.pins.entries().any(|entry| {
            let private = match self.memory.target(entry) {
                Target::Page(page) => !self.memory.pages[page].backing.is_file(),
                Target::Nothing | Target::Zero | Target::Lazy => false,
            };
            private && self.memory.entries.site(entry).arena == arena
        })
    }

    /// Takes every pin of an arena off.
    pub(crate) fn unpin_all(&mut self, arena: ArenaId) {
        let mine = |entry: &EntryNo| self.memory.entries.site(*entry).arena == arena;
        let entries: alloc::vec::Vec<_> = self.memory.pins.entries().filter(mine).collect();
        for entry in entries {
            while let Ok((_, page, frame)) = self.shown(self.memory.entries.site(entry)) {
                if self.drop_pin(entry, page, frame).is_err() {
                    break;
                }
            }
        }
    }
}
