//! How much of what compressed pages may take they should: what costs the least, by how soon pages come back.
//!
//! A page that comes back after n evictions would not have left with n frames more, and is unpacked if no more than n are
//! packed (`returns`). So what happened of late tells what another share would have cost:
//!
//! ```text
//! evictions until a page comes back
//! 0 ............. more ............. more + packed ............>
//! | is in memory  | is unpacked      | is read from the swap file
//! | nothing       | a turn           | a wait
//! ```
//! `more`: frames that the share leaves beyond those of now. Where it takes some, as many pages come back within so many
//! evictions that did not leave before as came within so many again: near enough for one step, after which all is
//! counted anew.
//! A turn is what the pager computes for each page that leaves, a wait what a thread waits for each page that is read.
//! Of pages that come back early enough to be unpacked some are not, as they hardly compress or have a copy in the swap
//! file: this part is measured, too.

use crate::latency::Counts;
use std::time::Duration;

/// Returns that are counted before anything is concluded, of those that are watched.
pub(crate) const ENOUGH: u64 = 128;
/// Shares that are compared.
const STEPS: u64 = 16;
/// This part is packed before anything is known, and is what is added at a time.
const START: u64 = 4;
/// Bytes of pages to a byte of compressed memory, as long as none are there to measure it.
const RATIO: f64 = 2.5;
/// What is assumed of a swap file that was not waited for yet.
const WAIT: Duration = Duration::from_micros(50);

/// Counts since the start.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Totals {
    pub(crate) evictions: u64,
    pub(crate) page_ins: u64,
    pub(crate) swap_reads: u64,
    /// What all threads together waited for those.
    pub(crate) waited: Duration,
    /// What the pager computed.
    pub(crate) computed: Duration,
    pub(crate) passed: Duration,
}

/// What compressed memory has now, in pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// What it takes.
    pub(crate) used: u64,
    /// What it holds.
    pub(crate) packed: u64,
}

#[derive(Debug)]
pub(crate) struct Share {
    /// What compressed pages may take, and what of that they should, in pages.
    all: u64,
    aim: u64,
    before: Totals,
    turn: f64,
    wait: f64,
    ratio: f64,
    /// Of the pages that come back early enough to be unpacked, those that are.
    found: f64,
}

impl Share {
    pub(crate) fn new(all: u64) -> Self {
        let (before, wait) = (Totals::default(), WAIT.as_secs_f64());
        Share { all, aim: all / START, before, turn: wait / 4.0, wait, ratio: RATIO, found: 1.0 }
    }

    /// Pages that compressed memory should take.
    pub(crate) fn aim(&self) -> u64 {
        self.aim
    }

    /// Looks at how soon pages came back of late. Whether the aim is another one now.
    pub(crate) fn decide(&mut self, now: Now, totals: Totals, returns: &Counts) -> bool {
        self.measure(now, totals, returns);
        let cost = |aim: u64| self.cost(aim, now, returns);
        let shares = (0..=STEPS).map(|number| self.all * number / STEPS);
        let Some(best) = shares.min_by(|&a, &b| cost(a).total_cmp(&cost(b))) else { return false };
        // Fewer were seen to be better off; that more would be is a guess, and is tried out.
        let next = best.min(self.aim + self.all / START);
        let seen = real(returns.iter().map(|(_, count)| count).sum::<u64>().max(1));
        let present = self.aim.min(now.used);
        let worth = next != self.aim && cost(best) < cost(present) * (1.0 - 1.0 / seen.sqrt());
        if worth {
            self.aim = next;
        }
        worth
    }

    fn measure(&mut self, now: Now, totals: Totals, returns: &Counts) {
        let before = std::mem::replace(&mut self.before, totals);
        let reads = totals.swap_reads - before.swap_reads;
        if let Some(turn) = per(totals.computed - before.computed, totals.evictions - before.evictions) {
            self.turn = turn;
        }
        // Threads that wait together wait for the same time.
        let waited = (totals.waited - before.waited).min(totals.passed - before.passed);
        if let Some(wait) = per(waited, reads) {
            self.wait = wait.max(self.turn);
        }
        // What a few pages take is mostly tables.
        if now.packed > self.all / STEPS && now.used > 0 {
            self.ratio = real(now.packed) / real(now.used);
        }
        let early = part(returns, |after| after <= now.packed);
        let unpacked = 1.0 - real(reads) / real((totals.page_ins - before.page_ins).max(1));
        // With few to be found nothing is known; it is taken for better than it was, so that it is tried again.
        self.found =
            if early > 0.05 { (unpacked / early).clamp(0.0, 1.0) } else { (self.found * 15.0 + 1.0) / 16.0 };
    }

    fn cost(&self, aim: u64, now: Now, returns: &Counts) -> f64 {
        let more = real(now.used) - real(aim);
        let reach = more + self.ratio * real(aim);
        let unpacked = self.found * self.turn + (1.0 - self.found) * self.wait;
        returns.iter().fold(0.0, |sum, (after, count)| {
            let after = real(after);
            let each = if after <= more {
                0.0
            } else if after <= reach {
                unpacked
            } else {
                self.wait
            };
            let leave_anew = if after <= -more { unpacked } else { 0.0 };
            sum + real(count) * (each + leave_anew)
        })
    }
}

fn per(time: Duration, count: u64) -> Option<f64> {
    (count > 0).then(|| time.as_secs_f64() / real(count))
}

/// Which part of what was counted is so.
fn part(returns: &Counts, is: impl Fn(u64) -> bool) -> f64 {
    let (some, all) = returns
        .iter()
        .fold((0, 0), |(some, all), (bound, count)| (some + if is(bound) { count } else { 0 }, all + count));
    real(some) / real(all.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "estimates")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = 8_000;

    /// A second later, in which 10,000 pages came back, so many of them from the swap file; turns of 10 us, waits of 40.
    fn later(before: Totals, from_file: u64) -> Totals {
        Totals {
            evictions: before.evictions + 10_000,
            page_ins: before.page_ins + 10_000,
            swap_reads: before.swap_reads + from_file,
            waited: before.waited + Duration::from_micros(40 * from_file),
            computed: before.computed + Duration::from_micros(10) * 10_000,
            passed: before.passed + Duration::from_secs(1),
        }
    }

    /// Pages that came back after `from` to `to` evictions, each number as often as any.
    fn evenly(from: u64, to: u64) -> Counts {
        let mut counts = Counts::new();
        (from..to).step_by(10).for_each(|after| counts.note(after));
        counts
    }

    /// What is aimed at in the end, where pages pack to a third and come back as `returns` says with no frames withheld.
    fn settles(returns: impl Fn(u64) -> (u64, u64)) -> u64 {
        let mut share = Share::new(ALL);
        for _ in 0..40 {
            let used = share.aim();
            let (from, to) = returns(used);
            let reach = (3 * used).clamp(from, to);
            let from_file = 10_000 * (to - reach) / (to - from).max(1);
            let now = Now { used, packed: 3 * used };
            share.decide(now, later(share.before, from_file), &evenly(from, to));
        }
        share.aim()
    }

    /// All pages of 40,000 are as likely to be next: what is not in memory comes back at any time.
    #[test]
    fn where_any_page_may_be_next_all_that_may_be_packed_is() {
        let aim = settles(|used| (1, 32_000 + used));
        assert!(aim > ALL * 3 / 4, "{aim}");
    }

    /// The frames and those that are packed have room for the loop, the frames alone have not.
    #[test]
    fn a_loop_that_fits_when_packed_is_packed() {
        let aim = settles(|used| (9_000 + used, 9_100 + used));
        assert!((9_100 / 2..=9_100 / 2 + ALL / 4).contains(&aim), "{aim}");
    }

    /// With all frames in circulation every page that was ever asked for again would be in memory.
    #[test]
    fn what_a_few_frames_more_would_keep_is_not_packed() {
        assert_eq!(settles(|used| (1, used.max(2))), 0);
    }

    /// A loop far longer than either.
    #[test]
    fn what_comes_back_later_than_anything_could_be_kept_changes_nothing() {
        assert_eq!(settles(|used| (100_000 + used, 110_000 + used)), ALL / 4);
    }

    #[test]
    fn few_returns_in_no_favour_change_nothing() {
        let mut share = Share::new(ALL);
        let now = Now { used: 2_000, packed: 6_000 };
        assert!(!share.decide(now, later(Totals::default(), 5_000), &Counts::new()));
    }
}
