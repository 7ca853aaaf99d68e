//! An engine that carries runs out where they are started and says so later: for tests of what happens meanwhile.

use super::{Ended, Engine, Inline, Run};
use rustix::event::Timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Late {
    inner: Inline,
    delay: Duration,
    /// What has ended, and when that may be known; the earliest first.
    ended: VecDeque<(Instant, Ended)>,
    timer: OwnedFd,
}

impl Late {
    pub(crate) fn new(delay: Duration) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        Ok(Late { inner: Inline::default(), delay, ended: VecDeque::new(), timer })
    }

    /// The timer goes off when the next answer may be known, or not at all.
    fn set_timer(&self) {
        let next = self.ended.front().map_or(Duration::ZERO, |&(due, _)| {
            due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
        });
        let it_value = Timespec::try_from(next).unwrap_or_default();
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        // Fails for times that cannot be, of which there are none here.
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
    }
}

impl Engine for Late {
    fn start(&mut self, run: Run) {
        let ended = self.inner.now(run);
        self.ended.push_back((Instant::now() + self.delay, ended));
    }

    fn at_once(&self) -> bool {
        false
    }

    fn submit(&mut self) {
        self.set_timer();
    }

    fn finished(&mut self) -> Option<Ended> {
        match self.ended.front() {
            Some(&(due, _)) if due <= Instant::now() => self.ended.pop_front().map(|(_, ended)| ended),
            _ => {
                self.set_timer();
                None
            }
        }
    }

    fn wait_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.timer.as_fd())
    }
}
