//! Forks of clients: a connection for the child, copies of arenas, and stores that wait until the fork has happened.
//!
//! The copy is taken a little before the fork. The core has then made every private page of the arena read-only, so every
//! store to it comes here as a fault; those of other threads are held until the parent says that it has forked. One that the
//! core knows of already, as it waits for its page, gets the page for reading when that is there: it comes back as one to be
//! held. What the child finds is the arena as it was at the fork, but for what is stored meanwhile to pages that the forking
//! thread stores to itself, which are open to all then.

use crate::arenas::Attached;
use crate::clients::{Client, Kin};
use crate::requests::{Answer, No, wire_id};
use crate::server::Server;
use mager_driver::{Control, Outcome};
use mager_linux_sys::{Fault, MAX_FDS, pair};
use mager_linux_wire::{FileMapping, Reply};
use mager_pager::{ArenaId, Kind, Site};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Stores are not held longer, so that a client that forks in a way of its own does not wait for itself for ever: one that
/// needs, before it can fork, a lock that a held thread has. Then the child may find stores that are newer or older than
/// what it has besides, which is said. A busy system takes a while to fork, so this is long.
const MOST_FROZEN: Duration = Duration::from_secs(1);

/// An arena whose stores are held.
#[derive(Debug)]
pub(crate) struct Freeze {
    arena: ArenaId,
    /// The connection that was made for the child.
    pub(crate) child: u64,
    pub(crate) parent: u64,
    /// The thread that forks; its stores go on.
    thread: i32,
    pub(crate) since: Instant,
    held: Vec<Fault>,
}

/// Arenas whose processes are about to fork. Their pages are shown for reading only, whatever the core says: it does not know
/// of that, and shows such a page anew to whoever faults on it.
#[derive(Default, Debug)]
pub(crate) struct Frozen {
    freezes: Vec<Freeze>,
    /// But this one: the running step is about a store of the thread that forks.
    pub(crate) but: Option<Site>,
}

impl Frozen {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.freezes.is_empty()
    }

    #[inline]
    pub(crate) fn holds(&self, at: Site) -> bool {
        !self.is_empty() && self.but != Some(at) && self.freezes.iter().any(|freeze| freeze.arena == at.arena)
    }

    /// Whether this thread is about to fork, and has had this arena copied for that.
    pub(crate) fn by(&self, arena: ArenaId, thread: i32) -> bool {
        self.freezes.iter().any(|freeze| freeze.arena == arena && freeze.thread == thread)
    }
}

impl Server {
    /// A connection for a child, whose other end the parent hands on by forking: whoever is left without it, by exec or by
    /// death, loses what belongs to it.
    pub(crate) fn fork(&mut self, parent: u64, thread: i32, fds: Vec<OwnedFd>) -> Result<Answer, No> {
        let Some(&Client { pid, family, .. }) = self.clients.get(parent) else {
            return Err(Errno::PROTO.into());
        };
        self.may_connect(Some(family))?;
        let (ours, theirs) = pair()?;
        let (end, lifeline) = pipe_with(PipeFlags::CLOEXEC)?;
        // The least there is, as it counts against what a user may have; no matter if it is refused.
        let _ = fcntl_setpipe_size(&lifeline, 1);
        let command = self.clients.get(parent).map(|client| client.command.clone()).unwrap_or_default();
        // Of processes that have no number here, none is told.
        if pid != 0 {
            mager_linux_sys::tells_sender(&ours)?;
        }
        let number = self.connected(ours, pid, Some(parent))?;
        let child = self.clients.get_mut(number).ok_or(Errno::PROTO)?;
        child.agent = fds.into_iter().next().map(Rc::new);
        (child.greeted, child.command) = (true, command);
        child.kin = Some(Kin { parent, thread });
        child.lifeline = Some(lifeline);
        Ok(Some((Reply::Done, vec![theirs, end])))
    }

    /// The child of a connection gets a copy of an arena of the parent's.
    pub(crate) fn inherit(&mut self, child: u64, arena: ArenaId) -> Result<Answer, No> {
        let kin = self.clients.get(child).and_then(|client| client.kin);
        let Some(Kin { parent, thread }) = kin else {
            return Err(No::new(
                Errno::PROTO,
                "this connection was not made for a child, or its fork is over",
            ));
        };
        self.owned(parent, arena)?;
        self.may_reserve(child, self.driver.view().reserved_by(arena))?;
        let (mappings, mut fds) = self.file_mappings(arena)?;
        // Before that: what answers the core hears with the copy must open nothing.
        let freezes = &mut self.machine.frozen.freezes;
        freezes.push(Freeze { arena, child, parent, thread, since: Instant::now(), held: Vec::new() });
        let copied = self.copied(child, arena);
        if copied.is_err() {
            self.thaw(|freeze| freeze.child == child && freeze.arena == arena);
        }
        let (copy, memory) = copied?;
        fds.insert(0, memory);
        Ok(Some((Reply::Arena { arena: wire_id(copy), files: mappings }, fds)))
    }

    fn copied(&mut self, child: u64, arena: ArenaId) -> Result<(ArenaId, OwnedFd), No> {
        self.new_arena(child, |server| match server.control(Control::Fork(arena))? {
            Outcome::Arena(copy) => Ok(copy),
            _ => unreachable!("control: it makes an arena"),
        })
    }

    /// The client has forked, or could not.
    pub(crate) fn forked(&mut self, client: u64) -> Result<Answer, No> {
        self.clients.forget_kin(client);
        self.thaw(|freeze| freeze.parent == client);
        Ok(None)
    }

    fn file_mappings(&self, arena: ArenaId) -> Result<(Vec<FileMapping>, Vec<OwnedFd>), No> {
        let (mut mappings, mut fds) = (Vec::new(), Vec::new());
        for (pages, kind) in self.driver.view().regions(arena) {
            if let Kind::Object(object, block) = kind {
                let object = self.machine.objects.get(object).ok_or(Errno::BADF)?;
                mappings.push(FileMapping { page: pages.start.0, count: pages.count, block: block.0 });
                fds.push(object.memory.as_fd().try_clone_to_owned()?);
            }
        }
        if fds.len() + 1 > MAX_FDS {
            let why = format!("an arena with more than {} file mappings cannot be forked", MAX_FDS - 1);
            return Err(No::new(Errno::NFILE, why));
        }
        Ok((mappings, fds))
    }

    /// Whether a fault has to wait for a fork.
    pub(crate) fn hold(&mut self, arena: ArenaId, fault: &Fault) -> bool {
        let held = |freeze: &&mut Freeze| freeze.arena == arena && freeze.thread != fault.thread;
        match self.machine.frozen.freezes.iter_mut().find(held) {
            Some(freeze) if fault.write => {
                freeze.held.push(*fault);
                true
            }
            _ => false,
        }
    }

    /// Stores that waited too long go on.
    pub(crate) fn thaw_the_old(&mut self) {
        let old = |freeze: &Freeze| freeze.since.elapsed() > MOST_FROZEN;
        if let Some(freeze) = self.machine.frozen.freezes.iter().find(|freeze| old(freeze)) {
            eprintln!(
                "mager: arena {} was not forked in time: its stores go on before the fork",
                freeze.arena
            );
            self.thaw(old);
        }
    }

    /// Stores that waited go on.
    pub(crate) fn thaw(&mut self, over: impl Fn(&Freeze) -> bool) {
        if self.machine.frozen.is_empty() {
            return;
        }
        let freezes = std::mem::take(&mut self.machine.frozen.freezes);
        let (thawed, frozen): (Vec<_>, _) = freezes.into_iter().partition(over);
        self.machine.frozen.freezes = frozen;
        let now = Instant::now();
        for Freeze { arena, held, .. } in thawed {
            let attached = self.machine.arenas.get(arena).and_then(|record| record.attached.as_ref());
            let Some(&Attached { base, .. }) = attached else { continue };
            held.iter().for_each(|fault| self.fault(arena, base, fault, now));
        }
        // Nothing else need happen after this, and what they wait for is only begun.
        self.unfinished = true;
    }
}
