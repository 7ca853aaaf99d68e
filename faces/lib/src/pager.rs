//! A pager, as its client holds it.

use crate::arena::Arena;
use crate::builder::Builder;
use crate::error::Error;
use crate::fallback::Fallback;
use crate::process::Host;
use mager_linux_client::{Connection, OnPagerDeath};
use mager_linux_wire::figures::Figures;
use rustix::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// A pager. Copies are the same one; it is left when the last of them, and of what was made of it, is dropped.
#[derive(Clone, Debug)]
pub struct Pager(pub(crate) Arc<Held>);

#[derive(Debug)]
pub(crate) enum Held {
    /// In this order: a pager of our own ends when the connection is closed, and only then can be waited for.
    Paged { connection: Arc<Connection>, _host: Host },
    /// There is none: the kernel pages.
    Fallback(Arc<Fallback>),
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
        Ok(Pager(Arc::new(Held::Paged { connection, _host: Host::Elsewhere })))
    }

    pub(crate) fn over(socket: OwnedFd, host: Host, on_death: OnPagerDeath) -> Result<Pager, Error> {
        let connection = Connection::over(socket, on_death)?;
        Ok(Pager(Arc::new(Held::Paged { connection, _host: host })))
    }

    pub(crate) fn fallback(fallback: Arc<Fallback>) -> Pager {
        Pager(Arc::new(Held::Fallback(fallback)))
    }

    /// Whether there is no pager, because [`Builder::fallback`] was asked for and needed: the kernel pages, and
    /// [`Builder::memory`] is not kept.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        matches!(&*self.0, Held::Fallback(_))
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
    /// A handler of SIGSEGV or of forks cannot be set; there is no pager ([`Pager::is_fallback`]).
    pub fn follow_forks(&self) -> Result<(), Error> {
        match &*self.0 {
            Held::Paged { connection, .. } => Ok(connection.follow_forks()?),
            Held::Fallback(_) => Err(Error::NoPager("children that keep their parent's memory")),
        }
    }

    /// What the pager has done, and holds. Without one ([`Pager::is_fallback`]) [`Figures::bound_by`] is `fallback`, and
    /// what only the kernel knows is 0.
    ///
    /// # Errors
    /// It is gone.
    pub fn statistics(&self) -> Result<Figures, Error> {
        match &*self.0 {
            Held::Paged { connection, .. } => Ok(serde_json::from_str(&connection.figures()?)?),
            Held::Fallback(fallback) => Ok(fallback.figures()),
        }
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> usize {
        match &*self.0 {
            Held::Paged { connection, .. } => connection.facts().page_size as usize,
            Held::Fallback(fallback) => fallback.page_size as usize,
        }
    }
}

/// Whether this system gives programs of this user the userfaultfd that arenas need. `mager doctor` says more.
#[must_use]
pub fn possible() -> bool {
    mager_linux_sys::Userfault::open().is_ok()
}
