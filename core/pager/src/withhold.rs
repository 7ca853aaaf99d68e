//! Frames withheld from circulation: memory that a machine needs for something else, and gives back some day.
//!
//! Only free frames are withheld, and none that a demand waits for: nothing is evicted for it, so it has no effects. As
//! many stay in circulation as are pinned or kept free, and one more, or nobody could go on.

use crate::memory::Memory;
use crate::{Effects, Pager};
use mager_policies::Policy;

impl<P: Policy> Pager<P> {
    /// Withholds up to `count` free frames, and says how many those are.
    pub fn withhold(&mut self, count: u32) -> u32 {
        let most = if self.memory.demands.is_empty() { self.memory.spare() } else { 0 };
        let taken = (0..count.min(most)).map(|_| u32::from(self.memory.frames.withhold())).sum();
        self.resize(taken);
        taken
    }

    /// Gives up to `count` withheld frames back to circulation, and says how many those are.
    pub fn restore(&mut self, count: u32, out: &mut Effects) -> u32 {
        let count = count.min(self.memory.frames.withheld());
        let given = (0..count).map(|_| u32::from(self.memory.frames.restore())).sum();
        self.resize(given);
        self.pump(out);
        given
    }

    /// The policy divides what there is now, if so many frames make a difference.
    fn resize(&mut self, changed: u32) {
        if changed > 0 {
            self.policy.resize(self.memory.holding());
        }
    }
}

impl Memory {
    /// Frames that hold pages, or could.
    pub(crate) fn circulating(&self) -> u32 {
        self.config.usable_frames() - self.frames.withheld()
    }

    /// Frames that hold pages when as many are free as are kept free. Shares of more would be shares of what is never
    /// there: a queue that is to have nine tenths of all frames would never be longer than that, and all that leaves
    /// would leave from the others.
    pub(crate) fn holding(&self) -> u32 {
        self.circulating().saturating_sub(self.config.low_water).max(1)
    }

    /// Frames in circulation beyond those that must be there, free or not.
    fn spare(&self) -> u32 {
        let needed = self.frames.pinned.max(self.config.low_water) + 1;
        self.circulating().saturating_sub(needed)
    }
}
