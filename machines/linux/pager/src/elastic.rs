//! Compressed pages take frames out of circulation as they need room, and give them back when they need less.
//!
//! ```text
//! bytes that may be packed  <=  withheld frames        at most the share, which is at most --compressed
//! frames in circulation      =  --memory + --compressed - withheld frames
//! packed  [####################........]               what is granted stays ahead of what is used,
//!          used                 ahead                  and shrinks when it is far ahead
//! ```
//! The core withholds free frames only, so that nothing has to leave for this; what is short of frames then works ahead
//! as it does for any fault. A page that finds no room goes to the swap file. A page that comes back leaves a packed copy,
//! so that it can leave again without being packed; not while more than half of what should be packed is.
//!
//! How much of `--compressed` should be used is for [`crate::share`] to say.

use crate::latency::Counts;
use crate::options::Options;
use crate::server::Server;
use crate::share;
use mager_driver::{Control, Outcome};
use mager_stores::{Packed, SwapPlace};
use rustix::time::{ClockId, clock_gettime};

/// Of all that may be packed this part is granted ahead, or as many steps as at least.
const AHEAD_PART: u64 = 64;
const AHEAD_STEPS: u64 = 4;

/// Whether frames are short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pressure {
    /// Frames are about to be written out: room is granted ahead.
    High,
    /// Nobody needs frames: without packed pages there need not be room for any.
    Low,
}

impl Options {
    /// Frames that compressed pages may take out of circulation.
    pub(crate) fn elastic_frames(&self) -> u32 {
        let frames = self.compressed as u64 / u64::from(self.page_size);
        if self.elastic { u32::try_from(frames).unwrap_or(u32::MAX - self.frames) } else { 0 }
    }

    /// All frames, those that compressed pages may take among them.
    #[must_use]
    pub fn all_frames(&self) -> u32 {
        self.frames.saturating_add(self.elastic_frames())
    }
}

impl Server {
    /// Frames that hold pages, or could.
    pub(crate) fn circulating(&self) -> u32 {
        self.options.all_frames() - self.withheld()
    }

    fn withheld(&self) -> u32 {
        self.driver.view().counts().withheld_frames
    }

    /// What compressed memory costs without any page is withheld from the start.
    pub(crate) fn begin_elastic(&mut self) {
        if let Some(packed) = self.elastic() {
            self.machine.backing.grant_packed(0);
            self.machine.backing.aim_packed(self.aim());
            self.withhold_up_to(self.frames_of(packed.used));
        }
    }

    /// Bytes that compressed memory should take at most.
    fn aim(&self) -> u64 {
        let pages =
            if self.has_swap_file() { self.share.aim() } else { self.options.elastic_frames().into() };
        pages * u64::from(self.options.page_size)
    }

    /// Else what is packed has no other place.
    fn has_swap_file(&self) -> bool {
        self.options.swap != SwapPlace::Nowhere
    }

    /// Once enough pages have come back: whether more of them should be packed, or fewer.
    pub(crate) fn share_out(&mut self) {
        let enough = self.has_swap_file() && self.machine.returns.seen >= share::ENOUGH;
        let Some(packed) = self.elastic().filter(|_| enough) else { return };
        let used = packed.used / u64::from(self.options.page_size);
        let now = share::Now { used, packed: self.machine.backing.figures().packed_pages };
        let totals = self.totals();
        let returns = &mut self.machine.returns;
        returns.seen = 0;
        if self.share.decide(now, totals, &returns.lately) {
            returns.lately = Counts::new();
        } else {
            returns.lately.halve();
        }
        self.machine.backing.aim_packed(self.aim());
    }

    fn totals(&self) -> share::Totals {
        let counters = self.driver.view().counters();
        share::Totals {
            evictions: counters.evictions,
            page_ins: counters.page_ins,
            swap_reads: self.machine.swap_reads,
            waited: self.threads.waited,
            computed: clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default(),
            passed: self.uptime(),
        }
    }

    fn elastic(&self) -> Option<Packed> {
        self.machine.backing.packed().filter(|_| self.options.elastic)
    }

    fn frames_of(&self, bytes: u64) -> u32 {
        let frames = bytes.div_ceil(u64::from(self.options.page_size));
        u32::try_from(frames).unwrap_or(u32::MAX).min(self.options.elastic_frames())
    }

    /// What is granted ahead: what one lot of pages written out may need, too.
    fn ahead(&self, packed: &Packed) -> u64 {
        let lot = u64::from(self.low_water) * u64::from(self.options.page_size) / 2;
        (packed.budget / AHEAD_PART).max(AHEAD_STEPS * packed.step).max(lot)
    }

    /// Grants compressed pages room, or takes what they do not need any more.
    pub(crate) fn balance(&mut self, pressure: Pressure) {
        let Some(packed) = self.elastic() else { return };
        let (ahead, aim) = (self.ahead(&packed), self.aim());
        self.machine.copies_go = packed.used * 2 > aim;
        let (withheld, wanted) = (self.withheld(), self.frames_of((packed.used + ahead).min(aim)));
        let idle = pressure == Pressure::Low && self.machine.backing.figures().packed_pages == 0;
        if idle && withheld > self.frames_of(packed.used) {
            self.restore_down_to(packed.used);
        } else if withheld > self.frames_of(packed.used + 3 * ahead) {
            self.restore_down_to(packed.used + ahead);
        } else if withheld > self.frames_of(packed.used.max(aim) + AHEAD_STEPS * packed.step) {
            self.restore_down_to(packed.used.max(aim));
        } else if pressure == Pressure::High && wanted > withheld {
            // Half of what is free is left to faults that come before more is.
            let free = u32::try_from(self.free_frames() / 2).unwrap_or(u32::MAX);
            self.withhold_up_to(wanted.min(withheld.saturating_add(free)));
        }
    }

    /// Pages that came out of compressed memory leave nothing there while room is short: packing them again costs less
    /// than the frame that their copies would take.
    pub(crate) fn drop_copies(&mut self) {
        while let Some(at) = self.machine.unpacked.pop() {
            // One that has left again, or was written to, has given its copy up already or needs it.
            let _ = self.control(Control::Disown(at));
        }
    }

    /// Whatever holds the bytes of frames that are withheld goes first: holes, and what clients could still put there.
    fn withhold_up_to(&mut self, frames: u32) {
        let withheld = self.withheld();
        self.machine.punch_holes();
        let allowed = self.machine.budget.withhold(frames.saturating_sub(withheld));
        let taken = match self.control(Control::Withhold(allowed)) {
            Ok(Outcome::Frames(taken)) => taken,
            Ok(_) | Err(_) => 0,
        };
        self.machine.budget.restore(allowed - taken);
        let bytes = u64::from(withheld + taken) * u64::from(self.options.page_size);
        self.machine.backing.grant_packed(bytes);
    }

    /// Only what the system has back comes into circulation again.
    fn restore_down_to(&mut self, bytes: u64) {
        let granted = self.machine.backing.grant_packed(bytes);
        let surplus = self.withheld().saturating_sub(self.frames_of(granted));
        self.machine.budget.restore(surplus);
        let _ = self.control(Control::Restore(surplus));
    }
}
