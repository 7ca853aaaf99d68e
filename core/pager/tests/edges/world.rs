//! A pager and a machine that only answers I/O.

use mager_pager::{
    Access, ArenaId, Config, Denied, Effect, Effects, Event, Fault, IoFailed, Pager, Pages, Site, Ticket,
    VirtPage,
};
use mager_policies::Policy;
use std::collections::{BTreeMap, VecDeque};

pub struct World<P> {
    pub pager: Pager<P>,
    pub out: Effects,
    pub resumed: BTreeMap<Ticket, Result<(), Denied>>,
    answers: VecDeque<Event>,
    next: u64,
}

pub fn at(arena: ArenaId, page: u32) -> Site {
    Site { arena, page: VirtPage(page) }
}

pub fn run(start: u32, count: u32) -> Pages {
    Pages { start: VirtPage(start), count }
}

impl<P: Policy> World<P> {
    pub fn new(config: Config, policy: P) -> Self {
        World {
            pager: Pager::new(config, policy).unwrap(),
            out: Effects::new(),
            resumed: BTreeMap::new(),
            answers: VecDeque::new(),
            next: 0,
        }
    }

    pub fn step(&mut self, event: Event) {
        self.pager.step(event, &mut self.out);
        self.carry_out();
    }

    /// Starts I/O and takes notice of who is resumed.
    pub fn carry_out(&mut self) {
        for effect in self.out.drain(..) {
            match effect {
                Effect::Read { frame, .. } => self.answers.push_back(Event::Read { frame, result: Ok(()) }),
                Effect::Write { frame, .. } => {
                    self.answers.push_back(Event::Written { frame, result: Ok(()) })
                }
                Effect::Resume { who, outcome } => drop(self.resumed.insert(who, outcome)),
                Effect::Map { .. }
                | Effect::Clear { .. }
                | Effect::Unmap { .. }
                | Effect::Zero { .. }
                | Effect::Copy { .. }
                | Effect::Empty { .. }
                | Effect::Release { .. } => {}
            }
        }
        self.pager.check();
    }

    pub fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    /// A fault whose I/O is not answered yet.
    pub fn start(&mut self, at: Site, access: Access) -> Ticket {
        let who = self.ticket();
        self.step(Event::Fault(Fault { at, access, who }));
        who
    }

    /// The oldest I/O fails.
    pub fn fail(&mut self) {
        let event = match self.answers.pop_front().unwrap() {
            Event::Read { frame, .. } => Event::Read { frame, result: Err(IoFailed) },
            Event::Written { frame, .. } => Event::Written { frame, result: Err(IoFailed) },
            event => event,
        };
        self.step(event);
    }

    /// The oldest I/O is answered.
    pub fn answer(&mut self) {
        let event = self.answers.pop_front().unwrap();
        self.step(event);
    }

    /// Whether an I/O is not answered yet.
    pub fn is_busy(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Every I/O is answered.
    pub fn settle(&mut self) {
        while let Some(event) = self.answers.pop_front() {
            self.step(event);
        }
    }

    pub fn fault(&mut self, at: Site, access: Access) -> Result<(), Denied> {
        let who = self.start(at, access);
        self.settle();
        self.resumed[&who]
    }

    /// An arena with `pages` private pages.
    pub fn with_swap(&mut self, pages: u32) -> ArenaId {
        let arena = self.pager.create().unwrap();
        self.pager.map_swap_at(arena, run(0, pages)).unwrap();
        arena
    }

    pub fn unmap(&mut self, arena: ArenaId, page: u32) -> Result<(), mager_pager::Refused> {
        let outcome = self.pager.unmap(arena, run(page, 1), &mut self.out);
        self.carry_out();
        outcome
    }
}
