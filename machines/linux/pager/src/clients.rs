//! Connections: who is at the other end, and which arenas are his.

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
    /// Of a connection that was made for a child: whose, until the fork is over.
    pub(crate) kin: Option<Kin>,
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

    pub(crate) fn add(&mut self, client: Client) -> u64 {
        self.last += 1;
        self.clients.insert(self.last, client);
        self.last
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
