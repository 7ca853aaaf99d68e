//! The processes a host knows, and in what state each is.

use mager_course_abi::{ARENA_PAGES, Entry, PageTable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

/// A process, for as long as the host knows it; never used again, other than a pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessNo(pub(crate) u64);

/// What a process is doing. From `Ready` on the pager knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Connected; has not said who it is.
    New,
    /// Has said so; the pager is told when nobody runs.
    Arriving,
    /// In the queue.
    Ready,
    /// Runs. One process at most.
    Running,
    /// Waits for a child the host knows: this one, or any.
    Waiting(Option<i32>),
    /// Waits by itself for a child the host does not know.
    Away,
    /// Has hung up: it is dying, or has become another program, which may be about to say hello.
    Leaving(Instant),
    /// Has ended; the pager is told when nobody runs.
    Gone,
}

/// A process and what it was last shown of its page table.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) state: State,
    pub(crate) shown: PageTable,
    conn: OwnedFd,
    life: OwnedFd,
}

impl Process {
    /// A process at the other end of `conn`. Fails if there is no such process (any more).
    pub(crate) fn new(pid: i32, parent: i32, state: State, conn: OwnedFd) -> io::Result<Process> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let life = pidfd_open(Pid::from_raw(pid).ok_or_else(gone)?, PidfdFlags::empty())?;
        Ok(Process { pid, parent, state, shown: [Entry::NONE; ARENA_PAGES], conn, life })
    }

    pub(crate) fn conn(&self) -> BorrowedFd<'_> {
        self.conn.as_fd()
    }

    /// Readable once the process has ended.
    pub(crate) fn life(&self) -> BorrowedFd<'_> {
        self.life.as_fd()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It may be gone already, which is as good.
        let _ = pidfd_send_signal(&self.life, signal);
    }

    /// Does the pager know this process?
    pub(crate) fn managed(&self) -> bool {
        !matches!(self.state, State::New | State::Arriving)
    }

    /// Managed, and not about to end.
    pub(crate) fn lives(&self) -> bool {
        self.managed() && !matches!(self.state, State::Leaving(_) | State::Gone)
    }
}

/// Has the process behind this descriptor ended?
pub(crate) fn ended(life: BorrowedFd<'_>, within: &Timespec) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(life, PollFlags::IN)];
    matches!(poll(&mut polled, Some(within)), Ok(1..))
}

/// All processes, by number.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    known: BTreeMap<ProcessNo, Process>,
    next: u64,
}

impl Processes {
    pub(crate) fn add(&mut self, process: Process) -> ProcessNo {
        let no = ProcessNo(self.next);
        self.next += 1;
        self.known.insert(no, process);
        no
    }

    pub(crate) fn get(&self, no: ProcessNo) -> Option<&Process> {
        self.known.get(&no)
    }

    pub(crate) fn get_mut(&mut self, no: ProcessNo) -> Option<&mut Process> {
        self.known.get_mut(&no)
    }

    pub(crate) fn remove(&mut self, no: ProcessNo) -> Option<Process> {
        self.known.remove(&no)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ProcessNo, &Process)> {
        self.known.iter().map(|(no, process)| (*no, process))
    }

    /// The first process of which `wanted` holds.
    pub(crate) fn find(&self, wanted: impl Fn(&Process) -> bool) -> Option<ProcessNo> {
        self.iter().find(|(_, process)| wanted(process)).map(|(no, _)| no)
    }

    /// Does `parent` have a managed child, this one or any?
    pub(crate) fn has_child(&self, parent: i32, child: Option<i32>) -> bool {
        self.find(|process| {
            process.managed() && process.parent == parent && child.is_none_or(|child| child == process.pid)
        })
        .is_some()
    }

    /// The processes that wait for the end of `child`, a child of `parent`.
    pub(crate) fn waiting_for(&self, parent: i32, child: i32) -> Option<ProcessNo> {
        self.find(|process| {
            process.pid == parent
                && matches!(process.state, State::Waiting(which) if which.is_none_or(|pid| pid == child))
        })
    }
}
