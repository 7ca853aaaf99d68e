//! What is known of a faulting thread: its sequence, how often it faults, what it waits for, and where it should run.
//!
//! `n * gap < 60 us` pulls it to the pager's CPU, `> 90 us` lets it go; n: threads that faulted in the last 10 ms; gap: the
//! shortest, among its last 32 faults, from the answer of one to the next. One whose faults are far between on average is let
//! go, too: it may wait for a CPU that others keep busy. Of several, that says which could be pulled; whether that pays is found
//! out by trying.
//!
//! Three or more that mostly wait for the device sit apart from the pager, which serves some of them while the device reads
//! for others; as long as the other CPUs suffice for what else they do (docs/adr/0021).

use crate::ahead::Streams;
use crate::around::Around;
use crate::placing::{Placing, Seat, Seated};
use mager_linux_sys::CpuMask;
use std::time::{Duration, Instant};

const PULL_BELOW: Duration = Duration::from_micros(60);
const LET_GO_ABOVE: Duration = Duration::from_micros(90);
const ALONE_BELOW: Duration = Duration::from_millis(1);
/// So many threads that wait for the device in turn are left to other CPUs.
const CROWD: u32 = 3;
/// As long as they keep so many thousandths of each of those busy.
const APART_BELOW: u32 = 700;
const APART_ABOVE: u32 = 1400;
/// Between so many faults the shortest gap is looked for.
pub(crate) const GAPS: u32 = 32;

#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) id: i32,
    pub(crate) guesses: Guesses,
    /// When its last fault was answered.
    pub(crate) answered: Instant,
    /// When the fault it waits for was noticed.
    pub(crate) since: Option<Instant>,
    /// It waits for the swap file.
    pub(crate) for_device: bool,
    shortest: Duration,
    /// Of the gaps before.
    shortest_before: Duration,
    gaps: u32,
    /// When they began, and how long they took on average before.
    counting: Instant,
    mean: Duration,
    /// Waits for the swap file since gaps are counted, and how long they took.
    pub(crate) waits: u32,
    pub(crate) waited: Duration,
    /// It mostly waited while the gaps before were counted; and the share of that time, in thousandths, in which it did not.
    pub(crate) at_device: bool,
    pub(crate) busy: u32,
    /// Where it should run, but for whether pulling several pays.
    pub(crate) wanted: Seat,
    pub(crate) placing: Placing,
}

/// What a thread will touch, by what it touched before.
#[derive(Clone, Default, Debug)]
pub(crate) struct Guesses {
    pub(crate) streams: Streams,
    pub(crate) around: Around,
}

impl Guesses {
    /// A page that is in memory, or comes already, was touched. Whether that goes on with a guess, as if it had not been
    /// there.
    pub(crate) fn confirmed(&mut self, arena: u32, page: u32) -> bool {
        self.around.touched(arena, page) || self.streams.confirmed(arena, page)
    }
}

impl Thread {
    pub(crate) fn new(id: i32, now: Instant, placing: Placing) -> Self {
        Thread {
            id,
            guesses: Guesses::default(),
            answered: now,
            since: None,
            for_device: false,
            shortest: Duration::MAX,
            shortest_before: Duration::MAX,
            gaps: 0,
            counting: now,
            mean: Duration::MAX,
            waits: 0,
            waited: Duration::ZERO,
            at_device: false,
            busy: 0,
            wanted: Seat::Free,
            placing,
        }
    }

    /// Notes the gap before this fault. Whether enough is known to place the thread.
    pub(crate) fn gap(&mut self, now: Instant) -> bool {
        // The one before these faults is another lot's; before a thread's first fault there was none at all.
        if self.gaps > 0 {
            self.shortest = self.shortest.min(now.saturating_duration_since(self.answered));
        }
        self.gaps += 1;
        if self.gaps < GAPS {
            return false;
        }
        (self.shortest_before, self.shortest, self.gaps) = (self.shortest, Duration::MAX, 0);
        let took = now.saturating_duration_since(self.counting);
        (self.mean, self.counting) = (took / GAPS, now);
        self.at_device = std::mem::take(&mut self.waits) * 2 > GAPS;
        let busy = took.saturating_sub(std::mem::take(&mut self.waited));
        self.busy = thousandths(busy, took);
        true
    }

    /// Where it should run, if that is clear. `n`: threads that fault.
    pub(crate) fn wants(&self, n: u32, others: u32) -> Option<Seat> {
        let gap = self.shortest_before;
        let rare = self.mean > ALONE_BELOW;
        let near = !rare && if n == 1 { gap < ALONE_BELOW } else { gap.saturating_mul(n) < PULL_BELOW };
        let far = rare || if n == 1 { gap > ALONE_BELOW } else { gap.saturating_mul(n) > LET_GO_ABOVE };
        match (near, far) {
            _ if self.fits_apart(n, others) => Some(Seat::Apart),
            (true, _) => Some(Seat::Pulled),
            (false, true) => Some(Seat::Free),
            (false, false) => None,
        }
    }

    /// Whether `n` of its kind leave the device something to do, and have enough of the other CPUs.
    fn fits_apart(&self, n: u32, others: u32) -> bool {
        let most = if self.placing.seat() == Seat::Apart { APART_ABOVE } else { APART_BELOW };
        n >= CROWD && self.at_device && self.busy.saturating_mul(n) < others.saturating_mul(most)
    }

    pub(crate) fn sit(&mut self, seat: Seat, home: &CpuMask, seated: &mut Seated) {
        if seat == Seat::Free {
            return self.let_go(seated);
        }
        let before = self.placing.seat();
        self.placing.put(self.id, seat, home);
        seated.moved(before, self.placing.seat());
    }

    pub(crate) fn let_go(&mut self, seated: &mut Seated) {
        let before = self.placing.clone();
        self.placing.let_go(self.id);
        seated.moved(before.seat(), Seat::Free);
        seated.leaves(self.id, before);
    }

    /// Whether it waits for the device on another CPU.
    pub(crate) fn waits_apart(&self) -> bool {
        self.for_device && self.placing.seat() == Seat::Apart
    }
}

fn thousandths(part: Duration, whole: Duration) -> u32 {
    u32::try_from(part.as_micros() * 1000 / whole.as_micros().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread whose last gaps were so long at least, and which was busy for so many thousandths of the time.
    fn thread(gap_us: u64, busy: u32, at_device: bool) -> Thread {
        let shortest_before = Duration::from_micros(gap_us);
        let mean = Duration::from_micros(200);
        Thread {
            shortest_before,
            mean,
            busy,
            at_device,
            ..Thread::new(1, Instant::now(), Placing::default())
        }
    }

    #[test]
    fn tight_loops_are_pulled_and_others_are_not() {
        let wants = |gap, n| thread(gap, 500, false).wants(n, 1);
        assert_eq!([wants(5, 1), wants(5, 8), wants(5, 16)], [Some(Seat::Pulled), Some(Seat::Pulled), None]);
        assert_eq!([wants(2_000, 1), wants(12, 8)], [Some(Seat::Free), Some(Seat::Free)]);
    }

    #[test]
    fn crowds_that_wait_for_the_device_sit_apart_as_long_as_the_other_cpus_suffice() {
        let wants = |busy, n, others| thread(5, busy, true).wants(n, others);
        assert_eq!(wants(80, 8, 1), Some(Seat::Apart));
        assert_eq!(wants(80, 2, 1), Some(Seat::Pulled), "two are no crowd");
        assert_eq!(wants(200, 8, 1), Some(Seat::Pulled), "they need more than one CPU");
        assert_eq!(wants(200, 8, 3), Some(Seat::Apart));
        assert_eq!(wants(0, 8, 0), Some(Seat::Pulled), "there is no other CPU");
    }
}
