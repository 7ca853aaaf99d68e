//! The watch over a pager object: which call it is in, how long, and whether it crashed there.
//!
//! A thread of its own, since the pager's may never come back. When the pager is lost the watch says so in one
//! sentence, writes out the log, removes the host's files, and lets the process end; the applications see the
//! connection go and end as well. What the pager *returns* is judged by its caller, not here.

use crate::log::Log;
use crate::sys;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The status of a process whose pager was lost (`EX_SOFTWARE`).
pub const STATUS_PAGER_LOST: i32 = 70;

/// A call to the pager, with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Init { frames: u32, swap_blocks: u32 },
    Create { parent: i32, child: i32 },
    Switch { pid: i32 },
    Fault { address: usize, write: bool },
    Map { filename: usize, block: u32 },
    Destroy { pid: i32 },
    Flush,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Call::Init { frames, swap_blocks } => write!(f, "vm_init({frames}, {swap_blocks})"),
            Call::Create { parent, child } => write!(f, "vm_create({parent}, {child})"),
            Call::Switch { pid } => write!(f, "vm_switch({pid})"),
            Call::Fault { address, write: true } => write!(f, "vm_fault({address:#x}, write)"),
            Call::Fault { address, write: false } => write!(f, "vm_fault({address:#x}, read)"),
            Call::Map { filename: 0, block } => write!(f, "vm_map(null, {block})"),
            Call::Map { filename, block } => write!(f, "vm_map({filename:#x}, {block})"),
            Call::Destroy { pid } => write!(f, "vm_destroy() of process {pid}"),
            Call::Flush => write!(f, "the final flush"),
        }
    }
}

/// What the pager's thread and the watch both know.
#[derive(Clone)]
pub struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    current: Mutex<Current>,
    log: Arc<Mutex<Log>>,
    files: Mutex<Vec<PathBuf>>,
}

#[derive(Default)]
struct Current {
    call: Option<Call>,
    number: u64,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    pub(crate) fn new(log: Arc<Mutex<Log>>, files: Vec<PathBuf>) -> Watch {
        Watch { shared: Arc::new(Shared { current: Mutex::default(), log, files: Mutex::new(files) }) }
    }

    /// The pager is called.
    pub(crate) fn enter(&self, call: Call) {
        let mut current = locked(&self.shared.current);
        current.call = Some(call);
        current.number += 1;
    }

    /// It has returned.
    pub(crate) fn leave(&self) {
        locked(&self.shared.current).call = None;
    }

    /// The pager did, inside a call, what cannot be gone on from: says `what` and ends the process.
    pub fn lost(&self, what: &str) -> ! {
        self.tell(what);
        sys::end_process(STATUS_PAGER_LOST)
    }

    /// Starts the thread: for calls longer than `limit`, and for crashes.
    pub(crate) fn start(&self, limit: Option<Duration>, crashes: bool) -> io::Result<Option<Guard>> {
        if limit.is_none() && !crashes {
            return Ok(None);
        }
        let (told, tell) = pipe_with(PipeFlags::CLOEXEC)?;
        let (burial, bury) = pipe_with(PipeFlags::CLOEXEC)?;
        let handlers = if crashes { Some(sys::Handlers::hold_crashes(&tell, &burial)?) } else { None };
        let watch = self.clone();
        let thread = thread::Builder::new().name("watch".to_owned());
        thread.spawn(move || watch.keep(&told, &bury, limit))?;
        Ok(Some(Guard { _handlers: handlers, tell, _burial: burial }))
    }

    /// Time is counted in slices in which this thread ran, so a stop in a debugger is one slice at most.
    fn keep(&self, told: &OwnedFd, bury: &OwnedFd, limit: Option<Duration>) {
        const SLICES: u32 = 8;
        let slice = limit.map(|limit| limit / SLICES);
        let slice = slice.and_then(|slice| Timespec::try_from(slice).ok());
        let (mut number, mut slices) = (0, 0);
        loop {
            let mut polled = [PollFd::new(told, PollFlags::IN)];
            match poll(&mut polled, slice.as_ref()) {
                Ok(0) | Err(_) => {}
                Ok(_) => return self.crashed(told, bury),
            }
            let current = locked(&self.shared.current);
            slices = if current.call.is_some() && current.number == number { slices + 1 } else { 0 };
            number = current.number;
            drop(current);
            if let Some(limit) = limit.filter(|_| slices >= SLICES) {
                self.lost(&format!("did not return within {} s (an endless loop?)", limit.as_secs_f32()));
            }
        }
    }

    fn crashed(&self, told: &OwnedFd, bury: &OwnedFd) {
        let mut signal = [0];
        // Nothing to read: the host has ended in peace.
        if rustix::io::read(told, &mut signal) == Ok(1) && signal[0] != 0 {
            self.tell(&format!("crashed ({})", crash(i32::from(signal[0]))));
            let _ = rustix::io::write(bury, &[1]);
        }
    }

    fn tell(&self, what: &str) {
        let call = locked(&self.shared.current).call;
        let place = call.map_or("outside every call".to_owned(), |call| format!("in {call}"));
        eprintln!("mager: the pager {what} {place}");
        if let Ok(mut log) = self.shared.log.try_lock() {
            log.flush();
        }
        for file in locked(&self.shared.files).drain(..) {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// The watch's handlers and pipes; dropped, the thread ends.
pub(crate) struct Guard {
    _handlers: Option<sys::Handlers>,
    tell: OwnedFd,
    _burial: OwnedFd,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.tell, &[0]);
    }
}

fn crash(signal: i32) -> String {
    let name = match signal {
        libc::SIGSEGV => return format!("SIGSEGV: an access to address {:#x}", sys::crash_address()),
        libc::SIGBUS => "SIGBUS: an access that memory cannot serve",
        libc::SIGFPE => "SIGFPE: a division by zero or the like",
        libc::SIGILL => "SIGILL: an illegal instruction",
        libc::SIGABRT => "SIGABRT: a failed assertion or an uncaught exception",
        _ => "an unknown signal",
    };
    name.to_owned()
}

/// A poisoned lock is no worse than what poisoned it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
