//! Everything that is not the pager: the machine, its CPUs, and the oracle that watches every access.
//!
//! A CPU that is eager goes on in the very moment it is resumed, between two effects of one step, as a real one
//! may; the others go on when it is their turn, and find out what has changed meanwhile.

use crate::cpu::{Cpu, Pending};
use crate::machine::Machine;
use crate::op::{CpuNo, Name};
use crate::oracle::Oracle;
use crate::setup::{NAMES, Setup};
use crate::world::Stats;
use mager_driver::{Hardware, Io, Paging};
use mager_pager::{Access, ArenaId, Denied, Event, FrameNo, Site, SwapBlock, Ticket};

/// The other side of the driver.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) machine: Machine,
    pub(crate) oracle: Oracle,
    pub(crate) arenas: [Option<ArenaId>; NAMES as usize],
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) eager: bool,
    pub(crate) stats: Stats,
    /// Resumes that are no CPU's, for the world to look at.
    pub(crate) resumed: Vec<(Ticket, Result<(), Denied>)>,
    /// Accesses the core has to be told of, where the policy sees each one.
    pub(crate) touched: Vec<(FrameNo, Access)>,
    /// Accesses that were denied in this step.
    pub(crate) denied: Vec<(Pending, Ticket, Denied)>,
    sees_every_access: bool,
}

impl Side {
    pub(crate) fn new(setup: &Setup, sees_every_access: bool) -> Self {
        Side {
            machine: Machine::new(setup),
            oracle: Oracle::new(setup),
            arenas: [None; NAMES as usize],
            cpus: vec![Cpu::Idle; usize::from(setup.cpus)],
            eager: setup.eager || !setup.asynchronous,
            stats: Stats::default(),
            resumed: Vec::new(),
            touched: Vec::new(),
            denied: Vec::new(),
            sees_every_access,
        }
    }

    /// Which mapping `at` is, as the oracle knows it.
    pub(crate) fn mapping(&self, name: Name, at: Site) -> Option<u64> {
        let lives = self.arenas[usize::from(name.0)] == Some(at.arena);
        if lives { self.oracle.slot(name, at.page).map(|slot| slot.mapping) } else { None }
    }

    /// One try of an access. Whether it went through.
    pub(crate) fn attempt(&mut self, cpu: CpuNo, pending: Pending) -> bool {
        let Some(frame) = self.machine.touch(pending.at, pending.access) else { return false };
        self.complete(pending, frame);
        self.cpus[usize::from(cpu.0)] = Cpu::Idle;
        true
    }

    /// The access goes through; the oracle knows what it must find.
    fn complete(&mut self, pending: Pending, frame: FrameNo) {
        let Pending { name, at, access, word, .. } = pending;
        let mapped = self.mapping(name, at).and_then(|_| self.oracle.slot(name, at.page));
        let slot =
            mapped.unwrap_or_else(|| panic!("oracle: {at} can be touched, but nothing is mapped there"));
        assert!(!self.oracle.beyond_the_end(slot), "oracle: {at} lies beyond the end of its file");
        let expected = self.oracle.load(slot, word);
        let found = self.machine.bytes(frame)[usize::from(word)];
        assert!(
            found == expected,
            "oracle: word {word} of {at} in frame {frame} is {found:#x}, not {expected:#x}"
        );
        if access == Access::Write {
            let stamp = self.oracle.store(name, at.page, word);
            self.machine.bytes(frame)[usize::from(word)] = stamp;
        }
        self.stats.accesses += 1;
        self.stats.faulted += u64::from(pending.faults > 0);
        if self.sees_every_access {
            self.touched.push((frame, access));
        }
    }

    fn cpu_resumed(&mut self, cpu: CpuNo, pending: Pending, who: Ticket, outcome: Result<(), Denied>) {
        if let Err(why) = outcome {
            self.stats.denied += 1;
            self.cpus[usize::from(cpu.0)] = Cpu::Idle;
            return self.denied.push((pending, who, why));
        }
        self.cpus[usize::from(cpu.0)] = Cpu::Ready(pending);
        if self.eager {
            let there = self.attempt(cpu, pending);
            assert!(there, "cpu: #{who} goes on, but its access to {} faults again", pending.at);
        }
    }

    /// A denial needs a reason. It is looked for when the oracle knows of the control call that may be it.
    pub(crate) fn judge(&self, pending: Pending, who: Ticket, why: Denied) {
        let now = self.mapping(pending.name, pending.at);
        let reason = match why {
            Denied::BadAddress => now.is_none() || now != pending.mapping,
            Denied::Io => self.machine.disk.failures > pending.failures_then,
            Denied::NoMemory => false,
        };
        assert!(reason, "cpu: #{who} at {} is denied ({why}) without a reason", pending.at);
    }
}

impl Hardware for Side {
    fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        self.machine.map(at, frame, access);
    }

    fn clear(&mut self, at: Site, frame: FrameNo) {
        self.machine.clear(at, frame);
    }

    fn unmap(&mut self, at: Site, frame: FrameNo) {
        self.machine.unmap(at, frame);
    }

    fn zero(&mut self, frame: FrameNo, at: Site) {
        self.machine.zero(frame, at);
    }

    fn copy(&mut self, from: FrameNo, to: FrameNo, at: Site) {
        self.machine.copy(from, to, at);
    }

    fn empty(&mut self, frame: FrameNo) {
        self.machine.empty(frame);
    }

    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>) {
        let waits = |(cpu, state): (u8, &Cpu)| match *state {
            Cpu::Waiting(pending, ticket) if ticket == who => Some((CpuNo(cpu), pending)),
            _ => None,
        };
        match (0u8..).zip(&self.cpus).find_map(waits) {
            Some((cpu, pending)) => self.cpu_resumed(cpu, pending, who, outcome),
            None => self.resumed.push((who, outcome)),
        }
    }
}

impl Paging for Side {
    fn start(&mut self, io: Io) {
        self.machine.start(io);
    }

    fn release(&mut self, block: SwapBlock) {
        self.machine.release(block);
    }

    /// Nothing finishes by itself: the world answers each I/O when it pleases.
    fn finished(&mut self) -> Option<Event> {
        None
    }
}
