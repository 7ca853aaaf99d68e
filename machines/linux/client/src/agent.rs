//! The agent: a thread of the client that does for the pager what only the client can do to its own memory, and notices
//! when the pager is gone.

use mager_linux_sys::{Window, receive};
use mager_linux_wire::{ArenaId, Facts, MAX_MESSAGE, Order, decode};
use rustix::fd::OwnedFd;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

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

#[derive(Debug)]
pub(crate) struct Agent {
    arenas: Mutex<Vec<(ArenaId, Weak<Window>)>>,
    socket: OwnedFd,
    dismissed: AtomicBool,
    page_size: u64,
}

/// Starts the agent's thread.
pub(crate) fn start(socket: OwnedFd, facts: Facts, on_death: OnPagerDeath) -> io::Result<Arc<Agent>> {
    let agent = Arc::new(Agent {
        arenas: Mutex::default(),
        socket,
        dismissed: AtomicBool::new(false),
        page_size: u64::from(facts.page_size),
    });
    let ours = Arc::clone(&agent);
    std::thread::Builder::new().name("mager-agent".into()).spawn(move || ours.serve(on_death))?;
    Ok(agent)
}

impl Agent {
    pub(crate) fn knows(&self, arena: ArenaId, window: &Arc<Window>) {
        let mut arenas = self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        arenas.retain(|(_, window)| window.strong_count() > 0);
        arenas.push((arena, Arc::downgrade(window)));
    }

    /// The connection is being closed by us.
    pub(crate) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Release);
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
    }

    fn serve(&self, on_death: OnPagerDeath) {
        let mut buffer = vec![0; MAX_MESSAGE];
        loop {
            match receive(&self.socket, &mut buffer, true) {
                Ok(got) if got.len > 0 => {
                    if let Ok(order) = decode(&buffer[..got.len]) {
                        self.obey(&order);
                    }
                }
                _ => break,
            }
        }
        if !self.dismissed.load(Ordering::Acquire) && on_death == OnPagerDeath::End {
            eprintln!("mager: the pager has died, and this program's memory with it: the program ends");
            mager_linux_sys::exit_now(PAGER_DIED);
        }
    }

    fn obey(&self, order: &Order) {
        let Order::Zap { arena, runs } = order;
        let window = {
            let arenas = self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
            arenas.iter().find(|(id, _)| id == arena).and_then(|(_, window)| window.upgrade())
        };
        let Some(window) = window else { return };
        for &(page, count) in runs {
            // A range that is not the arena's is not touched.
            let _ = window.zap(u64::from(page) * self.page_size, u64::from(count) * self.page_size);
        }
    }
}
