//! io_uring: a slot of the ring owns its run, and with it the loans and the file, until the kernel is through with it.

use super::Lent;
use crate::engine::{Job, MOST_JOINED, Run};
use crate::place::wide;
use crate::sys::Toward;
use io_uring::squeue::Entry;
use io_uring::types::Fd;
use io_uring::{IoUring, Probe, opcode};
use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// A run in the kernel's hands, and the vector that tells the kernel where its pages are.
struct Slot {
    run: Option<Run>,
    parts: Vec<libc::iovec>,
}

/// The ring and the runs that the kernel has.
pub(crate) struct Ring {
    ring: IoUring,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Pushed and not yet taken by the kernel.
    pushed: usize,
}

// SAFETY: the pointers in the vectors point into the loans that the same slot owns, which may be sent.
unsafe impl Send for Ring {}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} of {} slots free)", self.free.len(), self.slots.len())
    }
}

/// Until a kernel that lacked memory is asked again.
const SHORT_OF_MEMORY: Duration = Duration::from_millis(1);

impl Ring {
    /// A ring for at most `depth` runs at once; an error where the kernel refuses it or is too old.
    pub(crate) fn new(depth: u32) -> io::Result<Self> {
        let ring = IoUring::new(depth)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let needed = [opcode::Read::CODE, opcode::Write::CODE, opcode::Readv::CODE, opcode::Writev::CODE];
        if !needed.iter().all(|&code| probe.is_supported(code)) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let slot = |_| Slot { run: None, parts: Vec::with_capacity(MOST_JOINED) };
        Ok(Ring {
            ring,
            slots: (0..depth).map(slot).collect(),
            free: (0..depth as usize).collect(),
            pushed: 0,
        })
    }

    /// Takes a run, unless all slots are taken.
    pub(crate) fn push(&mut self, run: Run) -> Result<(), Run> {
        let Some(at) = self.free.pop() else { return Err(run) };
        let slot = &mut self.slots[at];
        slot.parts.clear();
        run.jobs.iter().for_each(|job| add_part(&mut slot.parts, job));
        let entry = entry(&run, &slot.parts).user_data(wide(at));
        // SAFETY: file, pages and vector belong to the slot, which is not touched until the kernel has answered: a
        // run leaves it in `pop` only, and `drop` waits or leaks.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        if pushed.is_err() {
            self.free.push(at);
            return Err(run);
        }
        slot.run = Some(run);
        self.pushed += 1;
        Ok(())
    }

    /// Tells the kernel of what was pushed. What it does not take now it is told of again by the next call; but if it has
    /// nothing at all, nobody would be woken to call: then until it takes something (EAGAIN: it lacks memory).
    pub(crate) fn submit(&mut self) {
        while self.pushed > 0 {
            match self.ring.submit() {
                Ok(taken) => self.pushed -= taken.min(self.pushed),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What the kernel has will end, and then it is told again.
                Err(_) if self.in_kernel() > 0 => break,
                Err(_) => std::thread::sleep(SHORT_OF_MEMORY),
            }
        }
    }

    fn in_kernel(&self) -> usize {
        self.slots.len() - self.free.len() - self.pushed
    }

    /// A run that the kernel is through with, and what it said.
    pub(crate) fn pop(&mut self) -> Option<(Run, i32)> {
        let answer = self.ring.completion().next()?;
        let at = usize::try_from(answer.user_data()).ok()?;
        let run = self.slots.get_mut(at)?.run.take()?;
        self.free.push(at);
        Some((run, answer.result()))
    }

    /// Has the kernel not been told of everything?
    pub(crate) fn behind(&self) -> bool {
        self.pushed > 0
    }

    fn busy(&self) -> bool {
        self.free.len() < self.slots.len()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        while self.busy() {
            let waited = self.ring.submit_and_wait(1);
            while self.pop().is_some() {}
            if waited.is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) && self.busy() {
                // The kernel may still write into these pages: they are never used again.
                mem::forget(mem::take(&mut self.slots));
                return;
            }
        }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring owns the descriptor and lives as long as the borrow.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}

/// Pages that are neighbours in memory too are one part.
fn add_part(parts: &mut Vec<libc::iovec>, job: &Job) {
    let (start, length) = (Lent::at(&job.span), job.length);
    match parts.last_mut() {
        Some(last) if last.iov_base.addr() + last.iov_len == start.addr() => last.iov_len += length,
        _ => parts.push(libc::iovec { iov_base: start.cast(), iov_len: length }),
    }
}

fn entry(run: &Run, parts: &[libc::iovec]) -> Entry {
    let first = run.first();
    let (fd, offset) = (Fd(first.file.file.as_raw_fd()), first.offset);
    let count = crate::place::small(parts.len());
    let alone = (parts[0].iov_base.cast::<u8>(), crate::place::small(parts[0].iov_len));
    match (first.toward(), parts.len()) {
        (Toward::Memory, 1) => opcode::Read::new(fd, alone.0, alone.1).offset(offset).build(),
        (Toward::Store, 1) => opcode::Write::new(fd, alone.0, alone.1).offset(offset).build(),
        (Toward::Memory, _) => opcode::Readv::new(fd, parts.as_ptr(), count).offset(offset).build(),
        (Toward::Store, _) => opcode::Writev::new(fd, parts.as_ptr(), count).offset(offset).build(),
    }
}
