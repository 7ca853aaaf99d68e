//! The threads that fault, and where they run.
//!
//! Waking a thread on another CPU costs five to twenty times what its fault costs, and neither side can chase the other:
//! so the pager, pinned to one CPU, pulls a thread that faults in a tight loop there, and lets it go when it computes. While
//! several fault, and none is pulled, the pager itself runs where it likes.

use crate::heirs;
use crate::home::Home;
use crate::latency::Latency;
use crate::pays::Pays;
use crate::placing::{Placing, Seat, Seated};
use crate::thread::{Guesses, Thread};
use mager_linux_sys::{affinity, online_cpus};
use std::time::{Duration, Instant};

const SLOTS: u16 = 1024;
const RECENT: Duration = Duration::from_millis(10);

/// Threads by the low bits of their number; a newcomer takes the place of another.
#[derive(Debug)]
pub(crate) struct Threads {
    slots: Vec<Option<Thread>>,
    /// The pager's CPU, where threads are pulled at all.
    home: Option<Box<Home>>,
    /// Threads that faulted in the running interval, and in the one before.
    recent: (u32, u32),
    /// The thread that faulted last was the only one of late.
    pub(crate) alone: bool,
    interval: Instant,
    pub(crate) latency: Latency,
    /// Of that, what was waited for the swap file.
    pub(crate) waited: Duration,
    seated: Seated,
    pays: Pays,
    /// When a thread with a seat faulted last.
    needed: Instant,
    /// When a thread that sits apart began or ended to wait for the device last.
    pub(crate) crowded: Instant,
}

impl Threads {
    /// `home`: where to pull threads to.
    pub(crate) fn new(home: Option<Home>) -> Self {
        let slots = std::iter::repeat_with(|| None).take(SLOTS.into()).collect();
        Threads {
            slots,
            home: home.map(Box::new),
            recent: (0, 0),
            alone: true,
            interval: Instant::now(),
            latency: Latency::new(),
            waited: Duration::ZERO,
            seated: Seated::default(),
            pays: Pays::new(Instant::now()),
            needed: Instant::now(),
            crowded: Instant::now(),
        }
    }

    /// A fault of thread `id`, noticed at `now`.
    pub(crate) fn fault(&mut self, id: i32, now: Instant) -> (u16, &mut Guesses) {
        if now - self.interval > RECENT {
            self.recent = (0, self.recent.0);
            self.interval = now;
        }
        let stranger = !self.knows(id);
        if stranger {
            self.meet(id, now);
        }
        let slot = slot_of(id);
        let thread = self.slots[usize::from(slot)].as_mut().expect("threads: this one is known");
        if thread.answered < self.interval || stranger {
            self.recent.0 += 1;
        }
        let n = self.recent.0.max(self.recent.1).max(1);
        self.alone = n == 1;
        let known = thread.gap(now);
        self.place(slot, n, known, now);
        let thread = self.slots[usize::from(slot)].as_mut().expect("threads: this one is known");
        thread.answered = now;
        thread.since.get_or_insert(now);
        (slot, &mut thread.guesses)
    }

    /// Has the thread in this slot, one of `n` that fault, run where it should, and the pager where that is best then.
    /// `known`: enough is newly known of it.
    #[inline]
    fn place(&mut self, slot: u16, n: u32, known: bool, now: Instant) {
        let (Some(home), Some(thread)) = (&mut self.home, &mut self.slots[usize::from(slot)]) else { return };
        if known && let Some(seat) = thread.wants(n, home.others()) {
            thread.wanted = seat;
        }
        let seat = match thread.wanted {
            Seat::Pulled if n > 1 && !self.pays.fault(now) => Seat::Free,
            wanted => wanted,
        };
        if known || seat != thread.placing.seat() {
            thread.sit(seat, home.mask(), &mut self.seated);
        }
        if thread.placing.seat() != Seat::Free {
            self.needed = now;
            home.stay(true);
        } else if known {
            home.stay(n == 1 || thread.at_device || now - self.needed < RECENT);
        }
    }

    /// Makes room for thread `id`, which is not known yet.
    fn meet(&mut self, id: i32, now: Instant) {
        let slot = usize::from(slot_of(id));
        if let Some(mut old) = self.slots[slot].take() {
            old.let_go(&mut self.seated);
        }
        let inherited = self.inherited(id).unwrap_or_default();
        self.seated.moved(Seat::Free, inherited.seat());
        self.slots[slot] = Some(Thread::new(id, now, inherited));
    }

    /// The placing of the thread that has begun this new one, which has its mask.
    fn inherited(&self, id: i32) -> Option<Placing> {
        let home = self.home.as_ref().filter(|_| self.seated.any())?.mask();
        let mask = affinity(id).ok()?;
        let anywhere = mask != *home && online_cpus(home).all(|cpu| mask.is_set(cpu));
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

    /// The threads in these slots go on, each since then; the pager has done what there was to do at `now`, for which one on
    /// its CPU has waited, too.
    pub(crate) fn resumed(&mut self, slots: &mut Vec<(u16, Instant)>, now: Instant) {
        for (slot, answered) in slots.drain(..) {
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
                thread.answered = answered;
            }
        }
    }

    /// Threads that have been quiet for a while run where they like again, and so do heirs.
    pub(crate) fn quiet(&mut self, now: Instant) {
        for thread in self.slots.iter_mut().flatten() {
            if now - thread.answered > RECENT * 10 {
                thread.wanted = Seat::Free;
                thread.let_go(&mut self.seated);
            }
        }
        self.let_heirs_go();
    }

    /// Threads that were begun by one that is not where it likes to be, and have not faulted yet, are let go.
    fn let_heirs_go(&mut self) {
        if !self.seated.any() && self.seated.left.is_empty() {
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
        self.seated.any()
    }

    /// How often one was pulled.
    pub(crate) fn pulls(&self) -> u64 {
        self.seated.pulls
    }

    fn any_pulled(&self) -> bool {
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
        online_cpus(home.mask()).next().and_then(|cpu| u16::try_from(cpu).ok())
    }

    /// Every thread runs where it likes again.
    pub(crate) fn let_all_go(&mut self) {
        self.slots.iter_mut().flatten().for_each(|thread| thread.let_go(&mut self.seated));
        self.let_heirs_go();
    }
}

fn slot_of(id: i32) -> u16 {
    u16::try_from(id.unsigned_abs() % u32::from(SLOTS)).unwrap_or(0)
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.let_all_go();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::GAPS;

    #[test]
    fn a_thread_is_busy_while_it_does_not_wait_for_the_device() {
        let (start, ms) = (Instant::now(), Duration::from_millis(1));
        let mut threads = Threads::new(None);
        for turn in 0..GAPS {
            let now = start + ms * turn;
            let (slot, _) = threads.fault(7, now);
            threads.waits(slot);
            threads.resumed(&mut vec![(slot, now + ms * 3 / 4)], now + ms * 3 / 4);
        }
        let thread = threads.slots[7].as_ref().expect("it was noted");
        assert!(thread.at_device && (200..300).contains(&thread.busy), "{thread:?}");
    }
}
