//! The world: CPUs, machine, pager and oracle, driven by one operation after the other.
//!
//! Owns the order in which things happen. Accesses and resumes are in `cpu`, control calls in `calls`, and what
//! must be true between steps and at the end in `audit`. Whatever is wrong is a panic with its name, as it is in
//! the core itself; [`crate::run`] turns it into a failure with a seed.

use crate::cpu::Cpu;
use crate::log::Log;
use crate::op::{Direction, How, Name, Op};
use crate::setup::{Contents, NAMES, Setup};
use crate::side::Side;
use mager_driver::{Control, Driver, Outcome};
use mager_pager::{
    Access, ArenaId, Counters, Event, FrameNo, ObjectNo, Shown, Site, State, Ticket, VirtPage,
};
use mager_policies::{Any, Observes, Policy};

/// What a run has done so far.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Loads and stores that went through and were held against the oracle.
    pub accesses: u64,
    /// Those of them that faulted.
    pub faulted: u64,
    /// Those of them that looked whether their page is shared.
    pub sampled: u64,
    /// Those of these that found it shared.
    pub shared: u64,
    /// Accesses that were denied, for a reason.
    pub denied: u64,
    /// Operations that made sense.
    pub operations: u64,
    /// Events and control calls the core took in.
    pub steps: u64,
    /// Times every invariant was checked.
    pub checks: u64,
    /// I/Os answered.
    pub ios: u64,
    /// I/Os that failed.
    pub failures: u64,
    /// Frames surrendered by their pages.
    pub evictions: u64,
    /// Copies and steals after a fork.
    pub copies: u64,
}

impl Stats {
    /// Adds another run's.
    pub fn add(&mut self, other: &Stats) {
        self.accesses += other.accesses;
        self.faulted += other.faulted;
        self.sampled += other.sampled;
        self.shared += other.shared;
        self.denied += other.denied;
        self.operations += other.operations;
        self.steps += other.steps;
        self.checks += other.checks;
        self.ios += other.ios;
        self.failures += other.failures;
        self.evictions += other.evictions;
        self.copies += other.copies;
    }
}

/// A flush somebody waits for.
#[derive(Debug)]
pub(crate) struct Flushing {
    pub(crate) who: Ticket,
    pub(crate) what: Option<ObjectNo>,
    /// What every file held when it was asked for.
    pub(crate) then: Vec<Vec<Contents>>,
    pub(crate) failures_then: u64,
}

/// How closely a run is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watch {
    /// Every invariant is checked after each so many steps; 0: only at the end.
    pub check_every: u32,
    /// The run is replayed at its end.
    pub replay: bool,
    /// The run is told.
    pub story: bool,
}

impl Watch {
    /// Everything after every step.
    pub const CLOSELY: Watch = Watch { check_every: 1, replay: true, story: false };
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub(crate) setup: Setup,
    pub(crate) watch: Watch,
    pub(crate) driver: Driver<Any, Log>,
    pub(crate) side: Side,
    pub(crate) ended: [Option<ArenaId>; NAMES as usize],
    pub(crate) flushing: Vec<Flushing>,
    /// Faults that no CPU took.
    pub(crate) nobodys: Vec<Ticket>,
    pub(crate) tickets: u64,
    /// Where I/O takes no time: how the next one ends.
    pub(crate) next_how: How,
    since_check: u32,
    pub(crate) until_sample: u32,
}

pub(crate) fn policy(setup: &Setup) -> Any {
    Any::new(setup.policy, setup.frames).expect("setup: the policy is one of the known ones")
}

impl World {
    /// A world in which nothing has happened yet.
    #[must_use]
    pub fn new(setup: Setup, watch: Watch) -> Self {
        let policy = policy(&setup);
        let sees_every_access = policy.needs() >= Observes::EveryAccess;
        let log = Log::new(watch.replay, watch.story);
        World {
            driver: Driver::new(setup.config(), policy, log).expect("setup: it makes a possible pager"),
            side: Side::new(&setup, sees_every_access),
            ended: [None; NAMES as usize],
            flushing: Vec::new(),
            nobodys: Vec::new(),
            tickets: 0,
            next_how: How::Fine,
            since_check: 0,
            until_sample: 0,
            setup,
            watch,
        }
    }

    /// The fixed facts.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = self.driver.view().counters();
        Stats {
            ios: self.side.machine.disk.answered,
            failures: self.side.machine.disk.failures,
            evictions: counters.evictions,
            copies: counters.copies + counters.steals,
            ..self.side.stats
        }
    }

    /// What the core has counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.driver.view().counters()
    }

    /// The lines of the story so far, if it is told.
    #[must_use]
    pub fn story(&self) -> &[String] {
        self.driver.recorder.story.as_deref().unwrap_or_default()
    }

    /// How many I/Os are not answered yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.side.machine.disk.in_flight()
    }

    /// Which way the page at this place is under way just now, if it is.
    #[must_use]
    pub fn under_way(&self, name: Name, page: VirtPage) -> Option<Direction> {
        let view = self.driver.view();
        let Shown::Page(number) = view.pte(self.site(name, page)?)?.shown else { return None };
        match view.page(number)?.state {
            State::PagingIn(_) => Some(Direction::Read),
            State::WritingBack { .. } => Some(Direction::Write),
            State::Free | State::Absent | State::Wanted | State::Resident { .. } => None,
        }
    }

    /// Answers the oldest I/O in flight. Whether there was one.
    pub fn answer_oldest(&mut self, how: How) -> bool {
        let oldest = self.flight(0);
        oldest.is_some_and(|(direction, frame)| self.apply(Op::Answer(direction, frame, how)))
    }

    pub(crate) fn all_wait(&self) -> bool {
        self.side.cpus.iter().all(|cpu| matches!(cpu, Cpu::Waiting(..)))
    }

    pub(crate) fn is_mapped(&self, name: Name, page: VirtPage) -> bool {
        self.side.oracle.slot(name, page).is_some()
    }

    /// Lets one operation happen. Whether it made sense.
    pub fn apply(&mut self, op: Op) -> bool {
        if let Some(lines) = &mut self.driver.recorder.story {
            lines.push(op.to_string());
        }
        let done = self.perform(op).is_some();
        self.side.stats.operations += u64::from(done);
        done
    }

    fn perform(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Create(name) => self.create(name),
            Op::Fork(parent, child) => self.fork(parent, child),
            Op::Destroy(name) => self.destroy(name),
            Op::Map(name, what) => self.map(name, what),
            Op::MapAt(name, what, page, count) => self.map_at(name, what, page, u32::from(count)),
            Op::Unmap(name, page, count) => self.unmap(name, page, u32::from(count)),
            Op::Discard(name, page, count) => self.discard(name, page, u32::from(count)),
            Op::Ahead(name, page, access) => self.ahead(name, page, access),
            Op::Touch(cpu, name, page, access, word) => self.cpu_touch(cpu, name, page, access, word),
            Op::Run(cpu) => self.run_cpu(cpu),
            Op::Pin(name, page, access) => self.pin(name, page, access),
            Op::Unpin(name, page) => self.unpin(name, page),
            Op::Withhold(count) => self.withhold(u32::from(count)),
            Op::Restore(count) => self.restore(u32::from(count)),
            Op::Flush(what) => self.flush(what),
            Op::Answer(direction, frame, how) => self.answer(direction, frame, how),
            Op::Next(how) => (!self.setup.asynchronous).then(|| self.next_how = how),
            Op::Harvest => self.harvest(),
            Op::Tick => self.tick(),
            Op::Lose(name, page) => self.lose(name, page),
            Op::Spurious(name, page, access) => self.spurious(self.site(name, page)?, access),
            Op::Stale(name, page) => {
                let arena = self.ended[usize::from(name.0)]?;
                self.spurious(Site { arena, page }, Access::Read)
            }
        }
    }

    pub(crate) fn arena(&self, name: Name) -> Option<ArenaId> {
        *self.side.arenas.get(usize::from(name.0))?
    }

    pub(crate) fn arenas(&self) -> impl Iterator<Item = Option<ArenaId>> {
        self.side.arenas.iter().copied()
    }

    pub(crate) fn site(&self, name: Name, page: VirtPage) -> Option<Site> {
        Some(Site { arena: self.arena(name)?, page })
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn answer(&mut self, direction: Direction, frame: FrameNo, how: How) -> Option<()> {
        let nth = self.side.machine.disk.nth(direction, frame)?;
        let event = self.side.machine.answer(nth, how);
        self.deliver(event);
        Some(())
    }

    fn tick(&mut self) -> Option<()> {
        self.deliver(Event::Tick);
        Some(())
    }

    fn ahead(&mut self, name: Name, page: VirtPage, access: Access) -> Option<()> {
        let at = self.site(name, page)?;
        self.deliver(Event::Ahead { at, access });
        Some(())
    }

    fn lose(&mut self, name: Name, page: VirtPage) -> Option<()> {
        self.side.machine.lose(self.site(name, page)?);
        Some(())
    }

    /// What is in flight, the `nth` oldest.
    pub(crate) fn flight(&self, nth: usize) -> Option<(Direction, FrameNo)> {
        self.side.machine.disk.flights().nth(nth)
    }

    fn harvest(&mut self) -> Option<()> {
        for frame in self.side.machine.harvest() {
            self.deliver(Event::Touched { frame, access: Access::Read });
        }
        Some(())
    }

    /// Tells the core, carries its effects out, and lets whoever was resumed go on.
    pub(crate) fn deliver(&mut self, event: Event) {
        self.step(event);
        self.settle();
    }

    /// One step; where I/O takes no time, its answers too.
    fn step(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next {
            self.driver.step(event, &mut self.side);
            self.between_steps();
            next = self.instant_answer();
        }
    }

    /// Makes a control call, in the same way.
    pub(crate) fn control(&mut self, call: Control) -> Outcome {
        let outcome = self.driver.control(call, &mut self.side);
        self.between_steps();
        if let Some(answer) = self.instant_answer() {
            self.step(answer);
        }
        outcome
    }

    fn instant_answer(&mut self) -> Option<Event> {
        if self.setup.asynchronous || self.side.machine.disk.in_flight() == 0 {
            return None;
        }
        let how = std::mem::replace(&mut self.next_how, How::Fine);
        Some(self.side.machine.answer(0, how))
    }

    fn between_steps(&mut self) {
        self.side.stats.steps += 1;
        self.since_check += 1;
        if self.since_check == self.watch.check_every {
            self.since_check = 0;
            self.audit();
        }
    }
}
