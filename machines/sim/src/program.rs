//! Random programs: which operation comes next, drawn from the seed and the state of the world.

use crate::op::{CpuNo, How, Mapped, Name, Op};
use crate::random::Random;
use crate::setup::{NAMES, WORDS};
use crate::world::World;
use mager_pager::{Access, BlockNo, ObjectNo, VirtPage};

/// A source of operations.
#[derive(Debug)]
pub struct Program {
    random: Random,
    /// Where each CPU was last: programs come back to where they were.
    last: Vec<(Name, VirtPage)>,
    /// How often, in a thousand.
    locality: u32,
}

impl Program {
    /// The program that belongs to `seed`, for so many CPUs.
    #[must_use]
    pub fn new(seed: u64, cpus: u8) -> Self {
        let mut random = Random::new(seed);
        let locality = random.one_of(&[300, 600, 850]);
        Program { random, last: vec![(Name(0), VirtPage(0)); usize::from(cpus)], locality }
    }

    /// The next operation. Most are accesses; the disk answers often enough to keep up.
    pub fn next(&mut self, world: &World) -> Op {
        if let Some(op) = self.answer(world) {
            return op;
        }
        match self.random.below(1000) {
            0..866 => self.touch(world),
            866..868 => Op::Withhold(self.few()),
            868..870 => Op::Restore(self.few()),
            870..890 => Op::Ahead(self.name(), self.page(world), self.guess()),
            890..900 => self.discard(world),
            900..922 => self.map(),
            922..944 => self.map_at(world),
            944..950 => self.unmap(world),
            950..958 => Op::Create(self.name()),
            958..967 => Op::Fork(self.name(), self.name()),
            967..972 => Op::Destroy(self.name()),
            972..977 => Op::Pin(self.name(), self.page(world), self.access()),
            977..984 => Op::Unpin(self.name(), self.page(world)),
            984..987 => Op::Flush(self.object(world)),
            987..992 => Op::Harvest,
            992..994 => Op::Tick,
            994..996 => Op::Lose(self.name(), self.page(world)),
            996..998 => Op::Spurious(self.name(), self.page(world), self.access()),
            998 => Op::Stale(self.name(), self.page(world)),
            _ => Op::Run(self.cpu()),
        }
    }

    fn few(&mut self) -> u8 {
        self.random.one_of(&[1, 2, 4])
    }

    /// The disk has its turn the more often the more it has to do.
    fn answer(&mut self, world: &World) -> Option<Op> {
        let rate = world.setup().faults_per_mille;
        if !world.setup().asynchronous {
            return (rate > 0 && self.random.per_mille(rate / 4)).then(|| Op::Next(self.how(1000)));
        }
        let flying = u32::try_from(world.in_flight()).expect("few I/Os");
        let all_wait = flying > 0 && world.all_wait();
        if !all_wait && (flying == 0 || !self.random.per_mille((100 * flying).min(600))) {
            return None;
        }
        let (direction, frame) = world.flight(self.random.below(flying) as usize)?;
        Some(Op::Answer(direction, frame, self.how(rate)))
    }

    fn how(&mut self, per_mille: u32) -> How {
        if !self.random.per_mille(per_mille) {
            return How::Fine;
        }
        match self.random.below(16) {
            0..8 => How::Fails,
            8..12 => How::Tears,
            12..15 => How::FailsLate,
            _ => How::Lies,
        }
    }

    fn touch(&mut self, world: &World) -> Op {
        let cpu = self.cpu();
        let (name, page) = self.place(cpu, world);
        self.last[usize::from(cpu.0)] = (name, page);
        let word = self.random.below(u32::try_from(WORDS).expect("few words"));
        let access = self.access();
        Op::Touch(cpu, name, page, access, u8::try_from(word).expect("few words"))
    }

    /// Often where it was; rarely where nothing is mapped.
    fn place(&mut self, cpu: CpuNo, world: &World) -> (Name, VirtPage) {
        let last = self.last[usize::from(cpu.0)];
        if self.random.per_mille(self.locality) && world.is_mapped(last.0, last.1) {
            return last;
        }
        let mut place = (self.name(), self.page(world));
        for _ in 0..16 {
            if world.is_mapped(place.0, place.1) {
                break;
            }
            place = (self.name(), self.page(world));
        }
        place
    }

    fn map(&mut self) -> Op {
        Op::Map(self.name(), Mapped::Swap)
    }

    fn map_at(&mut self, world: &World) -> Op {
        let what = match self.object(world) {
            Some(object) => Mapped::File(object, BlockNo(self.random.below(world.setup().blocks + 1))),
            None => Mapped::Swap,
        };
        let name = self.name();
        if self.random.per_mille(500) {
            return Op::Map(name, what);
        }
        let count = u8::try_from(self.random.within(1, 4)).expect("small");
        Op::MapAt(name, what, self.page(world), count)
    }

    fn unmap(&mut self, world: &World) -> Op {
        let count = u8::try_from(self.random.within(1, 3)).expect("small");
        Op::Unmap(self.name(), self.page(world), count)
    }

    fn discard(&mut self, world: &World) -> Op {
        let count = u8::try_from(self.random.within(1, 3)).expect("small");
        Op::Discard(self.name(), self.page(world), count)
    }

    fn name(&mut self) -> Name {
        Name(u8::try_from(self.random.below(u32::from(NAMES))).expect("few names"))
    }

    fn cpu(&mut self) -> CpuNo {
        let cpus = u32::try_from(self.last.len()).expect("few CPUs");
        CpuNo(u8::try_from(self.random.below(cpus)).expect("few CPUs"))
    }

    fn page(&mut self, world: &World) -> VirtPage {
        VirtPage(self.random.below(world.setup().arena_pages))
    }

    /// An access, or a faint guess that there will be one.
    fn guess(&mut self) -> Access {
        if self.random.per_mille(300) { Access::Trap } else { self.access() }
    }

    fn access(&mut self) -> Access {
        if self.random.per_mille(400) { Access::Write } else { Access::Read }
    }

    /// A file, more often than all or none.
    fn object(&mut self, world: &World) -> Option<ObjectNo> {
        let object = self.random.below(world.setup().files + 1);
        (object < world.setup().files).then_some(ObjectNo(object))
    }
}
