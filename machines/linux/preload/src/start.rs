//! From the first allocation to a working arena.

use crate::heap::Heap;
use crate::mappings::Mappings;
use crate::shortage::Shortage;
use crate::{address, children, descriptors, environment, masks, sys, tell};
use mager_linux_client::{Arena, Connection, Error, Gate, OnPagerDeath, Pages};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Where the pager listens.
const SOCKET: &str = "MAGER_RUN_SOCKET";
/// Descriptors of our own begin here: programs count on the low ones, shells use some up to 255.
const FLOOR: i32 = 900;

const NOT_YET: u8 = 0;
const STARTING: u8 = 1;
const READY: u8 = 2;
const OFF: u8 = 3;
/// The gate is closed for a fork: whoever forks must do without the zones, in both processes.
const FORKING: u8 = 4;

static STATE: AtomicU8 = AtomicU8::new(NOT_YET);
static MANAGED: OnceLock<Managed> = OnceLock::new();

/// What serves the program.
#[derive(Debug)]
pub(crate) struct Managed {
    pub(crate) arena: Arena,
    _connection: Arc<Connection>,
    /// Closed while the zones are looked at or changed, and while the process forks.
    pub(crate) gate: Gate,
    /// Behind the gate, so that no fork finds it locked.
    zones: Mutex<Zones>,
    /// Of the heap and of mappings: what one gives back, the other may have. Behind the zones.
    shortage: Mutex<Shortage>,
}

/// Which parts of the arena are in use.
#[derive(Debug)]
pub(crate) struct Zones {
    pub(crate) heap: Heap,
    pub(crate) mappings: Mappings,
}

impl Zones {
    /// A mapping of fresh zeros; where it is.
    pub(crate) fn map(&mut self, managed: &Managed, len: usize, align: usize) -> Result<usize, Error> {
        self.or_from_what_is_idle(managed, |mappings| mappings.map(managed, len, align))
    }

    /// Does it again if swap is short, when the heap has given up what it has only reserved ahead.
    pub(crate) fn or_from_what_is_idle<T>(
        &mut self,
        managed: &Managed,
        work: impl Fn(&mut Mappings) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match work(&mut self.mappings) {
            Err(Error::Refused { .. }) => {
                self.heap.give_up_what_nobody_asked_for(managed)?;
                work(&mut self.mappings)
            }
            done => done,
        }
    }

    /// In a forked child, whose arena is readable and writable all over.
    pub(crate) fn guard_again(&self) {
        self.heap.guard_again();
        self.mappings.guard_again();
    }
}

/// Who is to serve a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Server {
    /// The arena.
    Arena,
    /// The C library.
    System,
}

/// Who serves an allocation, or a mapping that may be the arena's. The first one starts everything.
#[inline]
pub(crate) fn server() -> Server {
    if STATE.load(Ordering::Acquire) == READY { Server::Arena } else { not_ready() }
}

/// Whether everything works already; starts nothing.
#[inline]
pub(crate) fn managed() -> Option<&'static Managed> {
    match STATE.load(Ordering::Acquire) {
        READY => MANAGED.get(),
        FORKING if !children::is_forker() => MANAGED.get(),
        _ => None,
    }
}

/// Everything works, but that a fork is under way.
pub(crate) fn while_forking() -> Option<&'static Managed> {
    MANAGED.get()
}

/// A fork begins, or is over.
pub(crate) fn set_forking(forking: bool) {
    STATE.store(if forking { FORKING } else { READY }, Ordering::Release);
}

#[cold]
fn not_ready() -> Server {
    loop {
        match STATE.load(Ordering::Acquire) {
            READY => return Server::Arena,
            FORKING if children::is_forker() => return Server::System,
            FORKING => return Server::Arena,
            OFF => return Server::System,
            NOT_YET if !sys::has_environment() => return Server::System,
            NOT_YET => begin(),
            // What is allocated meanwhile must not be the arena's: by this thread, as there is none yet; by the agent's, as
            // nobody would notice that the pager is gone while it waits for memory.
            _ => return Server::System,
        }
    }
}

fn begin() {
    if STATE.compare_exchange(NOT_YET, STARTING, Ordering::Acquire, Ordering::Relaxed).is_err() {
        return;
    }
    let state = match std::env::var_os(SOCKET) {
        None => OFF,
        Some(socket) => {
            let socket = PathBuf::from(socket);
            match Managed::start(&socket) {
                Ok(()) => {
                    tell::say_if_asked(&format!(
                        "process {} has its memory from the pager at {}",
                        sys::process(),
                        socket.display()
                    ));
                    READY
                }
                Err(why) => tell::give_up(&format!(
                    "this program cannot have its memory from the pager at {}: {why}",
                    socket.display()
                )),
            }
        }
    };
    STATE.store(state, Ordering::Release);
}

impl Managed {
    fn start(socket: &std::path::Path) -> Result<(), Error> {
        masks::remember();
        environment::remember();
        mager_linux_sys::keep_descriptors_above(FLOOR);
        let connection = Connection::to(socket, OnPagerDeath::End)?;
        let arena = Arena::new(&connection)?;
        connection.follow_forks()?;
        descriptors::protect(connection.descriptors().into_iter().chain(arena.descriptors()));
        let (base, len) = arena.addresses();
        let (base, len) = (sys::word(base), sys::word(len));
        let page = sys::word(arena.page_size());
        let heap = Heap::new(base, len / 2, page);
        let mappings = Mappings::new(base, page, len / 2, len);
        address::set(base, len / 2, len);
        let zones = Mutex::new(Zones { heap, mappings });
        let shortage = Mutex::default();
        let managed = Managed { arena, _connection: connection, gate: Gate::new(), zones, shortage };
        let _ = MANAGED.set(managed);
        children::watch_forks();
        sys::give_to_allocator(base, len / 2);
        Ok(())
    }

    /// The zones, while nobody else has them. They must not be asked for again meanwhile.
    pub(crate) fn zones<T>(&self, work: impl FnOnce(&mut Zones) -> T) -> T {
        let _passage = self.gate.pass();
        work(&mut self.zones.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has swap reserved for these pages.
    pub(crate) fn commit(&self, pages: Pages) -> Result<(), Error> {
        self.shortage().commit(&self.arena, pages)
    }

    /// Something was given back. Behind the gate, as all of this is.
    pub(crate) fn has_room(&self) {
        self.shortage().ends();
    }

    fn shortage(&self) -> MutexGuard<'_, Shortage> {
        self.shortage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of the arena, from its start, as pages; whole pages only.
    pub(crate) fn pages(&self, start: usize, end: usize) -> Pages {
        let page = sys::word(self.arena.page_size());
        let number = |at: usize| u32::try_from(at / page).unwrap_or(u32::MAX);
        Pages { page: number(start), count: number(end) - number(start) }
    }
}
