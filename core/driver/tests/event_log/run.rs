//! Random runs with many I/Os in flight, answered in any order, some of them failing.

use mager_driver::{Control, Header, LogWriter, Outcome, Recorder, apply};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Effect, Effects, Event, Fault, FrameNo, IoFailed, ObjectNo, Pager,
    Pages, References, Sharing, Site, Ticket, VirtPage, What,
};
use mager_policies::Any;

/// Numbers that look random and come from a seed (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }
}

pub fn header(seed: u64) -> Header {
    let pick = u32::try_from(seed % 6).unwrap();
    let references = References::ALL[pick as usize % 4];
    let sharing = [Sharing::Frame, Sharing::Place][pick as usize / 3];
    let low_water = u32::from(seed.is_multiple_of(5));
    let config = Config { arena_pages: 24, references, sharing, low_water, ..Config::course(4 + pick, 40) };
    Header { config, policy: ["clock", "fifo"][usize::from(seed.is_multiple_of(7))].to_owned(), seed }
}

pub struct Run {
    chance: Chance,
    pager: Pager<Any>,
    log: LogWriter<String>,
    out: Effects,
    arenas: Vec<ArenaId>,
    flying: Vec<(FrameNo, bool)>,
    tickets: u64,
}

impl Run {
    pub fn new(header: &Header) -> Run {
        let policy = Any::new(&header.policy, header.config.frames).unwrap();
        Run {
            chance: Chance(header.seed),
            pager: Pager::new(header.config, policy).unwrap(),
            log: LogWriter::new(String::new(), header),
            out: Effects::new(),
            arenas: Vec::new(),
            flying: Vec::new(),
            tickets: 0,
        }
    }

    pub fn go(mut self, steps: u32) -> String {
        for _ in 0..steps {
            match self.chance.below(10) {
                0 | 1 => self.control(),
                2 | 3 if !self.flying.is_empty() => self.answer(),
                4 => self.observe(),
                _ if self.arenas.is_empty() => self.create(),
                _ => self.fault(),
            }
        }
        self.log.finish().unwrap()
    }

    fn call(&mut self, call: Control) -> Outcome {
        self.out.clear();
        let outcome = apply(&mut self.pager, call, &mut self.out);
        self.log.control(&call, &outcome, &self.out);
        self.started();
        outcome
    }

    fn event(&mut self, event: Event) {
        self.out.clear();
        self.pager.step(event, &mut self.out);
        self.log.event(&event, &self.out);
        self.started();
    }

    fn started(&mut self) {
        for effect in &self.out {
            match *effect {
                Effect::Read { frame, .. } => self.flying.push((frame, true)),
                Effect::Write { frame, .. } => self.flying.push((frame, false)),
                _ => {}
            }
        }
    }

    fn create(&mut self) {
        if let Outcome::Arena(arena) = self.call(Control::Create) {
            self.log.note(format_args!("arena {arena} is new\nand has nothing"));
            self.arenas.push(arena);
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn site(&mut self) -> Site {
        let index = self.chance.below(u32::try_from(self.arenas.len()).unwrap());
        Site { arena: self.arenas[index as usize], page: VirtPage(self.chance.below(26)) }
    }

    fn fault(&mut self) {
        let (at, who) = (self.site(), self.ticket());
        let access = [Access::Read, Access::Write][self.chance.below(2) as usize];
        self.event(Event::Fault(Fault { at, access, who }));
    }

    fn answer(&mut self) {
        let index = self.chance.below(u32::try_from(self.flying.len()).unwrap());
        let (frame, read) = self.flying.swap_remove(index as usize);
        let result = if self.chance.below(12) == 0 { Err(IoFailed) } else { Ok(()) };
        self.event(if read { Event::Read { frame, result } } else { Event::Written { frame, result } });
    }

    fn observe(&mut self) {
        let frame = FrameNo(self.chance.below(4));
        let touched = Event::Touched { frame, access: Access::Read };
        let ahead = |at| Event::Ahead { at, access: Access::Read };
        let event = match self.chance.below(5) {
            0 => Event::Tick,
            1 if !self.arenas.is_empty() => ahead(self.site()),
            2 if !self.arenas.is_empty() => Event::Evict { at: self.site() },
            _ => touched,
        };
        self.event(event);
    }

    fn control(&mut self) {
        if self.arenas.is_empty() {
            return self.create();
        }
        let (at, who) = (self.site(), self.ticket());
        let (object, block) = (ObjectNo(self.chance.below(3)), BlockNo(self.chance.below(5)));
        let pages = Pages { start: at.page, count: self.chance.below(4) };
        let outcome = match self.chance.below(17) {
            0 => self.call(Control::Create),
            1 => self.call(Control::Fork(at.arena)),
            2 | 3 => self.call(Control::MapSwap(at.arena)),
            4 => self.call(Control::MapSwapAt(at.arena, pages)),
            5 | 6 => self.call(Control::MapObject(at.arena, object, block)),
            7 => self.call(Control::MapObjectAt(at.arena, pages, object, block)),
            8 => self.call(Control::Unmap(at.arena, pages)),
            9 => self.call(Control::Pin(at, Access::Write)),
            10 => self.call(Control::Unpin(at)),
            11 => self.call(Control::Flush(What::All, who)),
            12 => self.call(Control::Flush(What::Object(object), who)),
            13 => self.call(Control::Discard(at.arena, pages)),
            14 => self.call(Control::Withhold(pages.count)),
            15 => self.call(Control::Restore(pages.count)),
            _ => self.call(Control::Destroy(at.arena)),
        };
        if let Outcome::Arena(arena) = outcome {
            self.arenas.push(arena);
        }
    }
}

/// The log of a whole run.
pub fn log(seed: u64, steps: u32) -> String {
    Run::new(&header(seed)).go(steps)
}
