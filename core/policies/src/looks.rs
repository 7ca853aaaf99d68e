//! When a policy should look at all its frames: now and then, so that what a look costs is shared by many faults.

/// Counts admissions and ticks until the next look is due.
#[derive(Clone, Debug)]
pub(crate) struct Looks {
    period: u32,
    since: u32,
    due: bool,
}

impl Looks {
    /// A look is due after every `period` admissions, and after every tick.
    pub(crate) fn every(period: u32) -> Self {
        Looks { period: period.max(1), since: 0, due: false }
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
