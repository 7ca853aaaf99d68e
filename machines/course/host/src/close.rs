//! The end of a run: applications end, dirty file pages go home, the report is drawn up.

use crate::error::HostError;
use crate::host::Host;
use crate::process::{ProcessNo, State, ended};
use crate::report::Report;
use crate::talk;
use rustix::event::Timespec;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// How long an application may take to end before it is killed.
const MERCY: Duration = Duration::from_secs(2);

/// The application the host itself started, managed or not.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    life: OwnedFd,
    exit: Option<ExitStatus>,
}

impl Child {
    pub(crate) fn start(mut command: Command) -> Result<Child, HostError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let process = command.spawn().map_err(|source| HostError::Start { program, source })?;
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process id is a positive i32");
        let life = pidfd_open(pid, PidfdFlags::empty()).map_err(HostError::system("pidfd_open"))?;
        Ok(Child { process, life, exit: None })
    }

    pub(crate) fn life(&self) -> BorrowedFd<'_> {
        self.life.as_fd()
    }

    pub(crate) fn reap(&mut self) {
        if self.exit.is_none() {
            self.exit = self.process.wait().ok();
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.exit.is_some()
    }

    fn end(&mut self) -> Option<ExitStatus> {
        if !self.has_ended() {
            let _ = pidfd_send_signal(&self.life, Signal::TERM);
            if !ended(self.life(), &until(Instant::now() + MERCY)) {
                let _ = pidfd_send_signal(&self.life, Signal::KILL);
            }
            self.reap();
        }
        self.exit
    }
}

impl Host {
    /// Ends what still runs. After a breach of the contract the pager is not called again.
    pub(crate) fn close(mut self, served: Result<(), HostError>) -> Result<Report, HostError> {
        let why = match &served {
            Ok(()) => "the pager was stopped".to_owned(),
            Err(error) => error.to_string(),
        };
        self.end_applications(&why);
        let exit = self.child.as_mut().and_then(Child::end);
        if served.is_ok() {
            self.settle_accounts(exit);
        }
        self.write_log();
        served.map(|()| std::mem::take(&mut self.report))
    }

    fn settle_accounts(&mut self, exit: Option<ExitStatus>) {
        let managed = self.processes.iter().filter(|(_, process)| process.managed());
        for no in managed.map(|(no, _)| no).collect::<Vec<ProcessNo>>() {
            self.bury(no);
        }
        self.report.flushed = self.pager.flush();
        self.report.transfers = self.pager.machine.transfers;
        self.report.summary = self.pager.summary();
        self.report.exit = exit;
        self.report.stopped = self.stop;
    }

    /// Tells those who listen, terminates those who run, kills those who do not go.
    fn end_applications(&mut self, why: &str) {
        for (_, process) in self.processes.iter().filter(|(_, process)| process.state != State::New) {
            talk::say(process.conn(), self.reply.ended(why));
            if matches!(process.state, State::Running | State::Away) {
                process.signal(Signal::TERM);
            }
        }
        let deadline = Instant::now() + MERCY;
        for (_, process) in self.processes.iter().filter(|(_, process)| process.lives()) {
            if !ended(process.life(), &until(deadline)) {
                process.signal(Signal::KILL);
                ended(process.life(), &until(Instant::now() + MERCY));
            }
        }
    }
}

fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 })
}
