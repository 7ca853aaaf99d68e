//! Quotas: what of the frames the private pages of one client may hold.
//!
//! A client at its quota evicts its own pages, in the order in which they came, with a second chance for those touched
//! since: the core's policy sees all frames and knows no clients. A fault that needs a frame waits here until there is one
//! under the quota, and never in the core, where others would wait behind it.
//!
//! ```text
//! room = most - frames held - faults in the core that may come to hold one
//! ```
//! Frames are counted as the core hands them out, so the quota holds at any moment. Mapped files are everyone's, and count
//! for nobody.

use crate::arenas::Attached;
use crate::frames::{InFlight, Place};
use crate::hardware::PATIENCE;
use crate::machine::Machine;
use crate::requests::No;
use crate::server::Server;
use mager_driver::Io;
use mager_linux_sys::Fault;
use mager_pager::{ArenaId, Denied, Event, FrameNo, Kind, Shown, Site, VirtPage};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Pages asked in vain before one has to leave although it was touched.
const LOOKS: usize = 8;
/// Pages asked at once that cannot leave, pinned or in flight, before others have their turn.
const MOST_TRIED: usize = 1024;
/// Room that is kept for faults to come, at most, and waiting faults that are made room for at once.
const MOST_KEPT: u32 = 64;

/// What is counted for each arena.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    held: u32,
    asked: u32,
    pinned: u32,
}

/// A family's share, and who waits for more.
#[derive(Debug, Default)]
struct Account {
    share: Share,
    /// Where pages came, in that order; some are gone again.
    order: VecDeque<Site>,
    /// Frames that are written so that they leave.
    leaving: Vec<FrameNo>,
    waiting: VecDeque<(ArenaId, Fault)>,
}

/// The accounts of all families.
#[derive(Debug)]
pub(crate) struct Quotas {
    /// Frames that each may hold.
    most: u32,
    accounts: BTreeMap<u64, Account>,
}

impl Quotas {
    /// None where nothing is bounded.
    pub(crate) fn new(most: u32) -> Option<Self> {
        (most < u32::MAX).then(|| Quotas { most, accounts: BTreeMap::new() })
    }

    /// Whether anybody waits.
    pub(crate) fn keep_waiting(&self) -> bool {
        self.accounts.values().any(|account| !account.waiting.is_empty())
    }

    fn kept(&self) -> u32 {
        (self.most / 16).clamp(1, MOST_KEPT)
    }

    fn room(&self, family: u64) -> u32 {
        let share = self.accounts.get(&family).map(|account| account.share).unwrap_or_default();
        self.most.saturating_sub(share.held).saturating_sub(share.asked)
    }

    /// How many pages have to leave.
    fn excess(&self, family: u64) -> u32 {
        let Some(account) = self.accounts.get(&family) else { return 0 };
        let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let (coming, waiting) =
            (self.room(family) + number(account.leaving.len()), number(account.waiting.len()));
        let wanted = waiting.min(MOST_KEPT).max(self.kept());
        if waiting > 0 || coming < self.kept().div_ceil(2) { wanted.saturating_sub(coming) } else { 0 }
    }
}

impl Machine {
    /// Changes what is counted for an arena that is there, and for its family.
    fn count(&mut self, arena: ArenaId, change: impl Fn(&mut Share)) -> Option<&mut Account> {
        let quotas = self.quotas.as_mut()?;
        let record = self.arenas.get_mut(arena)?;
        change(&mut record.share);
        let account = quotas.accounts.entry(record.family).or_default();
        change(&mut account.share);
        Some(account)
    }

    /// A frame has come to hold a page at this place.
    #[inline]
    pub(crate) fn came(&mut self, place: Place) {
        if let (Some(_), Place::Private(at)) = (&self.quotas, place) {
            let account = self.count(at.arena, |share| share.held += 1);
            account.into_iter().for_each(|account| account.order.push_back(at));
        }
    }

    /// A frame at this place has become empty.
    #[inline]
    pub(crate) fn went(&mut self, place: Place) {
        if let (Some(_), Place::Private(at)) = (&self.quotas, place) {
            self.count(at.arena, |share| share.held = share.held.saturating_sub(1));
        }
    }

    /// A fault goes into the core.
    #[inline]
    pub(crate) fn asked(&mut self, arena: ArenaId) {
        if self.quotas.is_some() {
            self.count(arena, |share| share.asked += 1);
        }
    }

    /// A fault is answered.
    #[inline]
    pub(crate) fn answered(&mut self, arena: ArenaId) {
        if self.quotas.is_some() {
            self.count(arena, |share| share.asked = share.asked.saturating_sub(1));
        }
    }

    /// What was counted for an arena that is gone is not its family's any more.
    pub(crate) fn close_share(&mut self, family: u64, share: Share) {
        let last = !self.arenas.iter().any(|arena| arena.family == family);
        let Some(quotas) = &mut self.quotas else { return };
        if last {
            quotas.accounts.remove(&family);
        } else if let Some(Account { share: all, .. }) = quotas.accounts.get_mut(&family) {
            all.held = all.held.saturating_sub(share.held);
            all.asked = all.asked.saturating_sub(share.asked);
            all.pinned = all.pinned.saturating_sub(share.pinned);
        }
    }

    fn still_leaves(&self, frame: FrameNo, family: u64) -> bool {
        let Place::Private(at) = self.frames[frame].place() else { return false };
        self.frames[frame].in_flight() != InFlight::No
            && self.arenas.get(at.arena).is_some_and(|arena| arena.family == family)
    }
}

impl Server {
    /// Room under the quota of an arena's family; `None`: there is none to keep.
    fn room_under_quota(&self, arena: ArenaId) -> Option<u32> {
        let quotas = self.machine.quotas.as_ref()?;
        Some(quotas.room(self.machine.arenas.get(arena)?.family))
    }

    /// How many pages may be read ahead of a fault.
    pub(crate) fn most_ahead(&self, arena: ArenaId) -> u32 {
        match self.room_under_quota(arena) {
            None => self.most_ahead,
            Some(room) => self.most_ahead.min(room.saturating_sub(1)),
        }
    }

    /// Whether a fault has to wait for a frame of its client's own.
    pub(crate) fn waits_for_room(&mut self, at: Site, fault: &Fault) -> bool {
        if self.room_under_quota(at.arena) != Some(0) || !self.needs_frame(at, fault.write) {
            return false;
        }
        let account = self.machine.count(at.arena, |_| ());
        account.into_iter().for_each(|account| account.waiting.push_back((at.arena, *fault)));
        true
    }

    fn needs_frame(&self, at: Site, write: bool) -> bool {
        let view = self.driver.view();
        if view.region(at) != Some(Kind::Swap) {
            return false;
        }
        match view.pte(at).map(|pte| pte.shown) {
            Some(Shown::Page(page)) if view.frame_at(at).is_some() => {
                write && view.page(page).is_none_or(|page| page.sharers.len() > 1)
            }
            Some(Shown::Page(_) | Shown::Untouched | Shown::Unread) | None => true,
        }
    }

    /// Pinned pages are no victims: half of a client's frames must not be.
    pub(crate) fn may_pin(&self, arena: ArenaId, count: u32) -> Result<(), No> {
        let Some(quotas) = &self.machine.quotas else { return Ok(()) };
        let family = self.machine.arenas.get(arena).map_or(0, |arena| arena.family);
        let pinned = quotas.accounts.get(&family).map_or(0, |account| account.share.pinned);
        let most = quotas.most / 2;
        if pinned.saturating_add(count) <= most {
            return Ok(());
        }
        Err(No::new(
            rustix::io::Errno::NOMEM,
            format!("a client can pin {most} pages, half of what it may hold"),
        ))
    }

    pub(crate) fn pinned(&mut self, arena: ArenaId, count: u32) {
        self.machine.count(arena, |share| share.pinned += count);
    }

    pub(crate) fn unpinned(&mut self, arena: ArenaId, count: u32) {
        self.machine.count(arena, |share| share.pinned = share.pinned.saturating_sub(count));
    }

    /// Has pages leave where a client is near its quota, and lets go on who waits for that. Whether anything was done.
    pub(crate) fn relieve(&mut self) -> bool {
        let Some(quotas) = &self.machine.quotas else { return false };
        let families: Vec<u64> = quotas.accounts.keys().copied().collect();
        // Each of them, and not only as long as nothing is done.
        families.into_iter().filter(|&family| self.relieve_one(family)).count() > 0
    }

    fn relieve_one(&mut self, family: u64) -> bool {
        self.forget_what_has_left(family);
        let excess = self.machine.quotas.as_ref().map_or(0, |quotas| quotas.excess(family));
        let evicted = (0..excess).take_while(|_| self.evict_one(family)).count() > 0;
        self.let_in(family) || evicted
    }

    fn account(&mut self, family: u64) -> Option<&mut Account> {
        self.machine.quotas.as_mut()?.accounts.get_mut(&family)
    }

    fn forget_what_has_left(&mut self, family: u64) {
        let Some(account) = self.account(family) else { return };
        let mut leaving = std::mem::take(&mut account.leaving);
        leaving.retain(|&frame| self.machine.still_leaves(frame, family));
        let crowded = self.account(family).is_some_and(|account| {
            account.leaving = leaving;
            account.order.len() > 2 * account.share.held as usize + 1024
        });
        if crowded {
            self.tidy_order(family);
        }
    }

    /// Pages that are gone, or stand there twice, are taken out.
    #[cold]
    fn tidy_order(&mut self, family: u64) {
        let Some(account) = self.account(family) else { return };
        let mut order: Vec<Site> = std::mem::take(&mut account.order).into();
        let mut seen = std::collections::BTreeSet::new();
        order.reverse();
        order.retain(|&at| {
            self.driver.view().frame_at(at).is_some() && seen.insert((at.arena.slot, at.page.0))
        });
        order.reverse();
        self.account(family).into_iter().for_each(|account| account.order = order.iter().copied().collect());
    }

    /// Has one page leave, now or when it is written. `false`: none of the next can.
    fn evict_one(&mut self, family: u64) -> bool {
        let all = self.account(family).map_or(0, |account| account.order.len());
        let mut looks = 0;
        for _ in 0..all.min(MOST_TRIED) {
            let Some(at) = self.account(family).and_then(|account| account.order.pop_front()) else {
                return false;
            };
            let Some(frame) = self.driver.view().frame_at(at) else { continue };
            looks += 1;
            if self.evict(family, at, frame) || looks > LOOKS && self.evict(family, at, frame) {
                return true;
            }
            self.account(family).into_iter().for_each(|account| account.order.push_back(at));
        }
        false
    }

    fn evict(&mut self, family: u64, at: Site, frame: FrameNo) -> bool {
        let before = self.machine.queued.len();
        self.harvest_one(frame);
        self.step(Event::Evict { at });
        if self.driver.view().frame_at(at) != Some(frame) {
            return true;
        }
        let wrote = |io: &Io| matches!(io, Io::Write { frame: written, .. } if *written == frame);
        let leaves = self.machine.queued.iter().skip(before).any(wrote);
        if leaves && let Some(account) = self.account(family) {
            account.leaving.push(frame);
            // If it cannot be written it is asked again.
            account.order.push_back(at);
        }
        leaves
    }

    /// Those who wait go on while there is room. Where nothing can be written they are denied. Whether any did.
    fn let_in(&mut self, family: u64) -> bool {
        let waiting = self.account(family).map_or(0, |account| account.waiting.len());
        (0..waiting).filter(|_| self.let_one_in(family)).count() > 0
    }

    fn let_one_in(&mut self, family: u64) -> bool {
        let room = self.machine.quotas.as_ref().is_some_and(|quotas| quotas.room(family) > 0);
        let hopeless = self.machine.unwritten >= PATIENCE;
        if !room && !hopeless {
            return false;
        }
        let next = self.account(family).and_then(|account| account.waiting.pop_front());
        let Some((arena, fault)) = next else { return false };
        let attached = self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref());
        // Nobody answers for an arena that is gone.
        let Some(&Attached { base, .. }) = attached else { return true };
        if room {
            self.fault(arena, base, &fault, Instant::now());
        } else {
            return self.deny_one(family, (arena, fault), base);
        }
        true
    }

    /// A page that is there cannot be denied: who needs a copy of it waits on.
    fn deny_one(&mut self, family: u64, (arena, fault): (ArenaId, Fault), base: u64) -> bool {
        let page = fault.address.wrapping_sub(base) / u64::from(self.options.page_size);
        let at = Site { arena, page: VirtPage(u32::try_from(page).unwrap_or(u32::MAX)) };
        let there = self.driver.view().frame_at(at).is_some();
        if there {
            self.account(family).into_iter().for_each(|account| account.waiting.push_back((arena, fault)));
        } else {
            self.machine.deny(at, Denied::Io);
        }
        !there
    }
}
