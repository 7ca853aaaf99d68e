//! What is known of each faulting thread: its sequence, how often it faults, and where it runs.
//!
//! Waking a thread on another CPU costs five to twenty times what its fault costs, and neither side can chase the other:
//! so the pager, pinned to one CPU, pulls a thread that faults in a tight loop there, and lets it go when it computes.
//! `n * gap < 60 us` pulls, `> 90 us` lets go; n: threads that faulted in the last 10 ms; gap: the shortest of the last 32
//! from the answer of a thread's fault to its next. A thread whose faults are far between on average is let go, too: it
//! may wait for a CPU that others keep busy.
//!
//! Three or more that mostly wait for the device sit apart from the pager, which serves some of them while the device reads
//! for others; as long as the other CPUs suffice for what else they do (docs/adr/0021).

use crate::ahead::Streams;
use crate::around::Around;
use crate::heirs;
use crate::latency::Latency;
use crate::placing::{MOST_LEFT, Placing, Seat, Seated};
use mager_linux_sys::{CpuMask, affinity, online_cpus};
use std::time::{Duration, Instant};

const SLOTS: u16 = 1024;
const RECENT: Duration = Duration::from_millis(10);
const PULL_BELOW: Duration = Duration::from_micros(60);
const LET_GO_ABOVE: Duration = Duration::from_micros(90);
const ALONE_BELOW: Duration = Duration::from_millis(1);
/// So many threads that wait for the device in turn are left to other CPUs.
const CROWD: u32 = 3;
/// As long as they keep so many thousandths of each of those busy.
const APART_BELOW: u32 = 700;
const APART_ABOVE: u32 = 1400;
/// How many gaps the shortest is taken of.
const GAPS: u32 = 32;

#[derive(Debug)]
struct Thread {
    id: i32,
    guesses: Guesses,
    /// When its last fault was answered.
    answered: Instant,
    /// When the fault it waits for was noticed.
    since: Option<Instant>,
    /// It waits for the swap file.
    for_device: bool,
    shortest: Duration,
    /// Of the gaps before.
    shortest_before: Duration,
    gaps: u32,
    /// When they began, and how long they took on average before.
    counting: Instant,
    mean: Duration,
    /// Waits for the swap file since gaps are counted, and how long they took.
    waits: u32,
    waited: Duration,
    /// It mostly waited while the gaps before were counted; and the share of that time, in thousandths, in which it did not.
    at_device: bool,
    busy: u32,
    placing: Placing,
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

/// Threads by the low bits of their number; a newcomer takes the place of another.
#[derive(Debug)]
pub(crate) struct Threads {
    slots: Vec<Option<Thread>>,
    /// The CPU the pager is pinned to, where threads are pulled at all.
    home: Option<Box<CpuMask>>,
    /// How many others there are.
    others: u32,
    /// Threads that faulted in the running interval, and in the one before.
    recent: (u32, u32),
    /// The thread that faulted last was the only one of late.
    pub(crate) alone: bool,
    interval: Instant,
    pub(crate) latency: Latency,
    /// Of that, what was waited for the swap file.
    pub(crate) waited: Duration,
    seated: Seated,
    /// When a thread that sits apart began or ended to wait for the device last.
    pub(crate) crowded: Instant,
}

impl Threads {
    /// `home`: where to pull threads to, and how many other CPUs there are.
    pub(crate) fn new(home: Option<(CpuMask, u32)>) -> Self {
        let slots = std::iter::repeat_with(|| None).take(SLOTS.into()).collect();
        Threads {
            slots,
            home: home.map(|(home, _)| Box::new(home)),
            others: home.map_or(0, |(_, others)| others),
            recent: (0, 0),
            alone: true,
            interval: Instant::now(),
            latency: Latency::new(),
            waited: Duration::ZERO,
            seated: Seated::default(),
            crowded: Instant::now(),
        }
    }

    /// A fault of thread `id`, noticed at `now`.
    pub(crate) fn fault(&mut self, id: i32, now: Instant) -> (u16, &mut Guesses) {
        if now - self.interval > RECENT {
            self.recent = (0, self.recent.0);
            self.interval = now;
        }
        let slot = slot_of(id);
        let thread = &mut self.slots[usize::from(slot)];
        let stranger = thread.as_ref().is_none_or(|thread| thread.id != id);
        if stranger && let Some(mut old) = thread.take() {
            old.let_go(&mut self.seated);
        }
        let inherited = if stranger { self.inherited(id) } else { None };
        let thread = self.slots[usize::from(slot)].get_or_insert_with(|| Thread::new(id, now));
        if let Some(inherited) = inherited {
            self.seated.moved(Seat::Free, inherited.seat());
            thread.placing = inherited;
        }
        if thread.answered < self.interval || stranger {
            self.recent.0 += 1;
        }
        let n = self.recent.0.max(self.recent.1).max(1);
        self.alone = n == 1;
        if thread.gap(now)
            && let Some(home) = &self.home
            && let Some(seat) = thread.wants(n, self.others)
        {
            thread.sit(seat, home, &mut self.seated);
        }
        thread.answered = now;
        thread.since.get_or_insert(now);
        (slot, &mut thread.guesses)
    }

    /// The placing of the thread that has begun this new one, which has its mask.
    fn inherited(&self, id: i32) -> Option<Placing> {
        let home = self.home.as_ref().filter(|_| self.any_seated())?;
        let mask = affinity(id).ok()?;
        let anywhere = mask != **home && online_cpus(home).all(|cpu| mask.is_set(cpu));
        if anywhere {
            return None;
        }
        let seated = self.slots.iter().flatten().filter(|thread| thread.placing.has_given(&mask));
        let parent = seated.into_iter().find(|thread| heirs::are_of_one_process(thread.id, id))?;
        Some(parent.placing.clone())
    }

    /// What is known of the thread in this slot.
    pub(crate) fn guesses(&mut self, slot: u16) -> Option<&mut Guesses> {
        self.slots[usize::from(slot)].as_mut().map(|thread| &mut thread.guesses)
    }

    /// The thread in this slot waits for the swap file.
    pub(crate) fn waits(&mut self, slot: u16) {
        if let Some(thread) = &mut self.slots[usize::from(slot)] {
            thread.for_device = true;
            thread.waits += 1;
            if thread.waits_apart() {
                self.crowded = thread.answered;
            }
        }
    }

    /// The threads in these slots go on.
    pub(crate) fn resumed(&mut self, slots: &mut Vec<u16>, now: Instant) {
        for slot in slots.drain(..) {
            if let Some(thread) = &mut self.slots[usize::from(slot)] {
                if thread.waits_apart() {
                    self.crowded = now;
                }
                let for_device = std::mem::take(&mut thread.for_device);
                if let Some(since) = thread.since.take() {
                    let took = now.saturating_duration_since(since);
                    self.latency.note(took);
                    let waited = if for_device { took } else { Duration::ZERO };
                    (self.waited, thread.waited) = (self.waited + waited, thread.waited + waited);
                }
                thread.answered = now;
            }
        }
    }

    /// Threads that have been quiet for a while run where they like again, and so do heirs.
    pub(crate) fn quiet(&mut self, now: Instant) {
        for thread in self.slots.iter_mut().flatten() {
            if now - thread.answered > RECENT * 10 {
                thread.let_go(&mut self.seated);
            }
        }
        self.let_heirs_go();
    }

    /// Threads that were begun by one that is not where it likes to be, and have not faulted yet, are let go.
    fn let_heirs_go(&mut self) {
        if !self.any_seated() && self.seated.left.is_empty() {
            return;
        }
        let left = std::mem::take(&mut self.seated.left);
        let seated = self.slots.iter().flatten().filter(|thread| thread.placing.seat() != Seat::Free);
        let seated = seated.map(|thread| (thread.id, &thread.placing));
        let mut looked_at: Option<(i32, Seat)> = None;
        for (id, placing) in left.iter().map(|(id, placing)| (*id, placing)).chain(seated) {
            let again = |(other, seat)| seat == placing.seat() && heirs::are_of_one_process(other, id);
            if !looked_at.is_some_and(again) {
                heirs::let_go(id, placing, |thread| self.knows(thread));
                looked_at = Some((id, placing.seat()));
            }
        }
    }

    fn knows(&self, id: i32) -> bool {
        self.slots[usize::from(slot_of(id))].as_ref().is_some_and(|thread| thread.id == id)
    }

    /// Whether any thread is kept from where it would run.
    pub(crate) fn any_seated(&self) -> bool {
        self.any_pulled() || self.any_apart()
    }

    /// How often one was pulled.
    pub(crate) fn pulls(&self) -> u64 {
        self.seated.pulls
    }

    pub(crate) fn any_pulled(&self) -> bool {
        self.seated.pulled > 0
    }

    pub(crate) fn any_apart(&self) -> bool {
        self.seated.apart > 0
    }

    /// Whether the thread in this slot waits for the swap file on another CPU, as others do.
    pub(crate) fn waits_apart(&self, slot: u16) -> bool {
        self.slots[usize::from(slot)].as_ref().is_some_and(Thread::waits_apart)
    }

    /// The CPU that threads are pulled to, while any are.
    pub(crate) fn near(&self) -> Option<u16> {
        let home = self.home.as_ref().filter(|_| self.any_pulled())?;
        online_cpus(home).next().and_then(|cpu| u16::try_from(cpu).ok())
    }

    /// Every thread runs where it likes again.
    pub(crate) fn let_all_go(&mut self) {
        self.slots.iter_mut().flatten().for_each(|thread| thread.let_go(&mut self.seated));
        self.let_heirs_go();
    }
}

impl Thread {
    fn new(id: i32, now: Instant) -> Self {
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
            placing: Placing::default(),
        }
    }

    /// Notes the gap before this fault. Whether enough is known to place the thread.
    fn gap(&mut self, now: Instant) -> bool {
        self.shortest = self.shortest.min(now.saturating_duration_since(self.answered));
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
    fn wants(&self, n: u32, others: u32) -> Option<Seat> {
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

    fn sit(&mut self, seat: Seat, home: &CpuMask, seated: &mut Seated) {
        if seat == Seat::Free {
            return self.let_go(seated);
        }
        let before = self.placing.seat();
        self.placing.put(self.id, seat, home);
        seated.moved(before, self.placing.seat());
    }

    fn let_go(&mut self, seated: &mut Seated) {
        let before = self.placing.clone();
        self.placing.let_go(self.id);
        seated.moved(before.seat(), Seat::Free);
        if before.seat() != Seat::Free && seated.left.len() < MOST_LEFT {
            seated.left.push((self.id, before));
        }
    }

    /// Whether it waits for the device on another CPU.
    fn waits_apart(&self) -> bool {
        self.for_device && self.placing.seat() == Seat::Apart
    }
}

fn slot_of(id: i32) -> u16 {
    u16::try_from(id.unsigned_abs() % u32::from(SLOTS)).unwrap_or(0)
}

fn thousandths(part: Duration, whole: Duration) -> u32 {
    u32::try_from(part.as_micros() * 1000 / whole.as_micros().max(1)).unwrap_or(u32::MAX)
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.let_all_go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread whose last gaps were so long at least, and which was busy for so many thousandths of the time.
    fn thread(gap_us: u64, busy: u32, at_device: bool) -> Thread {
        let shortest_before = Duration::from_micros(gap_us);
        let mean = Duration::from_micros(200);
        Thread { shortest_before, mean, busy, at_device, ..Thread::new(1, Instant::now()) }
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

    #[test]
    fn a_thread_is_busy_while_it_does_not_wait_for_the_device() {
        let (start, ms) = (Instant::now(), Duration::from_millis(1));
        let mut threads = Threads::new(None);
        for turn in 0..GAPS {
            let now = start + ms * turn;
            let (slot, _) = threads.fault(7, now);
            threads.waits(slot);
            threads.resumed(&mut vec![slot], now + ms * 3 / 4);
        }
        let thread = threads.slots[7].as_ref().expect("it was noted");
        assert!(thread.at_device && (200..300).contains(&thread.busy), "{thread:?}");
    }
}
