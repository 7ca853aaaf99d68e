//! Small worlds, all of them: every sequence of operations up to a depth.
//!
//! Breadth first, states that were seen before left out. Each state is checked, each load held against the oracle,
//! and from each state the world must come to rest and end with nothing left: no fault waits for ever.
//! A state is kept as the operations that lead to it, two bytes each at most, and played again when its turn comes.

use crate::op::{CpuNo, Direction, How, Mapped, Name, Op};
use crate::run::{Failure, caught};
use crate::setup::Setup;
use crate::world::{Watch, World};
use mager_pager::{Access, BlockNo, FrameNo, ObjectNo, References, Sharing, VirtPage};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How far a search came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Every sequence of so many operations was tried.
    pub depth: u32,
    /// Different states.
    pub states: usize,
    /// Operations tried.
    pub tried: u64,
    /// What went wrong first, with the operations that lead to it.
    pub failure: Option<(Vec<Op>, Failure)>,
}

/// A small world: where it starts, and everything that can happen in it.
#[derive(Clone, Debug)]
pub struct Small {
    /// Its facts.
    pub setup: Setup,
    /// What has happened already.
    pub start: Vec<Op>,
    /// What can happen.
    pub alphabet: Vec<Op>,
}

impl Small {
    /// Two arenas, three pages each, one file of one block, two CPUs, I/O that may fail, and `usable` frames.
    #[must_use]
    pub fn new(sharing: Sharing, references: References, policy: &'static str, usable: u32) -> Self {
        let setup = Setup {
            frames: usable + u32::from(sharing == Sharing::Frame),
            swap_blocks: 5,
            arena_pages: 3,
            files: 1,
            blocks: 1,
            cpus: 2,
            asynchronous: true,
            sharing,
            references,
            policy,
            ..Setup::small()
        };
        let file = Mapped::File(ObjectNo(0), BlockNo(0));
        let a = Name(0);
        let start = vec![Op::Create(a), Op::Map(a, Mapped::Swap), Op::Map(a, Mapped::Swap), Op::Map(a, file)];
        Small { setup, start, alphabet: alphabet(&setup) }
    }

    /// Searches to `depth`, or as deep as the time allows.
    #[must_use]
    pub fn search(&self, depth: u32, time: Duration) -> Reached {
        let end = Instant::now() + time;
        self.search_while(depth, &|| Instant::now() <= end)
    }

    /// Searches to `depth`, or until `go_on` says no.
    #[must_use]
    pub fn search_while(&self, depth: u32, go_on: &dyn Fn() -> bool) -> Reached {
        let mut search = Search { small: self, seen: HashSet::new(), reached: Reached::default(), go_on };
        let mut level: Vec<Vec<u8>> = vec![Vec::new()];
        for deeper in 1..=depth {
            let Some(next) = search.expand(&level) else { break };
            search.reached.depth = deeper;
            level = next;
        }
        search.reached.states = search.seen.len();
        search.reached
    }
}

/// Everything that can happen; what makes no sense in a state is skipped there.
fn alphabet(setup: &Setup) -> Vec<Op> {
    let names = [Name(0), Name(1)];
    let mut ops = vec![Op::Fork(names[0], names[1]), Op::Fork(names[1], names[0]), Op::Flush(None)];
    ops.extend((0..setup.cpus).map(|cpu| Op::Run(CpuNo(cpu))));
    for name in names {
        ops.extend([Op::Create(name), Op::Destroy(name), Op::Map(name, Mapped::Swap)]);
        ops.push(Op::Map(name, Mapped::File(ObjectNo(0), BlockNo(0))));
        for page in (0..setup.arena_pages).map(VirtPage) {
            ops.extend([Op::Unmap(name, page, 1), Op::Discard(name, page, 1)]);
            ops.extend([Access::Read, Access::Write].map(|access| Op::Ahead(name, page, access)));
            for cpu in (0..setup.cpus).map(CpuNo) {
                ops.extend([Access::Read, Access::Write].map(|access| Op::Touch(cpu, name, page, access, 0)));
            }
        }
        ops.extend([Op::Pin(name, VirtPage(0), Access::Write), Op::Unpin(name, VirtPage(0))]);
    }
    for frame in (0..setup.frames).map(FrameNo) {
        for direction in [Direction::Read, Direction::Write] {
            ops.extend([How::Fine, How::Fails].map(|how| Op::Answer(direction, frame, how)));
        }
    }
    if matches!(setup.references, References::Hardware | References::Sticky) {
        ops.push(Op::Harvest);
    }
    ops
}

struct Search<'a> {
    small: &'a Small,
    seen: HashSet<u128>,
    reached: Reached,
    go_on: &'a dyn Fn() -> bool,
}

impl Search<'_> {
    /// One operation further from every state of a level. `None`: something is wrong, or it is to end.
    fn expand(&mut self, level: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
        let mut next = Vec::new();
        for path in level {
            if !(self.go_on)() {
                return None;
            }
            for number in 0..u8::try_from(self.small.alphabet.len()).expect("a small alphabet") {
                self.reached.tried += 1;
                match self.visit(path, number) {
                    Ok(true) => next.push([path.as_slice(), &[number]].concat()),
                    Ok(false) => {}
                    Err(failure) => {
                        self.reached.failure = Some(failure);
                        return None;
                    }
                }
            }
        }
        Some(next)
    }

    /// Plays `path` and one operation more. Whether that is a state nobody has seen.
    fn visit(&mut self, path: &[u8], number: u8) -> Result<bool, (Vec<Op>, Failure)> {
        let ops =
            |path: &[u8]| path.iter().map(|&op| self.small.alphabet[usize::from(op)]).collect::<Vec<_>>();
        let path = ops(path);
        let op = self.small.alphabet[usize::from(number)];
        let small = self.small;
        let seen = &mut self.seen;
        caught(|| {
            let mut world = World::new(small.setup, Watch { check_every: 0, replay: false, story: false });
            for &before in small.start.iter().chain(&path) {
                world.apply(before);
            }
            if !world.apply(op) {
                return false;
            }
            world.audit();
            let new = seen.insert(world.fingerprint());
            if new {
                world.finish();
            }
            new
        })
        .map_err(|message| {
            let all: Vec<Op> = small.start.iter().copied().chain(path.iter().copied()).chain([op]).collect();
            let operations = all.len();
            (all, Failure { message, operations })
        })
    }
}
