//! The agent: a thread of the client that does for the pager what only the client can do to its own memory, and notices
//! when the pager is gone.

use crate::body::Body;
use crate::fork::touches_seen;
use crate::forked::say;
use crate::gate::Gate;
use mager_linux_sys::{CpuMask, affinity, only_cpu, receive, set_affinity};
use mager_linux_wire::{Facts, MAX_MESSAGE, Order, decode};
use rustix::fd::OwnedFd;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError, Weak};

/// What a client does when its pager dies: its memory is gone with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnPagerDeath {
    /// The process says so and ends, with status [`PAGER_DIED`].
    End,
    /// Threads that touch what is not there stop for ever. Never are they shown wrong bytes.
    Stall,
}

/// The exit status of a client whose pager died.
pub const PAGER_DIED: i32 = 70;

/// The memory of this process is taken away, and it ends.
static STRANDED: AtomicBool = AtomicBool::new(false);

/// In a signal handler, at a bad touch: if that is how the process ends, it ends here.
pub(crate) fn end_if_stranded() {
    if STRANDED.load(Ordering::Acquire) {
        mager_linux_sys::exit_now(PAGER_DIED);
    }
}

#[derive(Debug)]
pub(crate) struct Agent {
    /// Closed while the agent works, and while the process forks.
    pub(crate) gate: Gate,
    bodies: Mutex<Vec<Weak<Body>>>,
    pub(crate) socket: OwnedFd,
    dismissed: AtomicBool,
    on_death: OnPagerDeath,
    page_size: u64,
}

impl Agent {
    pub(crate) fn new(socket: OwnedFd, facts: Facts, on_death: OnPagerDeath) -> Arc<Self> {
        Arc::new(Agent {
            gate: Gate::new(),
            bodies: Mutex::default(),
            socket,
            dismissed: AtomicBool::new(false),
            on_death,
            page_size: u64::from(facts.page_size),
        })
    }

    /// Starts its thread, and waits until that has allocated all it ever will: later the memory could be the pager's, and
    /// nobody would notice that the pager is gone. The program's signals are not for it.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<()> {
        let (ours, buffer) = (Arc::clone(self), vec![0; MAX_MESSAGE]);
        let begun = Arc::new(Barrier::new(2));
        let begins = Arc::clone(&begun);
        let thread = std::thread::Builder::new().name("mager-agent".into());
        let serve = move || {
            begins.wait();
            ours.serve(buffer);
        };
        mager_linux_sys::without_signals(|| thread.spawn(serve))?;
        begun.wait();
        Ok(())
    }

    pub(crate) fn knows(&self, body: &Arc<Body>) {
        let _passage = self.gate.pass();
        let mut bodies = self.bodies();
        bodies.retain(|body| body.strong_count() > 0);
        bodies.push(Arc::downgrade(body));
    }

    /// The arenas there are. Only behind the gate.
    pub(crate) fn bodies(&self) -> MutexGuard<'_, Vec<Weak<Body>>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process is to end with the pager.
    pub(crate) fn ends_with_pager(&self) -> bool {
        self.on_death == OnPagerDeath::End
    }

    /// The connection is being closed by us.
    pub(crate) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Release);
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
    }

    fn serve(&self, mut buffer: Vec<u8>) {
        let mut place = Place { own: affinity(0).ok(), near: None };
        loop {
            match receive(&self.socket, &mut buffer, true) {
                Ok(got) if got.len > 0 => {
                    if let Ok(order) = decode(&buffer[..got.len]) {
                        self.obey(&order, &mut place);
                    }
                }
                _ => break,
            }
        }
        if !self.dismissed.load(Ordering::Acquire) && self.ends_with_pager() {
            // Nothing is allocated any more: it could be memory that the pager had.
            say("mager: the pager has died, and this program's memory with it: the program ends\n");
            self.strand();
            mager_linux_sys::exit_now(PAGER_DIED);
        }
    }

    /// A child that has this memory until it executes something (vfork) is another process, and would wait in it for
    /// ever: it is taken away, so that who waits runs into nothing, and ends as this process does. Only where touching
    /// nothing is seen: else other threads would end the process another way before it ends itself.
    fn strand(&self) {
        if !touches_seen() {
            return;
        }
        STRANDED.store(true, Ordering::Release);
        // Whoever has them now is forking, and comes to no child that waits.
        let Ok(bodies) = self.bodies.try_lock() else { return };
        for body in bodies.iter().filter_map(Weak::upgrade) {
            let _ = body.window.leave();
            let _ = body.uffd.wake(body.window.base(), body.window.len());
        }
    }

    fn obey(&self, order: &Order, place: &mut Place) {
        let Order::Zap { arena, runs, near } = order;
        place.go(*near);
        let _passage = self.gate.pass();
        let body = self.bodies().iter().filter_map(Weak::upgrade).find(|body| body.id() == *arena);
        let Some(body) = body else { return };
        let bytes = |pages: u32| u64::from(pages) * self.page_size;
        body.window.zap(runs.iter().map(|&(page, count)| (bytes(page), bytes(count))));
    }
}

/// Where the agent runs.
struct Place {
    /// Where it may, by itself.
    own: Option<CpuMask>,
    near: Option<u16>,
}

impl Place {
    /// To this CPU, if it may run there; to none in particular.
    fn go(&mut self, near: Option<u16>) {
        let Some(own) = self.own.as_ref().filter(|_| self.near != near) else { return };
        let wanted = near.map(usize::from).filter(|&cpu| cpu < CpuMask::MAX_CPU && own.is_set(cpu));
        // Where that is refused it works as well, but slower.
        let _ = set_affinity(0, &wanted.map_or(*own, only_cpu));
        self.near = near;
    }
}
