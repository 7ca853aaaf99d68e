//! Whether pulling several threads to the pager's CPU pays: found out by trying.
//!
//! What it costs to wake a thread on another CPU, and whether that CPU sleeps at all while several threads run, differs between
//! machines by more than what pulling gains. So now and then they all sit the other way for a few milliseconds, and stay so if
//! more of their faults came meanwhile: as each does its work between them, faults are how far they get. As that changes by
//! itself, too, and now and then another program has the CPU, a trial has to be ahead of what was before it and of what is
//! after it, twice. One that is not ends at once.
//!
//! ```text
//!  as known        other way         as known          other way
//! ... | window | settle | window | settle | window | settle | window |   then that is what is known
//!           ^---- more? ----^---- less? ---------^---- more? -----^
//! ```

use std::time::{Duration, Instant};

/// Faults are counted for so long, and so many, at least.
const WINDOW: Duration = Duration::from_millis(5);
const LEAST: u32 = 64;
/// After threads moved, until they are counted.
const SETTLE: Duration = Duration::from_millis(2);
/// From one trial to the next, at first; doubled as long as nothing changes.
const SOON: Duration = Duration::from_millis(30);
const LATE: Duration = Duration::from_millis(480);
/// A trial has to bring so much more.
const MORE: f64 = 1.05;
/// Windows of a trial: the other way, and back, and again.
const STEPS: u32 = 3;

#[derive(Debug)]
pub(crate) struct Pays {
    /// Whether pulling pays, as far as is known.
    known: bool,
    /// Windows of a trial that were ahead so far, while there is one.
    ahead: Option<u32>,
    /// Faults since then, which may be still to come.
    counted: u32,
    since: Instant,
    /// Faults a second in the window before.
    before: f64,
    next: Instant,
    every: Duration,
}

impl Pays {
    pub(crate) fn new(now: Instant) -> Self {
        Pays { known: false, ahead: None, counted: 0, since: now, before: 0.0, next: now + SOON, every: SOON }
    }

    /// One of several threads that may be pulled has faulted. Whether it should be.
    pub(crate) fn fault(&mut self, now: Instant) -> bool {
        if now >= self.since {
            self.counted += 1;
            let passed = now - self.since;
            if passed >= WINDOW && self.counted >= LEAST {
                self.window(f64::from(self.counted) / passed.as_secs_f64(), now);
            }
        }
        self.known != self.tries()
    }

    /// Whether they sit the other way than what is known.
    fn tries(&self) -> bool {
        self.ahead.is_some_and(|ahead| ahead % 2 == 0)
    }

    /// So many came a second.
    fn window(&mut self, rate: f64, now: Instant) {
        let before = std::mem::replace(&mut self.before, rate);
        let side = self.tries();
        let won = if side { rate >= before * MORE } else { rate * MORE <= before };
        self.ahead = match self.ahead {
            None => (now >= self.next).then_some(0),
            Some(_) if !won => self.over(false, now),
            Some(ahead) if ahead + 1 == STEPS => self.over(true, now),
            Some(ahead) => Some(ahead + 1),
        };
        self.counted = 0;
        self.since = if self.tries() == side { now } else { now + SETTLE };
    }

    /// A trial ends.
    fn over(&mut self, pays: bool, now: Instant) -> Option<u32> {
        self.known ^= pays;
        self.every = if pays { SOON } else { (self.every * 2).min(LATE) };
        self.next = now + self.every;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faults for so many seconds, so far apart in microseconds, by whether they are pulled and when. The share that was.
    fn pulled(seconds: u64, apart: impl Fn(bool, Duration) -> f64) -> f64 {
        let start = Instant::now();
        let (mut pays, mut now, mut side, mut pulled) = (Pays::new(start), start, false, Duration::ZERO);
        while now - start < Duration::from_secs(seconds) {
            let gap = Duration::from_secs_f64(apart(side, now - start) / 1e6);
            now += gap;
            pulled += if side { gap } else { Duration::ZERO };
            side = pays.fault(now);
        }
        pulled.as_secs_f64() / (now - start).as_secs_f64()
    }

    #[test]
    fn what_brings_more_faults_is_kept_but_for_trials() {
        let share = pulled(4, |pulled, _| if pulled { 10.0 } else { 20.0 });
        assert!(share > 0.95, "{share}");
        let share = pulled(4, |pulled, _| if pulled { 20.0 } else { 10.0 });
        assert!((0.001..0.05).contains(&share), "{share}");
        let share = pulled(4, |_, _| 15.0);
        assert!((0.001..0.05).contains(&share), "{share}");
    }

    #[test]
    fn it_is_found_out_again_when_that_changes() {
        let second = Duration::from_secs(1);
        let share = pulled(8, |pulled, at| if pulled == (at < second * 4) { 10.0 } else { 20.0 });
        assert!((0.45..0.65).contains(&share), "{share}");
    }

    /// Twice as fast every 25 ms, from before the first trial until after it.
    #[test]
    fn faults_that_come_ever_faster_do_not_speak_for_the_trial() {
        let share = pulled(1, |_, at| (256.0 / (at.as_secs_f64() / 0.025).exp2()).max(4.0));
        assert!(share < 0.05, "{share}");
    }

    #[test]
    fn neither_does_a_pause_before_it() {
        let ms = Duration::from_millis(1);
        let paused = |at| at > ms * 20 && at < ms * 30;
        let share = pulled(1, |_, at| if paused(at) { 1000.0 } else { 10.0 });
        assert!(share < 0.05, "{share}");
    }
}
