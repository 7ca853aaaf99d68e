//! The arenas as the machine sees them: memory file, userfaultfd, base address, and the agent that drops entries.

use crate::budget::AllowanceNo;
use crate::clients::Counted;
use crate::quotas::Share;
use mager_linux_sys::{MemoryFile, Pagemap, Userfault, send, unread};
use mager_linux_wire::{self as wire, MOST_RUNS, Order, Runs, encode};
use mager_pager::{ArenaId, FrameNo, Site};
use rustix::fd::OwnedFd;
use std::rc::Rc;

/// Entries to drop are sent to the agent in lots: waking it costs more than the dropping.
const LOT: usize = MOST_RUNS;
/// Entries that wait for an agent that is busy, at most.
const MOST_UNSENT: usize = 64 * LOT;

#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) id: ArenaId,
    pub(crate) memory: MemoryFile,
    /// Its client's, under which the memory is.
    pub(crate) allowance: AllowanceNo,
    /// Not before the client has attached.
    pub(crate) attached: Option<Attached>,
    agent: Option<Rc<OwnedFd>>,
    zaps: Vec<Zap>,
    /// Frames of the lots before the last that was sent, and of that one.
    sent: Vec<FrameNo>,
    last: Vec<FrameNo>,
    /// The client is gone or has given the arena up: nobody looks at its memory any more.
    pub(crate) dying: bool,
    /// Pages the client was denied, poisoned until their range is unmapped.
    pub(crate) poisoned: std::collections::BTreeSet<u32>,
    pub(crate) counted: Counted,
    /// Its client's, with those that it has forked.
    pub(crate) family: u64,
    /// Of what the family may hold.
    pub(crate) share: Share,
}

#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) uffd: Userfault,
    pub(crate) base: u64,
    /// Shows which pages were touched since their entries were dropped; where it may be read.
    pub(crate) pagemap: Option<Pagemap>,
}

/// An entry to drop, and the frame it shows, if it is about one.
type Zap = (u32, Option<FrameNo>);

impl Arena {
    pub(crate) fn new(
        id: ArenaId,
        (memory, allowance): (MemoryFile, AllowanceNo),
        agent: Option<Rc<OwnedFd>>,
        family: u64,
    ) -> Self {
        let (zaps, poisoned) = (Vec::with_capacity(LOT), std::collections::BTreeSet::new());
        let (counted, share) = (Counted::default(), Share::default());
        Arena {
            id,
            memory,
            allowance,
            attached: None,
            agent,
            zaps,
            sent: Vec::new(),
            last: Vec::new(),
            dying: false,
            poisoned,
            counted,
            family,
            share,
        }
    }

    /// Has the agent drop the entry of a page, soon. Without an agent nothing happens.
    /// `near`: the CPU it is to do that on.
    pub(crate) fn zap(&mut self, zap: Zap, near: Option<u16>) {
        if self.agent.is_some() && !self.dying {
            self.zaps.push(zap);
            if self.zaps.len().is_multiple_of(LOT) {
                self.send_zaps(near);
            }
        }
    }

    /// Whether the next zap makes a lot.
    pub(crate) fn sends_next(&self) -> bool {
        (self.zaps.len() + 1).is_multiple_of(LOT)
    }

    /// Takes the frames whose entries have been dropped since they were asked for here last. An agent that has received
    /// all orders has carried out all but the last.
    pub(crate) fn take_cleared(&mut self) -> impl Iterator<Item = FrameNo> + '_ {
        let done =
            !self.sent.is_empty() && self.agent.as_ref().is_some_and(|agent| !unread(agent).unwrap_or(true));
        let count = if done { self.sent.len() } else { 0 };
        self.sent.drain(..count)
    }

    pub(crate) fn has_zaps(&self) -> bool {
        !self.zaps.is_empty()
    }

    /// Sends what is there. What an agent does not take now it gets later, unless that has become too much: then it
    /// misses it, and those pages look untouched.
    pub(crate) fn send_zaps(&mut self, near: Option<u16>) {
        self.zaps.sort_unstable();
        let mut sent = 0;
        while sent < self.zaps.len()
            && let Some(pages) = self.send_lot(sent, near)
        {
            sent += pages;
        }
        self.zaps.drain(..sent);
        // Of an agent that hangs: its pages look untouched, too.
        if self.sent.len() >= MOST_UNSENT {
            self.sent.clear();
        }
        if self.zaps.len() >= MOST_UNSENT {
            self.zaps.clear();
        }
    }

    /// How many pages from this one on were sent together, if any were.
    fn send_lot(&mut self, from: usize, near: Option<u16>) -> Option<usize> {
        let (runs, zaps) = runs(&self.zaps[from..]);
        let arena = wire::ArenaId { slot: self.id.slot, generation: self.id.generation };
        let bytes = encode(&Order::Zap { arena, runs, near }).ok()?;
        send(self.agent.as_ref()?, &bytes, &[], false).ok()?;
        self.sent.append(&mut self.last);
        self.last.extend(self.zaps[from..from + zaps].iter().filter_map(|&(_, frame)| frame));
        Some(zaps)
    }
}

/// Pages in order as runs of neighbours: those from the first on that go into one message, and how many zaps these are.
fn runs(zaps: &[Zap]) -> (Runs, usize) {
    let mut runs = Runs::new();
    for (&(page, _), before) in zaps.iter().zip(0..) {
        let many = runs.is_full();
        match runs.last_mut() {
            Some((start, count)) if page == *start + *count => *count += 1,
            Some((start, count)) if page.wrapping_sub(*start) < *count => {}
            _ if many => return (runs, before),
            _ => runs.push((page, 1)),
        }
    }
    (runs, zaps.len())
}

/// All arenas, by slot.
#[derive(Debug, Default)]
pub(crate) struct Arenas(Vec<Option<Arena>>);

impl Arenas {
    pub(crate) fn insert(&mut self, arena: Arena) {
        let slot = arena.id.slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || None);
        }
        self.0[slot] = Some(arena);
    }

    pub(crate) fn remove(&mut self, id: ArenaId) -> Option<Arena> {
        self.get(id)?;
        self.0[id.slot as usize].take()
    }

    pub(crate) fn get(&self, id: ArenaId) -> Option<&Arena> {
        self.0.get(id.slot as usize)?.as_ref().filter(|arena| arena.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: ArenaId) -> Option<&mut Arena> {
        self.0.get_mut(id.slot as usize)?.as_mut().filter(|arena| arena.id == id)
    }

    pub(crate) fn in_slot(&self, slot: usize) -> Option<ArenaId> {
        Some(self.0.get(slot)?.as_ref()?.id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arena> {
        self.0.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Arena> {
        self.0.iter_mut().flatten()
    }

    /// The arena of a site, if it is attached, with the address of the site.
    pub(crate) fn address(&self, at: Site, page_size: u64) -> Option<(&Userfault, u64)> {
        let attached = self.get(at.arena).filter(|arena| !arena.dying)?.attached.as_ref()?;
        Some((&attached.uffd, attached.base + u64::from(at.page.0) * page_size))
    }
}

#[cfg(test)]
mod tests {
    use super::runs;

    fn of(pages: &[u32]) -> (Vec<(u32, u32)>, usize) {
        let zaps: Vec<_> = pages.iter().map(|&page| (page, None)).collect();
        let (runs, count) = runs(&zaps);
        (runs.to_vec(), count)
    }

    #[test]
    fn neighbours_become_one_run_and_a_message_has_so_many() {
        assert_eq!(of(&[1, 2, 2, 3, 7, 9, 10]), (vec![(1, 3), (7, 1), (9, 2)], 7));
        assert_eq!(of(&[]), (vec![], 0));
        let apart: Vec<u32> = (0..100).map(|page| page / 2 * 2).collect();
        assert_eq!(of(&apart).1, 100);
        let apart: Vec<u32> = (0..100).map(|page| page * 2).collect();
        assert_eq!((of(&apart).0.len(), of(&apart).1), (super::LOT, super::LOT));
    }
}
