//! Clients that did what they must not are expelled, and what they held comes back.
//!
//! Memory comes back only when its files are empty, and whoever has such a file can go on writing to it. Then his process
//! is killed; until it is gone the file is emptied again and again, and others have so many frames less.

use crate::budget::AllowanceNo;
use crate::frames::{Bytes, Place};
use crate::machine::Machine;
use crate::offences::{Offence, Owner};
use crate::server::Server;
use mager_linux_sys::{MemoryFile, kill};
use mager_pager::{Kind, ObjectNo};
use rustix::fd::OwnedFd;

/// An allowance whose client is gone, and whose files may be written to still.
#[derive(Debug)]
pub(crate) struct Condemned {
    pub(crate) allowance: AllowanceNo,
    pub(crate) files: Vec<MemoryFile>,
    pub(crate) process: Option<OwnedFd>,
}

impl Machine {
    /// Whether anybody was found to do what he must not.
    pub(crate) fn caught(&self) -> bool {
        self.budget.any_exceeded() || !self.offences.is_empty()
    }

    /// Takes away what is in the memory of a file and was not put there.
    fn heal(&mut self, object: ObjectNo) {
        self.punch_holes();
        let Some(record) = self.objects.get(object) else { return };
        let mut next = 0;
        for block in self.placed_blocks(object) {
            let (from, to) = (u64::from(next) * self.page_size, u64::from(block) * self.page_size);
            if to > from {
                let _ = record.memory.punch(from, to - from);
            }
            next = block + 1;
        }
        let (from, end) = (u64::from(next) * self.page_size, u64::from(u32::MAX) * self.page_size);
        let _ = record.memory.punch(from, end - from);
    }

    fn placed_blocks(&self, object: ObjectNo) -> Vec<u32> {
        let placed = self.frames.iter().filter(|frame| frame.bytes() == Bytes::Placed);
        let mut blocks: Vec<u32> = placed
            .filter_map(|frame| match frame.place() {
                Place::Object(of, block) if of == object => Some(block),
                Place::Object(..) | Place::Private(_) | Place::None => None,
            })
            .collect();
        blocks.sort_unstable();
        blocks
    }

    /// Looks at all memory files: whether they hold more than was put there, or were cut short.
    pub(crate) fn audit(&mut self, arena_pages: u32) {
        let size = u64::from(arena_pages) * self.page_size;
        for arena in self.arenas.iter().filter(|arena| !arena.memory.reaches(size).unwrap_or(true)) {
            self.offences.by(Owner::Arena(arena.id), Offence::Cut);
        }
        let size = u64::from(u32::MAX) * self.page_size;
        for (number, _) in
            self.objects.iter().filter(|(_, object)| !object.memory.reaches(size).unwrap_or(true))
        {
            self.offences.by(Owner::Object(number), Offence::Cut);
        }
        let (arenas, objects) = (&self.arenas, &self.objects);
        self.budget.audit(|of| {
            let arenas = arenas.iter().filter(|arena| arena.allowance == of).map(|arena| &arena.memory);
            let objects = objects.iter().map(|(_, object)| object).filter(|object| object.allowance == of);
            arenas.chain(objects.map(|object| &object.memory)).map(|file| file.held().unwrap_or(0)).sum()
        });
    }
}

impl Server {
    /// Looks whether anybody holds more than he was given, and expels him.
    pub(crate) fn audit(&mut self) {
        self.machine.punch_holes();
        self.machine.audit(self.options.arena_pages);
        self.expel_offenders();
        self.bury();
    }

    pub(crate) fn expel_offenders(&mut self) {
        let mut found = self.machine.offences.take();
        for allowance in self.machine.budget.take_exceeded() {
            found.extend(self.owner(allowance).map(|owner| (owner, Offence::Exceeds)));
        }
        for (owner, what) in found {
            for client in self.responsible(owner) {
                self.expel(client, what);
            }
            if let Owner::Object(object) = owner {
                self.machine.heal(object);
            }
        }
    }

    fn owner(&self, allowance: AllowanceNo) -> Option<Owner> {
        let of_client = self.clients.iter().find(|(_, client)| client.allowance == Some(allowance));
        if let Some(&arena) = of_client.and_then(|(_, client)| client.arenas.first()) {
            return Some(Owner::Arena(arena));
        }
        let mut objects = self.machine.objects.iter();
        objects.find(|(_, object)| object.allowance == allowance).map(|(number, _)| Owner::Object(number))
    }

    fn responsible(&self, owner: Owner) -> Vec<u64> {
        let maps = |arena, object| {
            let regions = self.driver.view().regions(arena);
            regions.into_iter().any(|(_, kind)| matches!(kind, Kind::Object(of, _) if of == object))
        };
        let clients = self.clients.iter().filter(|(_, client)| match owner {
            Owner::Arena(arena) => client.owns(arena),
            Owner::Object(object) => client.arenas.iter().any(|&arena| maps(arena, object)),
        });
        clients.map(|(number, _)| number).collect()
    }

    fn expel(&mut self, number: u64, what: Offence) {
        let Some(client) = self.clients.get(number) else { return };
        eprintln!("mager: process {} is expelled: {what}", client.pid);
        self.expelled += 1;
        self.gone(number);
    }

    /// Gives back what a client that is gone was allowed to hold.
    pub(crate) fn condemn(&mut self, condemned: Condemned) {
        if !self.emptied(&condemned) {
            if let Some(process) = &condemned.process {
                eprintln!("mager: a process that is gone goes on filling its memory: it is killed");
                let _ = kill(process);
            }
            self.condemned.push(condemned);
        }
    }

    /// Tries again.
    fn bury(&mut self) {
        let condemned = std::mem::take(&mut self.condemned);
        self.condemned = condemned.into_iter().filter(|condemned| !self.emptied(condemned)).collect();
    }

    fn emptied(&mut self, condemned: &Condemned) -> bool {
        const TRIES: usize = 8;
        let whole = u64::from(u32::MAX) * u64::from(self.options.page_size);
        (0..TRIES).any(|_| {
            condemned.files.iter().for_each(|file| _ = file.punch(0, whole));
            self.machine.budget.close(condemned.allowance)
        })
    }
}
