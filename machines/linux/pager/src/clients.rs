//! Connections: who is at the other end, and which arenas are his.
//!
//! A process that connects several times, and the children it forks with its arenas, are one client as far as limits go:
//! a *family*. So nobody gets more by connecting or forking again.

use crate::budget::AllowanceNo;
use mager_pager::{ArenaId, ObjectNo};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) socket: OwnedFd,
    pub(crate) pid: i32,
    /// What it runs, for people.
    pub(crate) command: String,
    /// The process, where it is known and not the pager's own.
    pub(crate) process: Option<OwnedFd>,
    pub(crate) greeted: bool,
    pub(crate) agent: Option<Rc<OwnedFd>>,
    pub(crate) arenas: Vec<ArenaId>,
    /// The first connection of its family.
    pub(crate) family: u64,
    /// The connection was made for a child.
    pub(crate) forked: bool,
    /// Of such a connection: whose child, until the fork is over.
    pub(crate) kin: Option<Kin>,
    /// And a pipe's end that is closed with it, and through which nothing is ever sent.
    pub(crate) lifeline: Option<OwnedFd>,
    /// What was counted for arenas it has given up.
    pub(crate) past: Counted,
    /// Of what memory its arenas may hold; there from the first arena on.
    pub(crate) allowance: Option<AllowanceNo>,
    /// The file that a flush was asked of.
    pub(crate) flushing: Option<ObjectNo>,
}

/// The client that forks, and the thread of it that does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kin {
    pub(crate) parent: u64,
    pub(crate) thread: i32,
}

/// What is counted for each arena.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) faults: u64,
    pub(crate) page_ins: u64,
}

impl std::ops::AddAssign for Counted {
    fn add_assign(&mut self, more: Counted) {
        self.faults += more.faults;
        self.page_ins += more.page_ins;
    }
}

impl Client {
    pub(crate) fn owns(&self, arena: ArenaId) -> bool {
        self.arenas.contains(&arena)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    clients: BTreeMap<u64, Client>,
    last: u64,
}

impl Clients {
    pub(crate) fn count(&self) -> usize {
        self.clients.len()
    }

    /// `parent`: whose family it belongs to; without one its process says.
    pub(crate) fn add(&mut self, client: Client, parent: Option<u64>) -> u64 {
        self.last += 1;
        let parent = parent.and_then(|parent| self.get(parent)).map(|parent| parent.family);
        let family = parent.or_else(|| self.family_of(client.pid)).unwrap_or(self.last);
        self.clients.insert(self.last, Client { family, ..client });
        self.last
    }

    /// The family of a process that has connected before. A child's connection has its parent's number, who may be gone.
    pub(crate) fn family_of(&self, pid: i32) -> Option<u64> {
        let same = |client: &&Client| client.pid == pid && !client.forked;
        Some(self.clients.values().find(same)?.family)
    }

    pub(crate) fn in_family(&self, family: u64) -> impl Iterator<Item = &Client> {
        self.clients.values().filter(move |client| client.family == family)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Client> {
        self.clients.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Client> {
        self.clients.get_mut(&number)
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Client> {
        self.clients.remove(&number)
    }

    /// Connections made for children of `parent` inherit nothing more.
    pub(crate) fn forget_kin(&mut self, parent: u64) {
        for client in self.clients.values_mut() {
            client.kin = client.kin.filter(|kin| kin.parent != parent);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Client)> {
        self.clients.iter().map(|(&number, client)| (number, client))
    }
}
