//! The connection to a pager: one request at a time, answered in order.

use crate::agent::{self, Agent, OnPagerDeath};
use crate::error::{Error, system};
use mager_linux_sys::{connect, pair, receive, send};
use mager_linux_wire::{Facts, MAX_MESSAGE, Reply, Request, VERSION, decode, encode};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection, with the agent that serves the pager.
#[derive(Debug)]
pub struct Connection {
    talk: Mutex<Talk>,
    facts: Facts,
    pub(crate) agent: Arc<Agent>,
}

#[derive(Debug)]
struct Talk {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl Talk {
    fn new(socket: OwnedFd) -> Self {
        Talk { socket, buffer: vec![0; MAX_MESSAGE].into_boxed_slice() }
    }

    fn ask(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>), Error> {
        let bytes = encode(request).map_err(|why| Error::Protocol(why.to_string()))?;
        send(&self.socket, &bytes, fds, true).map_err(Error::Lost)?;
        let got = receive(&self.socket, &mut self.buffer, true).map_err(Error::Lost)?;
        if got.len == 0 {
            return Err(Error::Lost(std::io::ErrorKind::UnexpectedEof.into()));
        }
        match decode(&self.buffer[..got.len]).map_err(|why| Error::Protocol(why.to_string()))? {
            Reply::Refused { errno, why } => Err(Error::Refused { errno, why }),
            reply => Ok((reply, got.fds)),
        }
    }
}

impl Connection {
    /// Connects to the pager that listens at `path`.
    pub fn to(path: &Path, on_death: OnPagerDeath) -> Result<Arc<Self>, Error> {
        Self::over(connect(path).map_err(Error::Lost)?, on_death)
    }

    /// Speaks over a socket that a pager has the other end of.
    pub fn over(socket: OwnedFd, on_death: OnPagerDeath) -> Result<Arc<Self>, Error> {
        let mut talk = Talk::new(socket);
        let (ours, theirs) = pair().map_err(system("a socket for the agent"))?;
        let (reply, _) = talk.ask(&Request::Hello { version: VERSION }, &[theirs.as_fd()])?;
        let Reply::Welcome(facts) = reply else { return Err(unexpected(&reply)) };
        let agent = agent::start(ours, facts, on_death).map_err(system("a thread for the agent"))?;
        Ok(Arc::new(Connection { talk: Mutex::new(talk), facts, agent }))
    }

    /// The pager's figures as JSON, by a connection of their own.
    pub fn observe(path: &Path) -> Result<String, Error> {
        let mut talk = Talk::new(connect(path).map_err(Error::Lost)?);
        match talk.ask(&Request::Observe, &[])?.0 {
            Reply::Figures(json) => Ok(json),
            other => Err(unexpected(&other)),
        }
    }

    /// The pager's fixed facts.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts
    }

    pub(crate) fn ask(
        &self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(Reply, Vec<OwnedFd>), Error> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner).ask(request, fds)
    }

    /// A request that is answered by nothing but success, and one descriptor where `fd` says so.
    pub(crate) fn request(
        &self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<Option<OwnedFd>, Error> {
        match self.ask(request, fds)? {
            (Reply::Done, fds) => Ok(fds.into_iter().next()),
            (other, _) => Err(unexpected(&other)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.agent.dismiss();
    }
}

pub(crate) fn unexpected(reply: &Reply) -> Error {
    Error::Protocol(format!("unexpected answer {reply:?}"))
}
