//! One random run: accesses that fault, wait, and are tried again; control calls; I/O that is answered some day.

use crate::machine::Machine;
use crate::oracle::Oracle;
use mager_driver::{Control, Outcome, apply};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Counts, Denied, Effects, Event, Fault, FrameNo, Home, ObjectNo, Pager,
    Pages, References, Sharing, Site, Ticket, VirtPage, What,
};
use mager_policies::Any;
use std::collections::BTreeMap;

/// Pages of an arena that are used: the lowest, and in large arenas those around the edge of a chunk of entries too.
const SMALL: u32 = 8;
const LARGE: u32 = 516;
const STEPS: u32 = 300;
/// Accesses that wait at the same time, at most.
const THREADS: usize = 6;
/// Faults one access takes at most before it gives up: more threads than frames can keep each other out.
const PATIENCE: u32 = 20;

#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub at_once: bool,
    pub failures: bool,
}

/// One access that waits.
#[derive(Clone, Copy, Debug)]
struct Try {
    at: Site,
    store: Option<u64>,
    faults: u32,
}

pub struct Run {
    shape: Shape,
    state: u64,
    pager: Pager<Any>,
    /// Whether the policy takes every frame in its turn.
    in_turn: bool,
    config: Config,
    machine: Machine,
    oracle: Oracle,
    waiting: BTreeMap<Ticket, Try>,
    flushing: Vec<Ticket>,
    next: u64,
    empty: Counts,
    /// No I/O fails any more.
    healthy: bool,
    /// One seed alone tells what it does.
    aloud: bool,
}

impl Run {
    pub fn new(seed: u64, shape: Shape) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
        let mut pick = |n: u32| below(&mut state, n);
        let sharing = [Sharing::Frame, Sharing::Place][pick(2) as usize];
        let references = References::ALL[pick(4) as usize];
        let usable = 1 + pick(5);
        let config = Config {
            page_size: 8,
            arena_pages: if pick(8) == 0 { LARGE } else { SMALL },
            references,
            sharing,
            low_water: pick(usable.min(3)),
            ..Config::course(usable + u32::from(sharing == Sharing::Frame), 4 + pick(20))
        };
        let policy = Any::NAMES[pick(u32::try_from(Any::NAMES.len()).unwrap()) as usize];
        let pager = Pager::new(config, Any::new(policy, config.frames).unwrap()).unwrap();
        let empty = pager.view().counts();
        let machine = Machine::new(&config);
        Run {
            shape,
            in_turn: matches!(policy, "clock" | "fifo"),
            state,
            pager,
            config,
            machine,
            oracle: Oracle::default(),
            waiting: BTreeMap::new(),
            flushing: Vec::new(),
            next: 0,
            empty,
            healthy: false,
            aloud: std::env::var_os("MAGER_SEED").is_some(),
        }
    }

    pub fn play(mut self) {
        for _ in 0..STEPS {
            self.one();
        }
        self.settle();
        self.everything_is_right();
        self.everything_is_returned();
    }

    fn below(&mut self, n: u32) -> u32 {
        below(&mut self.state, n)
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    fn one(&mut self) {
        match self.below(22) {
            0..=10 => self.random_access(),
            11..=14 => self.answer_one(),
            15 => self.step(Event::Tick),
            16 => self.stale(),
            17 => self.random_ahead(),
            18 => self.random_evict(),
            _ => self.random_control(),
        }
    }

    fn random_arena(&mut self) -> Option<ArenaId> {
        let arenas = self.oracle.arenas();
        (!arenas.is_empty())
            .then(|| arenas[below(&mut self.state, u32::try_from(arenas.len()).unwrap()) as usize])
    }

    fn random_access(&mut self) {
        let Some(arena) = self.random_arena() else { return };
        let at = Site { arena, page: self.page() };
        let store = (self.below(2) == 0).then_some(self.state >> 8 | 1);
        if self.waiting.len() < THREADS {
            self.access(Try { at, store, faults: 0 });
        }
    }

    fn random_ahead(&mut self) {
        let Some(arena) = self.random_arena() else { return };
        let access = [Access::Read, Access::Write][self.below(2) as usize];
        let at = Site { arena, page: self.page() };
        self.step(Event::Ahead { at, access });
    }

    fn random_evict(&mut self) {
        let Some(arena) = self.random_arena() else { return };
        let at = Site { arena, page: self.page() };
        let before = self.pager.view().counts();
        self.step(Event::Evict { at });
        let after = self.pager.view().counts();
        assert!(after.demands <= before.demands, "evicting keeps nobody waiting who did not wait before");
    }

    fn page(&mut self) -> VirtPage {
        let page = self.below(SMALL + 1);
        let edge = self.config.arena_pages == LARGE && self.below(2) == 0;
        VirtPage(if edge { LARGE - SMALL + page } else { page })
    }

    /// Makes the access happen, or a fault.
    fn access(&mut self, attempt: Try) {
        let wanted = if attempt.store.is_some() { Access::Write } else { Access::Read };
        let Some(frame) = self.machine.allows(attempt.at, wanted) else { return self.fault(attempt, wanted) };
        let expected = self.oracle.load(attempt.at);
        assert_eq!(Some(self.machine.words[frame.index()]), expected, "the contents of {}", attempt.at);
        if let Some(word) = attempt.store {
            self.machine.words[frame.index()] = word;
            self.oracle.store(attempt.at, word);
        }
        let sticky = self.config.references == References::Sticky; // told once, until it is taken away
        if self.config.references == References::Hardware || sticky && self.machine.touched.insert(attempt.at)
        {
            self.step(Event::Touched { frame, access: wanted });
        }
    }

    fn fault(&mut self, attempt: Try, access: Access) {
        let who = self.ticket();
        self.waiting.insert(who, Try { faults: attempt.faults + 1, ..attempt });
        self.step(Event::Fault(Fault { at: attempt.at, access, who }));
    }

    /// What a machine may say late or twice: a fault that another has settled, one of an arena that is gone, a
    /// reference bit of a frame that holds something else by now.
    fn stale(&mut self) {
        let frame = FrameNo(self.below(self.config.frames));
        let page = self.page();
        let arena = match self.random_arena() {
            Some(arena) if self.below(3) > 0 => arena,
            _ => ArenaId { slot: self.below(5), generation: self.below(3) },
        };
        match self.below(2) {
            0 => self.step(Event::Touched { frame, access: Access::Read }),
            _ if self.waiting.len() == THREADS => {}
            _ => self.fault(Try { at: Site { arena, page }, store: None, faults: PATIENCE }, Access::Trap),
        }
    }

    fn step(&mut self, event: Event) {
        let mut effects = Effects::new();
        self.pager.step(event, &mut effects);
        self.tell(&event, &effects);
        self.after(&effects);
    }

    fn control(&mut self, call: Control) -> Outcome {
        let before = self.pager.view().counts();
        let mut effects = Effects::new();
        let outcome = apply(&mut self.pager, call, &mut effects);
        if matches!(outcome, Outcome::Refused(_)) {
            assert!(
                effects.is_empty() && self.pager.view().counts() == before,
                "{call:?} was refused with effects"
            );
        }
        self.tell(&(call, outcome), &effects);
        self.note(call, outcome);
        self.after(&effects);
        outcome
    }

    fn tell(&self, what: &impl std::fmt::Debug, effects: &Effects) {
        if self.aloud {
            eprintln!("{what:?}");
            effects.iter().for_each(|effect| eprintln!("    {effect:?}"));
        }
    }

    /// The oracle does what the core has agreed to.
    fn note(&mut self, call: Control, outcome: Outcome) {
        match (call, outcome) {
            (Control::Create, Outcome::Arena(arena)) => self.oracle.create(arena),
            (Control::Fork(parent), Outcome::Arena(child)) => self.oracle.fork(parent, child),
            (Control::MapSwap(arena), Outcome::Page(page)) => self.oracle.map(arena, Pages::one(page), None),
            (Control::MapSwapAt(arena, pages), Outcome::Done) => self.oracle.map(arena, pages, None),
            (Control::MapObject(arena, object, block), Outcome::Page(page)) => {
                self.oracle.map(arena, Pages::one(page), Some((object, block)));
            }
            (Control::MapObjectAt(arena, pages, object, block), Outcome::Done) => {
                self.oracle.map(arena, pages, Some((object, block)));
            }
            (Control::Unmap(arena, pages), Outcome::Done) => {
                self.oracle.unmap(arena, pages);
                self.machine.gone(|at| at.arena == arena && pages.iter().any(|page| page == at.page));
            }
            (Control::Discard(arena, pages), Outcome::Done) => self.oracle.discard(arena, pages),
            (Control::Destroy(arena), Outcome::Done) => {
                self.oracle.destroy(arena);
                self.machine.gone(|at| at.arena == arena);
            }
            _ => {}
        }
    }

    fn after(&mut self, effects: &Effects) {
        self.machine.carry_out(effects);
        self.pager.check();
        if self.shape.at_once && self.machine.in_flight() > 0 {
            return self.answer(0);
        }
        while let Some((who, outcome)) = self.machine.resumed.pop_front() {
            self.resume(who, outcome);
        }
    }

    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>) {
        assert!(outcome != Err(Denied::Io) || self.shape.failures, "{who} is denied, but no I/O has failed");
        assert!(outcome != Err(Denied::NoMemory), "{who} finds no memory, but a frame is always replaceable");
        if let Some(flush) = self.flushing.iter().position(|&flushing| flushing == who) {
            self.flushing.swap_remove(flush);
            return;
        }
        let attempt = self.waiting.remove(&who).expect("whoever is resumed has waited, once");
        match outcome {
            Ok(()) if attempt.faults < PATIENCE => self.access(attempt),
            Err(Denied::BadAddress) => {
                assert!(self.oracle.load(attempt.at).is_none(), "{} is mapped, but denied", attempt.at);
            }
            Ok(()) | Err(Denied::Io | Denied::NoMemory) => {}
        }
    }

    fn answer_one(&mut self) {
        if self.machine.in_flight() > 0 {
            let index = self.below(u32::try_from(self.machine.in_flight()).unwrap());
            self.answer(index as usize);
        }
    }

    fn answer(&mut self, index: usize) {
        let well = self.healthy || !self.shape.failures || self.below(6) > 0;
        let event = self.machine.answer(index, well);
        self.step(event);
    }

    fn random_control(&mut self) {
        let Some(arena) = self.random_arena() else {
            self.control(Control::Create);
            return;
        };
        let object = ObjectNo(self.below(2));
        let block = BlockNo(self.below(4));
        let pages = Pages { start: self.page(), count: 1 + self.below(3) };
        let at = Site { arena, page: pages.start };
        let who = self.ticket();
        let call = match self.below(29) {
            0 if self.oracle.arenas().len() < 5 => Control::Create,
            1..=3 if self.oracle.arenas().len() < 5 => Control::Fork(arena),
            4..=6 => Control::MapSwap(arena),
            7 | 8 => Control::MapSwapAt(arena, pages),
            9 | 10 => Control::MapObject(arena, object, block),
            11 | 12 => Control::MapObjectAt(arena, pages, object, block),
            13 | 14 => Control::Unmap(arena, pages),
            15 => Control::Destroy(arena),
            16 => Control::Pin(at, Access::Write),
            17 => Control::Pin(at, Access::Read),
            18 | 19 => Control::Unpin(at),
            20 | 21 => Control::Discard(arena, pages),
            22 => Control::Flush(What::All, who),
            23 | 24 => Control::Withhold(1 + self.below(3)),
            25 => Control::Restore(1 + self.below(3)),
            26 | 27 => Control::Disown(at),
            _ => Control::Flush(What::Object(object), who),
        };
        if let Control::Flush(..) = call {
            self.flushing.push(who);
        }
        self.control(call);
    }

    /// Every I/O is answered, well, and then nobody waits any more.
    fn settle(&mut self) {
        self.healthy = true;
        let mut answers = 0;
        while self.machine.in_flight() > 0 {
            self.answer_one();
            answers += 1;
            assert!(answers < 10_000, "the pager never comes to rest");
        }
        assert!(self.waiting.is_empty(), "nothing is in flight, but {:?} still wait", self.waiting);
        assert!(self.flushing.is_empty(), "nothing is in flight, but flushes {:?} still wait", self.flushing);
    }

    fn everything_is_right(&mut self) {
        self.control(Control::Restore(u32::MAX));
        for at in self.oracle.pages() {
            self.access(Try { at, store: None, faults: 0 });
            self.settle();
        }
        let who = self.ticket();
        self.flushing.push(who);
        self.control(Control::Flush(What::All, who));
        self.settle();
        for (object, block, word) in self.oracle.files() {
            let there = self.machine.disk.get(&Home::Object(object, block)).copied();
            assert_eq!(there.unwrap_or(0), word, "block {block} of object {object} after a flush");
        }
    }

    /// Without arenas only ghosts are left; once others have used every frame, they are gone too. (A policy that
    /// keeps what was used often may well keep a ghost.)
    fn everything_is_returned(&mut self) {
        self.oracle
            .arenas()
            .into_iter()
            .for_each(|arena| assert_eq!(self.control(Control::Destroy(arena)), Outcome::Done));
        self.settle();
        let Outcome::Arena(arena) = self.control(Control::Create) else { panic!("no arena") };
        assert_eq!(
            self.control(Control::MapSwapAt(arena, Pages { start: VirtPage(0), count: 4 })),
            Outcome::Done
        );
        for page in (0..4).cycle().take(40).map(VirtPage) {
            self.access(Try { at: Site { arena, page }, store: Some(7), faults: 0 });
            self.settle();
        }
        if self.in_turn && self.config.usable_frames() <= 4 {
            assert_eq!(self.pager.view().counts().file_pages, 0, "every ghost was evicted");
        }
        self.control(Control::Destroy(arena));
        let counts = self.pager.view().counts();
        let held = if self.config.sharing == Sharing::Place { counts.file_pages as usize } else { 0 };
        assert_eq!(self.machine.filled.len(), held, "every frame but those of ghosts was emptied");
        let swap = self.machine.disk.keys().filter(|home| matches!(home, Home::Swap(_))).count();
        assert_eq!(swap, 0, "every swap block was released");
        if counts.file_pages == 0 {
            assert_eq!(counts, self.empty);
            let forgotten = self.pager.forgotten();
            assert_eq!(forgotten, self.oracle.objects(), "every object that was mapped is forgotten, once");
            assert!(self.pager.forgotten().is_empty());
        }
    }
}

/// A number below `n` (Marsaglia's xorshift64*).
fn below(state: &mut u64, n: u32) -> u32 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    let high = state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
    u32::try_from(high % u64::from(n)).unwrap()
}
