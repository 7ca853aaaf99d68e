//! The lab's `live` mode and the core count the same: page-ins and write-backs, for every policy that runs live.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mager_driver::{Driver, Hardware, Io, Paging};
use mager_lab::{Access, Mode, simulation};
use mager_pager::{Config, Denied, Event, Fault, FrameNo, References, Sharing, Site, Ticket, VirtPage};
use mager_policies::{Any, Observes, Policy};
use mager_trace::Random;
use std::collections::{HashMap, VecDeque};

/// Mappings and counts; every transfer is answered at once.
#[derive(Default)]
struct Machine {
    shown: HashMap<Site, mager_pager::Access>,
    answers: VecDeque<Event>,
    reads: u64,
    writes: u64,
}

impl Hardware for Machine {
    fn map(&mut self, at: Site, _: FrameNo, access: mager_pager::Access) {
        self.shown.insert(at, access);
    }
    fn unmap(&mut self, at: Site, _: FrameNo) {
        self.shown.remove(&at);
    }
    fn zero(&mut self, _: FrameNo, _: Site) {}
    fn copy(&mut self, _: FrameNo, _: FrameNo, _: Site) {}
    fn resume(&mut self, _: Ticket, outcome: Result<(), Denied>) {
        assert_eq!(outcome, Ok(()));
    }
}

impl Paging for Machine {
    fn start(&mut self, io: Io) {
        match io {
            Io::Read { frame, .. } => {
                self.reads += 1;
                self.answers.push_back(Event::Read { frame, result: Ok(()) });
            }
            Io::Write { frame, .. } => {
                self.writes += 1;
                self.answers.push_back(Event::Written { frame, result: Ok(()) });
            }
        }
    }
    fn finished(&mut self) -> Option<Event> {
        self.answers.pop_front()
    }
}

fn trace(seed: u64, pages: u64) -> Vec<(u32, bool)> {
    let mut random = Random::new(seed);
    let skewed = |random: &mut Random| random.below(pages).min(random.below(pages));
    let one = |number: u64, random: &mut Random| {
        let page = if number % 900 < 150 { number % pages } else { skewed(random) };
        (u32::try_from(page).unwrap(), random.below(3) == 0)
    };
    (0..6000).map(|number| one(number, &mut random)).collect()
}

/// Page-ins and write-backs of the core.
fn by_core(policy: &str, frames: u32, pages: u32, trace: &[(u32, bool)]) -> (u64, u64) {
    let config = Config {
        page_size: 4096,
        arena_pages: pages,
        arena_base: 0,
        frames,
        swap_blocks: pages,
        references: References::Trap,
        sharing: Sharing::Frame,
        low_water: 0,
    };
    let mut machine = Machine::default();
    let mut driver = Driver::new(config, Any::new(policy, frames).unwrap(), ()).unwrap();
    let arena = driver.create(&mut machine).unwrap();
    for _ in 0..pages {
        driver.map_swap(arena, &mut machine).unwrap();
    }
    for &(page, write) in trace {
        let at = Site { arena, page: VirtPage(page) };
        let access = if write { mager_pager::Access::Write } else { mager_pager::Access::Read };
        if machine.shown.get(&at).is_none_or(|&shown| shown < access) {
            driver.deliver(Event::Fault(Fault { at, access, who: Ticket(0) }), &mut machine);
        }
    }
    driver.pager().check();
    (machine.reads, machine.writes)
}

fn by_lab(policy: &str, frames: u32, trace: &[(u32, bool)]) -> (u64, u64) {
    let mut sim = simulation(policy, frames, Mode::Live).unwrap();
    let accesses: Vec<Access> = trace.iter().map(|&(page, write)| Access::new(page, write)).collect();
    sim.run(&accesses, &[]);
    (sim.counts().page_ins, sim.counts().write_backs)
}

#[test]
fn live_mode_counts_what_the_core_does() {
    let live = |name: &&&str| Any::new(name, 1).unwrap().needs() <= Observes::ReferenceBits;
    let policies: Vec<&&str> = Any::NAMES.iter().filter(live).collect();
    assert!(policies.len() >= 12, "most policies run live");
    for policy in policies {
        for (seed, frames, pages) in
            [(1, 2, 9), (2, 5, 20), (3, 17, 40), (4, 60, 100), (5, 33, 250), (6, 80, 90)]
        {
            let trace = trace(seed, u64::from(pages));
            let (core, lab) = (by_core(policy, frames, pages, &trace), by_lab(policy, frames, &trace));
            assert_eq!(
                core, lab,
                "{policy}, {frames} frames, {pages} pages: page-ins and write-backs, core and lab"
            );
            assert!(core.0 > 0 && core.1 > 0, "the trace is larger than memory");
        }
    }
}
