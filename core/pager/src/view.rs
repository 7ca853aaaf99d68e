//! What faces may see: everything, and nothing they could change.

use crate::entry::{Entries, Target};
use crate::memory::Memory;
use crate::state::State;
use crate::wait::{Demand, Waiter};
use crate::{Access, ArenaId, Config, Home, Kind, Pages, Site, VirtPage};
use alloc::vec::Vec;
use mager_policies::{FrameNo, PageNo};

/// What has happened so far, counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Faults taken in.
    pub faults: u64,
    /// Frames filled with zeros.
    pub zero_fills: u64,
    /// Reads of pages started.
    pub page_ins: u64,
    /// Writes of pages started.
    pub write_backs: u64,
    /// Copies of shared pages.
    pub copies: u64,
    /// Frames that passed from a shared page to its writer.
    pub steals: u64,
    /// Frames surrendered by their pages.
    pub evictions: u64,
    /// Frames filled or read into ahead of any fault.
    pub aheads: u64,
    /// References taken away by the hand.
    pub second_chances: u64,
}

/// What one virtual page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Private and never written: zeros.
    Untouched,
    /// Part of a file mapping, never touched here.
    Unread,
    /// A page.
    Page(PageNo),
}

/// One virtual page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pte {
    /// What it shows.
    pub shown: Shown,
    /// What the hardware lets happen without telling us; `None`: not mapped now.
    pub access: Option<Access>,
    /// The frame that is mapped.
    pub frame: Option<FrameNo>,
}

/// One page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageView {
    /// Where it is.
    pub state: State,
    /// Where its contents live when it is not resident; `None`: no swap block is assigned yet.
    pub home: Option<Home>,
    /// Where it is mapped; none for a ghost.
    pub sharers: Vec<Site>,
    /// Faults and flushes that wait for it, in order.
    pub waiting: Vec<Waiter>,
}

/// One frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameView {
    /// The page in it.
    pub page: Option<PageNo>,
    /// Touched since the hand passed.
    pub referenced: bool,
    /// How often it is pinned.
    pub pins: u16,
}

/// Everything there is to see of a pager.
#[derive(Debug)]
pub struct View<'a, P> {
    memory: &'a Memory,
    policy: &'a P,
}

impl<'a, P: mager_policies::Policy> View<'a, P> {
    pub(crate) fn new(memory: &'a Memory, policy: &'a P) -> Self {
        View { memory, policy }
    }

    /// The pager's fixed facts.
    #[must_use]
    pub fn config(&self) -> &'a Config {
        &self.memory.config
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.memory.counters
    }

    /// All arenas, by slot.
    #[must_use]
    pub fn arenas(&self) -> Vec<ArenaId> {
        self.memory.arenas.iter().map(|(id, _)| id).collect()
    }

    /// Whether `arena` lives.
    #[must_use]
    pub fn lives(&self, arena: ArenaId) -> bool {
        self.memory.arenas.get(arena).is_some()
    }

    /// Whether no page of `arena` is free.
    #[must_use]
    pub fn is_full(&self, arena: ArenaId) -> bool {
        self.memory
            .arenas
            .get(arena)
            .is_some_and(|arena| arena.regions.lowest_free().0 >= self.memory.config.arena_pages)
    }

    /// The mapped runs of `arena`, in order.
    #[must_use]
    pub fn regions(&self, arena: ArenaId) -> Vec<(Pages, Kind)> {
        self.memory.arenas.get(arena).map(|arena| arena.regions.iter().collect()).unwrap_or_default()
    }

    /// How many they are.
    #[must_use]
    pub fn region_count(&self, arena: ArenaId) -> usize {
        self.memory.arenas.get(arena).map_or(0, |arena| arena.regions.count())
    }

    /// Those that meet `pages`, cut to them.
    #[must_use]
    pub fn regions_within(&self, arena: ArenaId, pages: Pages) -> Vec<(Pages, Kind)> {
        self.memory.arenas.get(arena).map(|arena| arena.regions.within(pages)).unwrap_or_default()
    }

    /// What is mapped at `at`, if anything.
    #[must_use]
    pub fn region(&self, at: Site) -> Option<Kind> {
        self.memory.arenas.get(at.arena)?.regions.find(at.page)
    }

    /// Swap blocks reserved by `arena`.
    #[must_use]
    pub fn reserved_by(&self, arena: ArenaId) -> u32 {
        self.memory.arenas.get(arena).map_or(0, |arena| arena.reserved)
    }

    /// The page-table entry at `at`; `None` where nothing is mapped.
    #[must_use]
    pub fn pte(&self, at: Site) -> Option<Pte> {
        let arena = self.memory.arenas.get(at.arena)?;
        let untouched = |shown| Some(Pte { shown, access: None, frame: None });
        if at.page.0 >= self.memory.config.arena_pages {
            return None;
        }
        let Some(chunk) = arena.chunk(at.page) else {
            return match arena.regions.find(at.page)? {
                Kind::Swap => untouched(Shown::Untouched),
                Kind::Object(..) => untouched(Shown::Unread),
            };
        };
        let entry = Entries::at(chunk, at.page);
        let access = self.memory.entries[entry].now();
        match self.memory.target(entry) {
            Target::Nothing => None,
            Target::Lazy => untouched(Shown::Unread),
            Target::Zero => Some(Pte { shown: Shown::Untouched, access, frame: access.map(|_| FrameNo(0)) }),
            Target::Page(page) => {
                let frame = access.and(self.memory.pages[page].state().readable_frame());
                Some(Pte { shown: Shown::Page(page), access, frame })
            }
        }
    }

    /// The frame that the page at `at` has or is coming into; `None` if it has none, or one that lives at another site.
    #[must_use]
    pub fn frame_at(&self, at: Site) -> Option<FrameNo> {
        self.memory.lives_at(at)
    }

    /// Every touched, mapped virtual page of `arena`, in order.
    #[must_use]
    pub fn ptes(&self, arena: ArenaId) -> Vec<(VirtPage, Pte)> {
        let Some(found) = self.memory.arenas.get(arena) else { return Vec::new() };
        let pages = found
            .chunks()
            .flat_map(|(first, _)| (first.0..first.0 + crate::entry::CHUNK_PAGES).map(VirtPage));
        pages.filter_map(|page| Some((page, self.pte(Site { arena, page })?))).collect()
    }

    /// A page; `None` for a number not in use.
    #[must_use]
    pub fn page(&self, number: PageNo) -> Option<PageView> {
        self.memory.pages.get(number).map(|page| PageView {
            state: page.state(),
            home: self.memory.home(number),
            sharers: self.memory.sharers(number).map(|entry| self.memory.entries.site(entry)).collect(),
            waiting: self.memory.waiters.iter(self.memory.waiting(number)).collect(),
        })
    }

    /// The numbers of all pages.
    #[must_use]
    pub fn pages(&self) -> Vec<PageNo> {
        self.memory.pages.iter().map(|(number, _)| number).collect()
    }

    /// The frames in order, the zero page among them.
    #[must_use]
    pub fn frames(&self) -> Vec<FrameView> {
        let view = |(number, frame): (FrameNo, &crate::frame::Frame)| FrameView {
            page: frame.page(),
            referenced: frame.referenced(),
            pins: self.memory.pins.of_frame(number),
        };
        self.memory.frames.iter().map(view).collect()
    }

    /// The free frames, the next to be used first.
    #[must_use]
    pub fn free_frames(&self) -> Vec<FrameNo> {
        self.memory.frames.free_list().collect()
    }

    /// The policy's frames, the next candidate first.
    #[must_use]
    pub fn order(&self) -> Vec<FrameNo> {
        let mut order = Vec::new();
        self.policy.order(&mut |frame| order.push(frame));
        order
    }

    /// Demands for frames, the head of the queue first.
    #[must_use]
    pub fn demands(&self) -> Vec<Demand> {
        self.memory.demands.iter().copied().collect()
    }

    /// Every count that must be what it was at the start once the last arena is gone, I/O has answered and every
    /// ghost was evicted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let memory = self.memory;
        Counts {
            arenas: memory.arenas.live(),
            pages: memory.pages.live(),
            file_pages: memory.objects.pages(),
            objects: memory.objects.in_use(),
            free_frames: memory.frames.free_count(),
            withheld_frames: memory.frames.withheld(),
            pinned_frames: memory.frames.pinned,
            swap_reserved: memory.swap.reserved(),
            swap_assigned: memory.swap.assigned(),
            waiting: memory.waiters.waiting(),
            demands: memory.demands.len(),
            flushes: memory.flushes.live(),
            promised: memory.promised,
            in_flight: memory.in_flight,
        }
    }
}

/// How much of everything is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it; the vocabulary is in ARCHITECTURE.md")]
pub struct Counts {
    pub arenas: u32,
    pub pages: u32,
    pub file_pages: u32,
    pub objects: usize,
    pub free_frames: usize,
    pub withheld_frames: u32,
    pub pinned_frames: u32,
    pub swap_reserved: u32,
    pub swap_assigned: u32,
    pub waiting: usize,
    pub demands: usize,
    pub flushes: usize,
    pub promised: u32,
    pub in_flight: u32,
}
