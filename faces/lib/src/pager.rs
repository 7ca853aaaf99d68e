//! A pager, as its client holds it.

use crate::arena::Arena;
use crate::builder::Builder;
use crate::error::Error;
use crate::process::Host;
use mager_linux_client::{Connection, OnPagerDeath};
use mager_linux_wire::figures::Figures;
use rustix::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// A pager. Copies are the same one; it is left when the last of them, and of what was made of it, is dropped.
#[derive(Clone, Debug)]
pub struct Pager(pub(crate) Arc<Held>);

/// In this order: a pager of our own ends when the connection is closed, and only then can be waited for.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) connection: Arc<Connection>,
    _host: Host,
}

impl Pager {
    /// A pager of one's own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A standing pager, started by `mager serve --socket SOCKET`, whose frames all its clients share. If it dies, this
    /// program ends.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn join(socket: impl AsRef<Path>) -> Result<Pager, Error> {
        Self::join_for(socket, OnPagerDeath::End)
    }

    /// As [`Pager::join`], with a say in what becomes of this program if the pager dies.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn join_for(socket: impl AsRef<Path>, on_death: OnPagerDeath) -> Result<Pager, Error> {
        let connection = Connection::to(socket.as_ref(), on_death)?;
        Ok(Pager(Arc::new(Held { connection, _host: Host::Elsewhere })))
    }

    pub(crate) fn over(socket: OwnedFd, host: Host, on_death: OnPagerDeath) -> Result<Pager, Error> {
        let connection = Connection::over(socket, on_death)?;
        Ok(Pager(Arc::new(Held { connection, _host: host })))
    }

    /// A new arena. One is enough for most programs.
    ///
    /// # Errors
    /// The pager refuses another one, or there is no userfaultfd for it.
    pub fn arena(&self) -> Result<Arena, Error> {
        Arena::new(self)
    }

    /// From now on a child that is forked by the C library keeps all arenas: as they are at the time of the fork, at the
    /// same addresses, its own to change. A pager of this program's own goes on as long as any of the children; letting
    /// go of the last handle waits for that.
    ///
    /// # Errors
    /// A handler of SIGSEGV or of forks cannot be set.
    pub fn follow_forks(&self) -> Result<(), Error> {
        Ok(self.0.connection.follow_forks()?)
    }

    /// What the pager has done, and holds.
    ///
    /// # Errors
    /// It is gone.
    pub fn statistics(&self) -> Result<Figures, Error> {
        Ok(serde_json::from_str(&self.0.connection.figures()?)?)
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.0.connection.facts().page_size as usize
    }
}

/// Whether this system gives programs of this user the userfaultfd that arenas need. `mager doctor` says more.
#[must_use]
pub fn possible() -> bool {
    mager_linux_sys::Userfault::open().is_ok()
}
