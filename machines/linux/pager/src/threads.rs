//! What is known of each faulting thread: its sequence, how often it faults, and where it runs.
//!
//! Waking a thread on another CPU costs five to twenty times what its fault costs, and neither side can chase the other:
//! so the pager, pinned to one CPU, pulls a thread that faults in a tight loop there, and lets it go when it computes.
//! `n * gap < 60 us` pulls, `> 90 us` lets go; n: threads that faulted in the last 10 ms; gap: the shortest of the last 32
//! from the answer of a thread's fault to its next. A thread whose faults are far between on average is let go, too: it
//! may wait for a CPU that others keep busy.

use crate::ahead::Streams;
use crate::around::Around;
use crate::latency::Latency;
use mager_linux_sys::{CpuMask, affinity, online_cpus, set_affinity};
use std::time::{Duration, Instant};

const SLOTS: u16 = 1024;
const RECENT: Duration = Duration::from_millis(10);
const PULL_BELOW: Duration = Duration::from_micros(60);
const LET_GO_ABOVE: Duration = Duration::from_micros(90);
const ALONE_BELOW: Duration = Duration::from_millis(1);
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
    /// Its own mask, while it is pulled, and the one it was pulled with.
    pulled: Option<(Box<CpuMask>, Box<CpuMask>)>,
    /// It may not be pulled.
    refused: bool,
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

enum Placed {
    Pulled,
    LetGo,
    AsItWas,
}

/// Threads by the low bits of their number; a newcomer takes the place of another.
#[derive(Debug)]
pub(crate) struct Threads {
    slots: Vec<Option<Thread>>,
    /// The CPU the pager is pinned to, where threads are pulled at all.
    home: Option<Box<CpuMask>>,
    /// Threads that faulted in the running interval, and in the one before.
    recent: (u32, u32),
    /// The thread that faulted last was the only one of late.
    pub(crate) alone: bool,
    interval: Instant,
    pub(crate) pulls: u64,
    pub(crate) latency: Latency,
    /// Of that, what was waited for the swap file.
    pub(crate) waited: Duration,
    away: u32,
}

impl Threads {
    /// `home`: where to pull threads to.
    pub(crate) fn new(home: Option<CpuMask>) -> Self {
        let slots = std::iter::repeat_with(|| None).take(SLOTS.into()).collect();
        Threads {
            slots,
            home: home.map(Box::new),
            recent: (0, 0),
            alone: true,
            interval: Instant::now(),
            pulls: 0,
            latency: Latency::new(),
            waited: Duration::ZERO,
            away: 0,
        }
    }

    /// A fault of thread `id`, noticed at `now`.
    pub(crate) fn fault(&mut self, id: i32, now: Instant) -> (u16, &mut Guesses) {
        if now - self.interval > RECENT {
            self.recent = (0, self.recent.0);
            self.interval = now;
        }
        let slot = u16::try_from(id.unsigned_abs() % u32::from(SLOTS)).unwrap_or(0);
        let thread = &mut self.slots[usize::from(slot)];
        let stranger = thread.as_ref().is_none_or(|thread| thread.id != id);
        if stranger && let Some(mut old) = thread.take() {
            self.away -= u32::from(old.let_go());
        }
        let thread = thread.get_or_insert_with(|| Thread::new(id, now));
        if thread.answered < self.interval || stranger {
            self.recent.0 += 1;
        }
        let n = self.recent.0.max(self.recent.1).max(1);
        self.alone = n == 1;
        if thread.gap(now)
            && let Some(home) = &self.home
        {
            match thread.place(n, home) {
                Placed::Pulled => (self.pulls, self.away) = (self.pulls + 1, self.away + 1),
                Placed::LetGo => self.away -= 1,
                Placed::AsItWas => {}
            }
        }
        thread.answered = now;
        thread.since.get_or_insert(now);
        (slot, &mut thread.guesses)
    }

    /// What is known of the thread in this slot.
    pub(crate) fn guesses(&mut self, slot: u16) -> Option<&mut Guesses> {
        self.slots[usize::from(slot)].as_mut().map(|thread| &mut thread.guesses)
    }

    /// The thread in this slot waits for the swap file.
    pub(crate) fn waits(&mut self, slot: u16) {
        if let Some(thread) = &mut self.slots[usize::from(slot)] {
            thread.for_device = true;
        }
    }

    /// The threads in these slots go on.
    pub(crate) fn resumed(&mut self, slots: &mut Vec<u16>, now: Instant) {
        for slot in slots.drain(..) {
            if let Some(thread) = &mut self.slots[usize::from(slot)] {
                let for_device = std::mem::take(&mut thread.for_device);
                if let Some(since) = thread.since.take() {
                    let took = now.saturating_duration_since(since);
                    self.latency.note(took);
                    self.waited += if for_device { took } else { Duration::ZERO };
                }
                thread.answered = now;
            }
        }
    }

    /// Threads that have been quiet for a while run where they like again.
    pub(crate) fn quiet(&mut self, now: Instant) {
        for thread in self.slots.iter_mut().flatten() {
            if now - thread.answered > RECENT * 10 {
                self.away -= u32::from(thread.let_go());
            }
        }
    }

    /// Whether any thread is away from where it would run.
    pub(crate) fn any_pulled(&self) -> bool {
        self.away > 0
    }

    /// The CPU that threads are pulled to, while any are.
    pub(crate) fn near(&self) -> Option<u16> {
        let home = self.home.as_ref().filter(|_| self.away > 0)?;
        online_cpus(home).next().and_then(|cpu| u16::try_from(cpu).ok())
    }

    /// Every thread runs where it likes again.
    pub(crate) fn let_all_go(&mut self) {
        self.slots.iter_mut().flatten().for_each(|thread| _ = thread.let_go());
        self.away = 0;
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
            pulled: None,
            refused: false,
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
        (self.mean, self.counting) = (now.saturating_duration_since(self.counting) / GAPS, now);
        true
    }

    /// Pulls the thread or lets it go, as it pays.
    fn place(&mut self, n: u32, home: &CpuMask) -> Placed {
        let gap = self.shortest_before;
        let rare = self.mean > ALONE_BELOW;
        let near = !rare && if n == 1 { gap < ALONE_BELOW } else { gap.saturating_mul(n) < PULL_BELOW };
        let far = rare || if n == 1 { gap > ALONE_BELOW } else { gap.saturating_mul(n) > LET_GO_ABOVE };
        if near && !self.refused {
            let was_away = self.pulled.is_some();
            self.pull(home);
            return match (was_away, self.pulled.is_some()) {
                (false, true) => Placed::Pulled,
                (true, false) => Placed::LetGo,
                (false, false) | (true, true) => Placed::AsItWas,
            };
        }
        if far && self.let_go() { Placed::LetGo } else { Placed::AsItWas }
    }

    /// Pulls it, or pulls it again: it may have chosen another mask meanwhile, which is its own from then on.
    fn pull(&mut self, home: &CpuMask) {
        match affinity(self.id) {
            Ok(now) if self.pulled.is_some() && now == *home => {}
            // Where it may not run it is not pulled.
            Ok(now) if !online_cpus(home).all(|cpu| now.is_set(cpu)) => {
                (self.pulled, self.refused) = (None, true);
            }
            Ok(now) if set_affinity(self.id, home).is_ok() => {
                self.pulled = Some((Box::new(now), Box::new(*home)));
            }
            Ok(_) | Err(_) => self.refused = true,
        }
    }

    /// Whether it was away. A mask that it has chosen itself meanwhile stays.
    fn let_go(&mut self) -> bool {
        let Some((mask, home)) = self.pulled.take() else { return false };
        if affinity(self.id).is_ok_and(|now| now == *home) {
            let _ = set_affinity(self.id, &mask);
        }
        true
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.let_all_go();
    }
}
