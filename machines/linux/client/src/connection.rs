//! The connection to a pager: one request at a time, answered in order.

use crate::agent::{Agent, OnPagerDeath};
use crate::error::{Error, system};
use crate::fork;
use crate::gate::{Gate, Passage};
use mager_linux_sys::{pair, peer, receive, send};
use mager_linux_wire::{Facts, MAX_MESSAGE, Reply, Request, VERSION, decode, encode};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A connection, with the agent that serves the pager.
#[derive(Debug)]
pub struct Connection {
    /// Closed while something is said and done that must be whole, and while the process forks.
    pub(crate) gate: Gate,
    line: Mutex<Line>,
    facts: Facts,
    pub(crate) agent: Arc<Agent>,
    /// The process it belongs to: a child has inherited the descriptors, not the connection.
    owner: AtomicI32,
    follows: AtomicBool,
}

/// The socket, and room for what comes.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Line {
    fn new(socket: OwnedFd) -> Self {
        Line { socket, buffer: vec![0; MAX_MESSAGE].into_boxed_slice() }
    }

    /// Says what is not answered.
    pub(crate) fn tell(&self, request: &Request) -> Result<(), Error> {
        let bytes = encode(request).map_err(|why| Error::Protocol(why.to_string()))?;
        send(&self.socket, &bytes, &[], true).map_err(Error::Lost)
    }

    pub(crate) fn ask(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Answer {
        ask(&self.socket, &mut self.buffer, request, fds)
    }

    /// Asks over another socket.
    pub(crate) fn ask_over(&mut self, socket: &OwnedFd, request: &Request) -> Answer {
        ask(socket, &mut self.buffer, request, &[])
    }
}

/// Connects to a pager that may be trusted: this user's, or root's. In a directory for everybody anyone can have put a
/// socket of that name.
fn connect(path: &Path) -> Result<OwnedFd, Error> {
    let socket = mager_linux_sys::connect(path).map_err(Error::Lost)?;
    // Of who listens, as the kernel noted it then.
    let (_, owner) = peer(&socket).map_err(Error::Lost)?;
    let trusted = owner == rustix::process::geteuid().as_raw() || owner == 0;
    if trusted { Ok(socket) } else { Err(Error::Stranger(owner)) }
}

pub(crate) type Answer = Result<(Reply, Vec<OwnedFd>), Error>;

fn ask(socket: &OwnedFd, buffer: &mut [u8], request: &Request, fds: &[BorrowedFd<'_>]) -> Answer {
    let bytes = encode(request).map_err(|why| Error::Protocol(why.to_string()))?;
    send(socket, &bytes, fds, true).map_err(Error::Lost)?;
    let got = receive(socket, buffer, true).map_err(Error::Lost)?;
    if got.len == 0 {
        return Err(Error::Lost(std::io::ErrorKind::UnexpectedEof.into()));
    }
    match decode(&buffer[..got.len]).map_err(|why| Error::Protocol(why.to_string()))? {
        Reply::Refused { errno, why } => Err(Error::Refused { errno, why }),
        reply => Ok((reply, got.fds)),
    }
}

/// The right to speak. No fork happens while somebody has it.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    line: MutexGuard<'a, Line>,
    _passage: Passage<'a>,
}

impl Turn<'_> {
    pub(crate) fn ask(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Answer {
        self.line.ask(request, fds)
    }

    /// A request that is answered by nothing but success, and perhaps a descriptor.
    pub(crate) fn request(
        &mut self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<Option<OwnedFd>, Error> {
        match self.ask(request, fds)? {
            (Reply::Done, fds) => Ok(fds.into_iter().next()),
            (other, _) => Err(unexpected(&other)),
        }
    }
}

impl Connection {
    /// Connects to the pager that listens at `path`.
    pub fn to(path: &Path, on_death: OnPagerDeath) -> Result<Arc<Self>, Error> {
        Self::over(connect(path)?, on_death)
    }

    /// Speaks over a socket that a pager has the other end of.
    pub fn over(socket: OwnedFd, on_death: OnPagerDeath) -> Result<Arc<Self>, Error> {
        let mut line = Line::new(socket);
        let (ours, theirs) = pair().map_err(system("a socket for the agent"))?;
        let (reply, _) = line.ask(&Request::Hello { version: VERSION }, &[theirs.as_fd()])?;
        let Reply::Welcome(facts) = reply else { return Err(unexpected(&reply)) };
        let agent = Agent::new(ours, facts, on_death);
        agent.start().map_err(system("a thread for the agent"))?;
        let connection = Arc::new(Connection {
            gate: Gate::new(),
            line: Mutex::new(line),
            facts,
            agent,
            owner: AtomicI32::new(fork::process()),
            follows: AtomicBool::new(false),
        });
        fork::enlist(&connection).map_err(system("handlers of forks"))?;
        Ok(connection)
    }

    /// From now on a child that is forked by the C library keeps all arenas of this connection: as they are at the time of
    /// the fork, at the same addresses, its own to change. [`Connection`], [`crate::Arena`] and pointers mean the child's
    /// own in the child. Where a child cannot have them (no swap is left to reserve) it is said on standard error, and the
    /// child is as one that does not follow: its touches end in SIGSEGV, its requests in [`Error::NotFollowed`]. To have
    /// the fork itself fail instead, see [`crate::fork_or_refuse`] and [`crate::Forking`].
    pub fn follow_forks(&self) -> Result<(), Error> {
        fork::attach_on_touch().map_err(system("a handler of SIGSEGV"))?;
        self.follows.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The pager's figures as JSON, by a connection of their own.
    pub fn observe(path: &Path) -> Result<String, Error> {
        let mut line = Line::new(connect(path)?);
        figures(line.ask(&Request::Observe, &[])?.0)
    }

    /// The pager's figures as JSON.
    pub fn figures(&self) -> Result<String, Error> {
        figures(self.turn()?.ask(&Request::Observe, &[])?.0)
    }

    /// The descriptors it lives by. Whoever closes one of them loses the pager.
    #[must_use]
    pub fn descriptors(&self) -> [RawFd; 2] {
        let _passage = self.gate.pass();
        [self.line().socket.as_raw_fd(), self.agent.socket.as_raw_fd()]
    }

    /// The pager's fixed facts.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Waits until nobody else speaks, and no fork is under way.
    pub(crate) fn turn(&self) -> Result<Turn<'_>, Error> {
        let passage = self.gate.pass();
        if !self.is_ours() {
            return Err(Error::NotFollowed);
        }
        Ok(Turn { line: self.line(), _passage: passage })
    }

    /// Only behind the gate.
    pub(crate) fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it belongs to this process.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == fork::process()
    }

    pub(crate) fn set_owner(&self, process: i32) {
        self.owner.store(process, Ordering::Relaxed);
    }

    pub(crate) fn follows(&self) -> bool {
        self.follows.load(Ordering::Relaxed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_ours() {
            self.agent.dismiss();
        }
    }
}

fn figures(reply: Reply) -> Result<String, Error> {
    match reply {
        Reply::Figures(json) => Ok(json),
        other => Err(unexpected(&other)),
    }
}

pub(crate) fn unexpected(reply: &Reply) -> Error {
    Error::Protocol(format!("unexpected answer {reply:?}"))
}
