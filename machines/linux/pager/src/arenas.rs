//! The arenas as the machine sees them: memory file, userfaultfd, base address, and the agent that drops entries.

use crate::budget::AllowanceNo;
use crate::clients::Counted;
use crate::quotas::Share;
use mager_linux_sys::{MemoryFile, Userfault, send};
use mager_linux_wire::{self as wire, MOST_RUNS, Order, Runs, encode};
use mager_pager::{ArenaId, Site};
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
    zaps: Vec<u32>,
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
}

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
            dying: false,
            poisoned,
            counted,
            family,
            share,
        }
    }

    /// Has the agent drop the entry of `page`, soon. Without an agent nothing happens.
    /// `near`: the CPU it is to do that on.
    pub(crate) fn zap(&mut self, page: u32, near: Option<u16>) {
        if self.agent.is_some() && !self.dying {
            self.zaps.push(page);
            if self.zaps.len().is_multiple_of(LOT) {
                self.send_zaps(near);
            }
        }
    }

    pub(crate) fn has_zaps(&self) -> bool {
        !self.zaps.is_empty()
    }

    /// Sends what is there. What an agent does not take now it gets later, unless that has become too much: then it
    /// misses it, and those pages look untouched.
    pub(crate) fn send_zaps(&mut self, near: Option<u16>) {
        self.zaps.sort_unstable();
        self.zaps.dedup();
        let mut sent = 0;
        while sent < self.zaps.len()
            && let Some(pages) = self.send_lot(sent, near)
        {
            sent += pages;
        }
        self.zaps.drain(..sent);
        if self.zaps.len() >= MOST_UNSENT {
            self.zaps.clear();
        }
    }

    /// How many pages from this one on were sent together, if any were.
    fn send_lot(&self, from: usize, near: Option<u16>) -> Option<usize> {
        let runs = runs(&self.zaps[from..]);
        let pages = runs.iter().map(|&(_, count)| count as usize).sum();
        let arena = wire::ArenaId { slot: self.id.slot, generation: self.id.generation };
        let bytes = encode(&Order::Zap { arena, runs, near }).ok()?;
        send(self.agent.as_ref()?, &bytes, &[], false).ok()?;
        Some(pages)
    }
}

/// Sorted page numbers as runs of neighbours: those from the first on that go into one message.
fn runs(pages: &[u32]) -> Runs {
    let mut runs = Runs::new();
    for &page in pages {
        let many = runs.is_full();
        match runs.last_mut() {
            Some((start, count)) if page == *start + *count => *count += 1,
            _ if many => break,
            _ => runs.push((page, 1)),
        }
    }
    runs
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

    #[test]
    fn neighbours_become_one_run_and_a_message_has_so_many() {
        assert_eq!(runs(&[1, 2, 3, 7, 9, 10])[..], [(1, 3), (7, 1), (9, 2)]);
        assert_eq!(runs(&[])[..], []);
        let apart: Vec<u32> = (0..100).map(|page| page * 2).collect();
        assert_eq!(runs(&apart).len(), super::LOT);
    }
}
