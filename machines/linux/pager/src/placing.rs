//! Where a faulting thread runs: by its CPU mask, which it gets back.

use mager_linux_sys::{CpuMask, affinity, online_cpus, set_affinity};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seat {
    /// Where it likes.
    Free,
    /// On the pager's CPU.
    Pulled,
    /// On any of its CPUs but the pager's.
    Apart,
}

/// A thread's seat, and the mask that is its own.
#[derive(Clone, Default, Debug)]
pub(crate) struct Placing {
    given: Option<Given>,
    /// It may not be placed.
    refused: bool,
}

#[derive(Clone, Debug)]
struct Given {
    own: Box<CpuMask>,
    mask: Box<CpuMask>,
    seat: Seat,
}

/// How many of those that were let go are remembered.
const MOST_LEFT: usize = 16;

impl Placing {
    pub(crate) fn seat(&self) -> Seat {
        self.given.as_ref().map_or(Seat::Free, |given| given.seat)
    }

    /// Whether this is the mask that it has instead of its own. Threads that it begins have it, too.
    pub(crate) fn has_given(&self, mask: &CpuMask) -> bool {
        self.given.as_ref().is_some_and(|given| *given.mask == *mask)
    }

    /// Its own mask, while it has another.
    pub(crate) fn own(&self) -> Option<&CpuMask> {
        self.given.as_ref().map(|given| &*given.own)
    }

    /// Gives thread `id` a seat, or the same again: a mask that it has chosen itself meanwhile is its own from then on.
    /// `home`: the pager's CPU.
    pub(crate) fn put(&mut self, id: i32, seat: Seat, home: &CpuMask) {
        if seat == Seat::Free {
            return self.let_go(id);
        }
        if self.refused {
            return;
        }
        let Ok(now) = affinity(id) else {
            (self.given, self.refused) = (None, true);
            return;
        };
        let chosen_by_itself = self.given.as_ref().is_none_or(|given| *given.mask != now);
        if chosen_by_itself {
            self.given = None;
        } else if self.seat() == seat {
            return;
        }
        let own = self.given.take().map_or_else(|| Box::new(now), |given| given.own);
        match mask(&own, seat, home).filter(|mask| set_affinity(id, mask).is_ok()) {
            Some(mask) => self.given = Some(Given { own, mask: Box::new(mask), seat }),
            None => {
                let _ = set_affinity(id, &own);
                self.refused = true;
            }
        }
    }

    /// It runs where it likes again. A mask that it has chosen itself meanwhile stays.
    pub(crate) fn let_go(&mut self, id: i32) {
        if let Some(given) = self.given.take()
            && affinity(id).is_ok_and(|now| now == *given.mask)
        {
            let _ = set_affinity(id, &given.own);
        }
    }
}

/// Threads that do not run where they like.
#[derive(Default, Debug)]
pub(crate) struct Seated {
    pub(crate) pulled: u32,
    pub(crate) apart: u32,
    /// How often one was pulled.
    pub(crate) pulls: u64,
    /// The threads that were let go since their heirs were looked for, or the first of them.
    pub(crate) left: Vec<(i32, Placing)>,
}

impl Seated {
    pub(crate) fn any(&self) -> bool {
        self.pulled + self.apart > 0
    }

    /// Thread `id` runs where it likes again, after `placing`.
    pub(crate) fn leaves(&mut self, id: i32, placing: Placing) {
        let seat = placing.seat();
        let known = self.left.iter().any(|(other, before)| *other == id && before.seat() == seat);
        if seat != Seat::Free && !known && self.left.len() < MOST_LEFT {
            self.left.push((id, placing));
        }
    }

    pub(crate) fn moved(&mut self, from: Seat, to: Seat) {
        if from == to {
            return;
        }
        self.pulls += u64::from(to == Seat::Pulled);
        if let Some(count) = self.count(from) {
            *count -= 1;
        }
        if let Some(count) = self.count(to) {
            *count += 1;
        }
    }

    fn count(&mut self, seat: Seat) -> Option<&mut u32> {
        match seat {
            Seat::Free => None,
            Seat::Pulled => Some(&mut self.pulled),
            Seat::Apart => Some(&mut self.apart),
        }
    }
}

/// The CPUs of a seat, if the thread may run there.
fn mask(own: &CpuMask, seat: Seat, home: &CpuMask) -> Option<CpuMask> {
    let mut mask = *own;
    match seat {
        Seat::Free => {}
        Seat::Pulled if online_cpus(home).all(|cpu| own.is_set(cpu)) => mask = *home,
        Seat::Pulled => return None,
        Seat::Apart => online_cpus(home).for_each(|cpu| mask.unset(cpu)),
    }
    online_cpus(&mask).next().map(|_| mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mager_linux_sys::only_cpu;

    fn cpus(cpus: &[usize]) -> CpuMask {
        let mut mask = CpuMask::new();
        cpus.iter().for_each(|&cpu| mask.set(cpu));
        mask
    }

    #[test]
    fn seats_are_where_the_thread_may_run() {
        let (own, home) = (cpus(&[0, 1, 3]), only_cpu(1));
        assert_eq!(mask(&own, Seat::Pulled, &home), Some(home));
        assert_eq!(mask(&own, Seat::Apart, &home), Some(cpus(&[0, 3])));
        assert_eq!(mask(&own, Seat::Pulled, &only_cpu(2)), None, "it may not run there");
        assert_eq!(mask(&home, Seat::Apart, &home), None, "it may run nowhere else");
    }

    #[test]
    fn a_thread_gets_its_own_mask_back_and_keeps_one_that_it_chose() {
        let (mut placing, own) = (Placing::default(), affinity(0).expect("a mask"));
        let home = only_cpu(online_cpus(&own).next().expect("a CPU"));
        placing.put(0, Seat::Pulled, &home);
        assert_eq!((placing.seat(), affinity(0).expect("a mask")), (Seat::Pulled, home));
        placing.put(0, Seat::Free, &home);
        assert_eq!((placing.seat(), affinity(0).expect("a mask")), (Seat::Free, own));

        placing.put(0, Seat::Pulled, &home);
        set_affinity(0, &own).expect("its own CPUs");
        placing.put(0, Seat::Pulled, &home);
        assert_eq!(affinity(0).expect("a mask"), home, "pulled again");
        placing.let_go(0);
        assert_eq!(affinity(0).expect("a mask"), own);
    }

    #[test]
    fn a_thread_sits_apart_only_where_there_is_another_cpu() {
        let (mut placing, own) = (Placing::default(), affinity(0).expect("a mask"));
        let home = only_cpu(online_cpus(&own).next().expect("a CPU"));
        placing.put(0, Seat::Pulled, &home);
        placing.put(0, Seat::Apart, &home);
        let rest = mask(&own, Seat::Apart, &home);
        let seat = if rest.is_some() { Seat::Apart } else { Seat::Free };
        assert_eq!((placing.seat(), affinity(0).expect("a mask")), (seat, rest.unwrap_or(own)));
        placing.let_go(0);
        assert_eq!(affinity(0).expect("a mask"), own);
    }
}
