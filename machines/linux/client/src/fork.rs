//! What happens around a fork, to all connections of the process.
//!
//! ```text
//! before    all gates close; for each connection that follows, the pager copies its arenas for the child
//! fork      arenas are not inherited (MADV_DONTFORK): where they were, the child has nothing
//! parent    its copies of the child's descriptors close; gates open
//! child     maps its own memory where the arenas were, has a userfaultfd of its own and tells the pager; or, where it
//!           is not to have them, nothing else comes to lie there; in both cases the parent's descriptors close
//! ```
//! Who touches an arena in the child before that (the C library, handlers that others registered) gets a SIGSEGV, whose
//! handler does the same at once. It must not wait or allocate: the fork happened with all gates closed, so that nothing
//! here is locked; what is to be said was written down before.

use crate::agent::end_if_stranded;
use crate::connection::Connection;
use crate::error::Error;
use crate::forked::Heir;
use crate::gate::Gate;
use mager_linux_sys::{AtFork, SignalStack};
use rustix::fd::OwnedFd;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The calling process. Asked of the kernel, so that a child never takes itself for its parent.
pub(crate) fn process() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// The forks of the process, one at a time.
struct Forks {
    /// Closed from before a fork until it is over.
    gate: Gate,
    /// The thread that closed it.
    by: AtomicI32,
    connections: Mutex<Vec<Weak<Connection>>>,
    prepared: Mutex<Option<Prepared>>,
}

static FORKS: Forks = Forks {
    gate: Gate::new(),
    by: AtomicI32::new(0),
    connections: Mutex::new(Vec::new()),
    prepared: Mutex::new(None),
};

/// A fork that is about to happen.
struct Prepared {
    parent: i32,
    heirs: Vec<Heir>,
    /// What the parent's descriptors are to mean in a child that has no arenas.
    nothing: Option<OwnedFd>,
    /// The forking thread's own stack for signal handlers comes back when this is dropped.
    _stack: Option<SignalStack>,
    /// In the child: everything has been tried to give it its arenas.
    tried: bool,
}

impl Forks {
    fn connections(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepared(&self) -> MutexGuard<'_, Option<Prepared>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) {
        self.by.store(0, Ordering::Relaxed);
        self.gate.open();
    }
}

/// Has `connection` take part in forks, as a follower or as one that keeps the child out.
pub(crate) fn enlist(connection: &Arc<Connection>) -> io::Result<()> {
    mager_linux_sys::at_fork(AtFork { before, parent: settle, child: settle })?;
    let _passage = FORKS.gate.pass();
    FORKS.connections().push(Arc::downgrade(connection));
    Ok(())
}

/// The process whose arenas these are: this one, unless it was made by a bare clone(2) or fork(2).
static HEIRS: AtomicI32 = AtomicI32::new(0);

/// Has a child attach when it touches an arena before the handlers of its fork have run.
pub(crate) fn attach_on_touch() -> io::Result<()> {
    HEIRS.store(process(), Ordering::Relaxed);
    mager_linux_sys::on_bad_touch(touched)?;
    TOUCHES_SEEN.store(true, Ordering::Release);
    Ok(())
}

/// Bad touches come to [`touched`].
static TOUCHES_SEEN: AtomicBool = AtomicBool::new(false);

pub(crate) fn touches_seen() -> bool {
    TOUCHES_SEEN.load(Ordering::Acquire)
}

/// A fork that is about to happen, prepared by hand: so that it can be refused. The calling thread forks next, or drops
/// this; until then, nothing else of this crate is called by it. Both processes drop it after the fork.
///
/// ```no_run
/// # fn fork() -> i32 { 0 }
/// let forking = mager_linux_client::Forking::prepare()?; // not enough swap: the fork does not happen
/// let child = fork();
/// drop(forking);
/// # Ok::<(), mager_linux_client::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, the fork is over"]
pub struct Forking {
    thread_bound: PhantomData<*const ()>,
}

impl Forking {
    /// Copies all arenas of all connections that follow forks, for a child. Refused, nothing has changed.
    pub fn prepare() -> Result<Self, Error> {
        let prepared = prepare();
        if let Err(why) = prepared {
            settle();
            return Err(why);
        }
        Ok(Forking { thread_bound: PhantomData })
    }
}

impl Drop for Forking {
    fn drop(&mut self) {
        settle();
    }
}

/// Before a fork by the C library, which cannot be refused any more.
fn before() {
    if FORKS.by.load(Ordering::Relaxed) == thread() {
        return;
    }
    if let Err(why) = prepare() {
        eprintln!("mager: a forked child is left without its arenas: {why}");
    }
}

/// Closes all gates and has the pager make what the child is to have; what failed first.
fn prepare() -> Result<(), Error> {
    FORKS.gate.close();
    FORKS.by.store(thread(), Ordering::Relaxed);
    let mut connections = FORKS.connections();
    connections.retain(|connection| connection.strong_count() > 0);
    let mut failed = Ok(());
    let heirs = connections.iter().filter_map(Weak::upgrade).map(|connection| {
        let (heir, prepared) = Heir::prepare(connection, thread());
        if failed.is_ok() {
            failed = prepared;
        }
        heir
    });
    let heirs = heirs.collect();
    drop(connections);
    let nothing = rustix::fs::open("/dev/null", rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty()).ok();
    let prepared = Prepared { parent: process(), heirs, nothing, _stack: SignalStack::lend(), tried: false };
    *FORKS.prepared() = Some(prepared);
    failed
}

/// After a fork, in either process; by the C library or by hand, whichever comes first.
fn settle() {
    let Some(mut prepared) = FORKS.prepared().take() else { return };
    if prepared.parent == process() {
        prepared.heirs.into_iter().for_each(Heir::parent);
    } else {
        prepared.attach();
        HEIRS.store(process(), Ordering::Relaxed);
        prepared.heirs.into_iter().for_each(Heir::child);
    }
    FORKS.over();
}

/// In a signal handler: whether a touch of `address` succeeds now.
fn touched(address: u64) -> bool {
    end_if_stranded();
    // Only a child between its fork and its handlers finds something here, and has it to itself.
    let Ok(mut prepared) = FORKS.prepared.try_lock() else { return false };
    match prepared.as_mut() {
        Some(prepared) if prepared.parent != process() && !prepared.tried => {
            prepared.attach();
            prepared.heirs.iter().any(|heir| heir.has(address))
        }
        _ => {
            tell_a_stranger();
            false
        }
    }
}

/// A child that was made without the C library's fork has nothing of its parent's arenas: not a byte, wrong or right.
fn tell_a_stranger() {
    if HEIRS.load(Ordering::Relaxed) != process() {
        crate::forked::say(
            "mager: this process was made by a system call of the program's own, not by fork(3), and has none of its parent's managed memory\n",
        );
    }
}

impl Prepared {
    /// Gives the child what it is to have. Safe in a signal handler.
    fn attach(&mut self) {
        if !std::mem::replace(&mut self.tried, true) {
            self.heirs.iter_mut().for_each(|heir| heir.attach(self.nothing.as_ref()));
        }
    }
}
