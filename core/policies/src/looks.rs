//! When a policy should look at all its frames: now and then, so that what a look costs is shared by many faults.

use crate::options::scaled;

/// Counts admissions and ticks until the next look is due.
#[derive(Clone, Debug)]
pub(crate) struct Looks {
    period: u32,
    /// The period where all frames are in circulation.
    whole: u32,
    since: u32,
    due: bool,
}

impl Looks {
    /// A look is due after every `period` admissions, and after every tick.
    pub(crate) fn every(period: u32) -> Self {
        let period = period.max(1);
        Looks { period, whole: period, since: 0, due: false }
    }

    /// The period is that of `frames` out of `all`.
    pub(crate) fn resize(&mut self, frames: u32, all: u32) {
        self.period = scaled(self.whole, frames, all).max(1);
    }

    pub(crate) fn admitted(&mut self) {
        self.since += 1;
        self.due |= self.since >= self.period;
    }

    pub(crate) fn tick(&mut self) {
        self.due = true;
    }

    /// Whether a look is due; if so, counting starts again.
    pub(crate) fn take(&mut self) -> bool {
        if self.due {
            self.since = 0;
        }
        core::mem::take(&mut self.due)
    }
}
