//! One connection around a fork: what the child is to have, made before; and how it comes to have it.
//!
//! From when it has it until its agent listens, nobody in the child would notice that the pager is gone, and there is
//! memory to wait for: the C library touches the heap even to begin the agent's thread. Meanwhile the kernel kills the
//! child with the pager. It ends without a word: the parent, whose pager it was, has one.

use crate::body::Body;
use crate::connection::{Connection, Line, unexpected};
use crate::error::{Error, system};
use crate::fork::process;
use mager_linux_sys::{Userfault, die_with_writer, outlive_writer, pair, receive, replace, send};
use mager_linux_wire::{ArenaId, Facts, Reply, Request, encode};
use rustix::fd::{AsFd, OwnedFd};
use std::io;
use std::sync::{Arc, Weak};

/// A connection whose gates are closed for a fork.
pub(crate) struct Heir {
    connection: Arc<Connection>,
    bodies: Vec<Arc<Body>>,
    estate: Option<Estate>,
    /// In the child: it has taken the estate.
    taken: bool,
}

/// What the child is to have.
struct Estate {
    socket: OwnedFd,
    agent: OwnedFd,
    /// A pipe that ends with the pager, and through which nothing comes.
    lifeline: OwnedFd,
    arenas: Vec<Copied>,
    /// What the pager says when all is well.
    done: Vec<u8>,
}

/// A copy of an arena.
struct Copied {
    body: Arc<Body>,
    id: ArenaId,
    memory: OwnedFd,
    files: Vec<Shown>,
    /// [`Request::Attach`], written down already.
    attach: Vec<u8>,
    /// As in [`Facts`].
    minor: bool,
    /// In the child: the window shows it.
    mapped: bool,
}

/// A part of an arena where a file is shown, in bytes.
struct Shown {
    offset: u64,
    len: u64,
    memory: OwnedFd,
    at: u64,
}

impl Heir {
    /// Closes the connection's gates, and has the pager copy its arenas if it follows forks. `thread` is going to fork.
    pub(crate) fn prepare(connection: Arc<Connection>, thread: i32) -> (Self, Result<(), Error>) {
        connection.gate.close();
        connection.agent.gate.close();
        let bodies: Vec<_> = connection.agent.bodies().iter().filter_map(Weak::upgrade).collect();
        let mut heir = Heir { connection, bodies, estate: None, taken: false };
        if !heir.connection.follows() || !heir.connection.is_ours() {
            return (heir, Ok(()));
        }
        let made = heir.make(thread);
        let failed = made.map(|estate| heir.estate = Some(estate));
        (heir, failed)
    }

    fn make(&self, thread: i32) -> Result<Estate, Error> {
        let mut line = self.connection.line();
        let (agent, theirs) = pair().map_err(system("a socket for the agent"))?;
        let mut fds = match line.ask(&Request::Fork { thread }, &[theirs.as_fd()])? {
            (Reply::Done, fds) => fds.into_iter(),
            (other, _) => return Err(unexpected(&other)),
        };
        let (Some(socket), Some(lifeline)) = (fds.next(), fds.next()) else {
            return Err(Error::Protocol("no connection came along, or no pipe".into()));
        };
        let done = encode(&Reply::Done).map_err(|why| Error::Protocol(why.to_string()))?;
        let living = self.bodies.iter().filter(|body| !body.is_gone());
        let facts = self.connection.facts();
        let arenas = living.map(|body| Copied::make(body, &mut line, &socket, facts));
        let arenas = arenas.collect::<Result<_, _>>()?;
        Ok(Estate { socket, agent, lifeline, arenas, done })
    }

    /// The fork is over, and this is still the parent. The child's descriptors are its own alone.
    pub(crate) fn parent(self) {
        if self.connection.follows() && self.connection.is_ours() {
            let _ = self.connection.line().tell(&Request::Forked);
        }
        self.open();
    }

    /// Takes the estate, or shuts the child out. Safe in a signal handler.
    pub(crate) fn attach(&mut self, nothing: Option<&OwnedFd>) {
        if let Some(estate) = &mut self.estate {
            self.taken = estate.take(&self.connection).is_ok();
            if !self.taken {
                estate.renounce();
                say("mager: a forked child could not attach to its arenas, and is left without them\n");
            }
        }
        if !self.taken {
            self.shut_out(nothing);
        }
    }

    /// The parent's memory is out of reach: nothing lies where the arenas were, and no descriptor leads there.
    fn shut_out(&self, nothing: Option<&OwnedFd>) {
        self.connection.set_owner(0);
        for body in &self.bodies {
            let _ = body.window.bar();
        }
        let Some(nothing) = nothing else { return };
        let _ = replace(&self.connection.line().socket, nothing);
        let _ = replace(&self.connection.agent.socket, nothing);
        for body in &self.bodies {
            let _ = replace(&body.uffd, nothing);
            let _ = replace(&body.memory, nothing);
        }
    }

    /// In the child, when it has been tried to attach.
    pub(crate) fn child(self) {
        if self.taken && self.connection.agent.start().is_err() {
            say(
                "mager: a forked child has no thread for its agent: its pages are evicted in the order they came\n",
            );
        }
        if let Some(estate) = self.estate.as_ref().filter(|_| self.taken) {
            let _ = outlive_writer(&estate.lifeline);
        }
        self.open();
    }

    fn open(self) {
        self.connection.agent.gate.open();
        self.connection.gate.open();
    }

    /// Whether there is memory at this address now.
    pub(crate) fn has(&self, address: u64) -> bool {
        self.taken && self.bodies.iter().any(|body| body.window.contains(address))
    }
}

impl Estate {
    /// The parent's descriptors come to mean the child's: the pager is told with whom it speaks.
    fn take(&mut self, connection: &Connection) -> io::Result<()> {
        replace(&connection.line().socket, &self.socket)?;
        replace(&connection.agent.socket, &self.agent)?;
        for copied in &mut self.arenas {
            copied.attach(&self.socket, &self.done)?;
        }
        if connection.agent.ends_with_pager() {
            die_with_writer(&self.lifeline)?;
        }
        connection.set_owner(process());
        // Only now: what is sealed could not be renounced.
        for copied in self.arenas.iter().filter(|copied| copied.body.is_sealed()) {
            let _ = copied.body.window.seal();
        }
        Ok(())
    }

    /// What was mapped is not mapped any more: without a pager it would read as zeros.
    fn renounce(&self) {
        for copied in self.arenas.iter().filter(|copied| copied.mapped) {
            let _ = copied.body.window.leave();
        }
    }
}

impl Copied {
    fn make(body: &Arc<Body>, line: &mut Line, socket: &OwnedFd, facts: Facts) -> Result<Self, Error> {
        let (reply, fds) = line.ask_over(socket, &Request::Inherit(body.id()))?;
        let Reply::Arena { arena: id, files } = reply else { return Err(unexpected(&reply)) };
        let mut fds = fds.into_iter();
        let memory = fds.next().ok_or_else(|| Error::Protocol("no memory came along".into()))?;
        let bytes = |pages: u32| u64::from(pages) * u64::from(facts.page_size);
        let shown = files.into_iter().zip(fds).map(|(file, memory)| Shown {
            offset: bytes(file.page),
            len: bytes(file.count),
            memory,
            at: bytes(file.block),
        });
        let attach = Request::Attach { arena: id, base: body.window.base() };
        let attach = encode(&attach).map_err(|why| Error::Protocol(why.to_string()))?;
        Ok(Copied {
            body: Arc::clone(body),
            id,
            memory,
            files: shown.collect(),
            attach,
            minor: facts.minor,
            mapped: false,
        })
    }

    fn attach(&mut self, socket: &OwnedFd, done: &[u8]) -> io::Result<()> {
        let window = &self.body.window;
        window.map_afresh(&self.memory)?;
        self.mapped = true;
        for shown in &self.files {
            window.map(shown.offset, shown.len, &shown.memory, shown.at, true)?;
        }
        let uffd = Userfault::open()?;
        uffd.register(window.base(), window.len(), self.minor)?;
        for shown in &self.files {
            uffd.register(window.base() + shown.offset, shown.len, true)?;
        }
        replace(&self.body.uffd, &uffd)?;
        replace(&self.body.memory, &self.memory)?;
        send(socket, &self.attach, &[uffd.as_fd()], true)?;
        let mut answer = [0; 64];
        let got = receive(socket, &mut answer, true)?;
        self.body.becomes(self.id);
        if answer.get(..got.len) == Some(done) { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
    }
}

/// To standard error, without its lock, which another thread of the parent may have had at the fork.
pub(crate) fn say(text: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
}
