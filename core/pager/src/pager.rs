//! The pager: memory and policy, and the one way in for events.

use crate::memory::Memory;
use crate::state::State;
use crate::view::View;
use crate::{BadConfig, Config, Effect, Effects, Event, ObjectNo, References};
use alloc::vec::Vec;
use mager_policies::{FrameNo, Frames, Gone, Observes, PageNo, Policy};

/// An external pager, as a state machine: events and control calls in, effects out.
///
/// It does no I/O, has no clock and no threads. The same calls give the same effects, always.
#[derive(Debug)]
pub struct Pager<P> {
    pub(crate) memory: Memory,
    pub(crate) policy: P,
    every_access: bool,
}

impl<P: Policy> Pager<P> {
    /// A pager with no arenas. `policy` must be empty and made for `config.frames` frames.
    pub fn new(config: Config, policy: P) -> Result<Self, BadConfig> {
        let every_access = policy.needs() >= Observes::EveryAccess;
        let mut pager = Pager { memory: Memory::new(config.checked()?), policy, every_access };
        if config.low_water > 0 {
            pager.policy.resize(pager.memory.holding());
        }
        Ok(pager)
    }

    /// Takes in one event; what has to be done is appended to `out`.
    ///
    /// Panics if an answer comes for a frame that is not in flight: the driver has broken its contract.
    pub fn step(&mut self, event: Event, out: &mut Effects) {
        match event {
            Event::Fault(fault) => {
                self.memory.counters.faults += 1;
                self.fault(fault, out);
            }
            Event::Read { frame, result } => self.read_answered(frame, result, out),
            Event::Written { frame, result } => self.write_answered(frame, result, out),
            Event::Touched { frame, access: _ } => self.touched(frame),
            Event::Ahead { at, access } => self.ahead(at, access, out),
            Event::Evict { at } => self.evict(at, out),
            Event::Tick => self.tick(out),
        }
        self.pump(out);
    }

    /// A reference bit was harvested. One that comes late, for a frame with other contents, does no harm.
    fn touched(&mut self, frame: FrameNo) {
        let resident = match self.memory.page_in(frame).map(|page| self.memory.pages[page].state()) {
            Some(State::Resident { .. } | State::WritingBack { .. }) => true,
            Some(State::Free | State::Absent | State::Wanted | State::PagingIn(_)) | None => false,
        };
        if resident {
            match self.memory.config.references {
                References::Hardware | References::Sticky => self.memory.reference(frame),
                References::Trap | References::None => {}
            }
            if self.every_access && !self.memory.frames[frame].pinned() {
                self.policy.touched(frame);
            }
        }
    }

    /// `frame` now holds `page` and may be evicted from here on.
    #[inline]
    pub(crate) fn admit(&mut self, frame: FrameNo, page: PageNo) {
        self.memory.reference(frame);
        if !self.memory.frames[frame].pinned() {
            self.memory.frames.evictable += 1;
            self.policy.admit(frame, page);
        }
    }

    /// The policy loses `frame`, which is resident and not in flight.
    #[inline]
    pub(crate) fn retire(&mut self, frame: FrameNo, why: Gone) {
        if !self.memory.frames[frame].pinned() {
            self.memory.frames.evictable -= 1;
            self.policy.remove(frame, why);
        }
    }

    /// The page is gone for good: nothing remembers its number.
    pub(crate) fn free_page(&mut self, page: PageNo, out: &mut Effects) {
        self.policy.forget(page);
        self.memory.free_page(page, out);
    }

    /// Asks the policy for a victim for `incoming`.
    #[inline]
    pub(crate) fn propose(&mut self, incoming: Option<PageNo>, out: &mut Effects) -> Option<FrameNo> {
        if self.memory.frames.evictable == 0 {
            return None;
        }
        self.policy.victim(incoming, &mut Sweep { memory: &mut self.memory, out })
    }

    /// Looks ahead, for who gathers reference bits before they are needed: `touched` is asked about the unreferenced frames
    /// that so many victims will be taken from. That changes nothing; a yes is to come as [`Event::Touched`] before the
    /// victims are needed. `false`: the policy cannot tell.
    pub fn upcoming(&self, victims: u32, touched: &mut dyn FnMut(FrameNo) -> bool) -> bool {
        let memory = &self.memory;
        self.policy.upcoming(victims, &mut |frame| {
            !memory.evictable(frame) || memory.frames[frame].referenced() || touched(frame)
        })
    }

    /// Objects that went out of use since the last call: their names can be dropped.
    #[must_use]
    pub fn forgotten(&mut self) -> Vec<ObjectNo> {
        self.memory.objects.take_forgotten()
    }

    /// Everything there is to see. Faces read only this.
    pub fn view(&self) -> View<'_, P> {
        View::new(&self.memory, &self.policy)
    }

    /// Every invariant, once over all tables: O(everything). Panics with the name of the one that is broken.
    pub fn check(&self) {
        self.memory.check();
        let mut admitted = 0;
        self.policy.order(&mut |frame| {
            admitted += 1;
            let page = self.memory.page_in(frame).expect("policy: it holds a frame without a page");
            let resident = self.memory.pages[page].state().readable_frame() == Some(frame);
            assert!(
                resident && !self.memory.frames[frame].pinned(),
                "policy: frame {frame} is not replaceable"
            );
        });
        assert_eq!(admitted, self.memory.replaceable(), "policy: it holds exactly the replaceable frames");
    }
}

impl Memory {
    /// The page in `frame`, if there is such a frame and a page in it.
    pub(crate) fn page_in(&self, frame: FrameNo) -> Option<PageNo> {
        (frame.0 < self.config.frames).then(|| self.frames[frame].page())?
    }

    /// Sets the reference bit, where there is one.
    pub(crate) fn reference(&mut self, frame: FrameNo) {
        self.frames[frame].set_referenced(self.config.references != References::None);
    }

    /// Takes the reference bit away; where it is emulated, the next touch traps.
    pub(crate) fn unreference(&mut self, frame: FrameNo, out: &mut Effects) {
        self.counters.second_chances += 1;
        self.frames[frame].set_referenced(false);
        let page = self.page_in(frame).expect("policy: it unreferences frames it holds");
        match self.config.references {
            References::Trap => self.protect(page, out),
            References::Sticky => self.clear(page, frame, out),
            References::Hardware | References::None => {}
        }
    }

    /// The bits of all sites that show `frame` are to be taken away.
    fn clear(&mut self, page: PageNo, frame: FrameNo, out: &mut Effects) {
        let Some(first) = self.first_sharer(&self.pages[page]) else { return };
        let mut entry = first;
        loop {
            if self.entries[entry].now().is_some() {
                out.push(Effect::Clear { at: self.entries.site(entry), frame });
            }
            entry = self.next_sharer(entry);
            if entry == first {
                return;
            }
        }
    }

    pub(crate) fn evictable(&self, frame: FrameNo) -> bool {
        let Some(page) = self.page_in(frame) else { return false };
        !self.frames[frame].pinned() && matches!(self.pages[page].state(), State::Resident { .. })
    }
}

/// The core map as the policy sees it while it sweeps.
struct Sweep<'a> {
    memory: &'a mut Memory,
    out: &'a mut Effects,
}

impl Frames for Sweep<'_> {
    #[inline]
    fn evictable(&self, frame: FrameNo) -> bool {
        self.memory.evictable(frame)
    }

    fn dirty(&self, frame: FrameNo) -> bool {
        let page = self.memory.page_in(frame).expect("policy: it asks about frames it holds");
        matches!(
            self.memory.pages[page].state(),
            State::Resident { dirty: true, .. } | State::WritingBack { .. }
        )
    }

    #[inline]
    fn referenced(&self, frame: FrameNo) -> bool {
        self.memory.frames[frame].referenced()
    }

    fn unreference(&mut self, frame: FrameNo) {
        self.memory.unreference(frame, self.out);
    }
}
