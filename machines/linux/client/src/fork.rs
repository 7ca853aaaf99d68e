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
use mager_linux_sys::{AtFork, SignalMask, SignalStack};
use rustix::fd::OwnedFd;
use std::cell::Cell;
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
    /// Its process.
    of: AtomicI32,
    connections: Mutex<Vec<Weak<Connection>>>,
    prepared: Mutex<Option<Prepared>>,
    /// Forks that were not to happen, by the threads that have yet to be told.
    refused: Mutex<Vec<(i32, Error)>>,
}

static FORKS: Forks = Forks {
    gate: Gate::new(),
    by: AtomicI32::new(0),
    of: AtomicI32::new(0),
    connections: Mutex::new(Vec::new()),
    prepared: Mutex::new(None),
    refused: Mutex::new(Vec::new()),
};

/// A fork that is about to happen.
struct Prepared {
    parent: i32,
    heirs: Vec<Heir>,
    /// What the parent's descriptors are to mean in a child that has no arenas.
    nothing: Option<OwnedFd>,
    /// The forking thread's own stack for signal handlers comes back when this is dropped.
    stack: Option<SignalStack>,
    /// The signals that the forking thread had blocked before.
    signals: SignalMask,
    /// Why the fork is not to happen: the child, which can no more be prevented, ends before anything runs in it.
    refused: Option<Error>,
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

    fn refused(&self) -> MutexGuard<'_, Vec<(i32, Error)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the caller is about to fork or has just forked, in either process: nobody else may touch what is prepared.
    fn are_the_callers(&self) -> bool {
        let by = self.by.load(Ordering::Relaxed);
        by != 0 && (by == thread() || self.of.load(Ordering::Relaxed) != process())
    }

    fn begin(&self) {
        self.gate.close();
        self.of.store(process(), Ordering::Relaxed);
        self.by.store(thread(), Ordering::Relaxed);
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

/// A fork that is about to happen, prepared by hand: so that it can be refused, whoever forks and how. The calling thread forks next, or drops
/// this; until then its signals are held, and nothing else of this crate is called by it. Both processes drop it after the fork.
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

thread_local! {
    /// The thread forks by [`fork_or_refuse`].
    static CAN_REFUSE: Cell<bool> = const { Cell::new(false) };
}

/// Forks by `fork`, which is the C library's, unless the child could not have its arenas: then there is none. Unlike with
/// [`Forking`], the child's arenas are as the program's own handlers of forks leave them, which take its locks; whether
/// there is swap for them shows only then, so the process may be sent a SIGCHLD for the child that was not to be.
pub fn fork_or_refuse(fork: impl FnOnce() -> i32) -> Result<i32, Error> {
    // A handler of the program's may fork meanwhile.
    let before = CAN_REFUSE.replace(true);
    let child = fork();
    CAN_REFUSE.set(before);
    match refusal() {
        Some(why) if child > 0 => {
            mager_linux_sys::reap(child);
            Err(why)
        }
        _ => Ok(child),
    }
}

/// Why the calling thread's fork was refused, if it was.
fn refusal() -> Option<Error> {
    let _passage = FORKS.gate.pass();
    let mut refused = FORKS.refused();
    let at = refused.iter().position(|&(by, _)| by == thread())?;
    Some(refused.swap_remove(at).1)
}

/// Before a fork by the C library.
fn before() {
    if FORKS.are_the_callers() {
        return;
    }
    let Err(why) = prepare() else { return };
    if CAN_REFUSE.get() {
        FORKS.prepared().as_mut().expect("fork: it was prepared").refused = Some(why);
    } else {
        eprintln!("mager: a forked child is left without its arenas: {why}");
    }
}

/// Closes all gates and has the pager make what the child is to have; what failed first.
fn prepare() -> Result<(), Error> {
    // The C library, too, touches the heap in a child, whatever it had blocked.
    let signals = SignalMask::hold_but_for_touches();
    FORKS.begin();
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
    let (parent, stack) = (process(), SignalStack::lend());
    let prepared = Prepared { parent, heirs, nothing, stack, signals, refused: None, tried: false };
    *FORKS.prepared() = Some(prepared);
    failed
}

/// After a fork, in either process; by the C library or by hand, whichever comes first.
fn settle() {
    if !FORKS.are_the_callers() {
        return;
    }
    let Some(mut prepared) = FORKS.prepared().take() else { return };
    let Prepared { signals, .. } = prepared;
    if prepared.parent == process() {
        FORKS.refused().extend(prepared.refused.take().map(|why| (thread(), why)));
        prepared.heirs.into_iter().for_each(Heir::parent);
    } else {
        prepared.attach();
        HEIRS.store(process(), Ordering::Relaxed);
        FORKS.refused().clear();
        prepared.heirs.into_iter().for_each(Heir::child);
    }
    drop(prepared.stack);
    FORKS.over();
    signals.restore();
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
        if self.refused.is_some() {
            mager_linux_sys::exit_now(1);
        }
        if !std::mem::replace(&mut self.tried, true) {
            self.heirs.iter_mut().for_each(|heir| heir.attach(self.nothing.as_ref()));
        }
    }
}
