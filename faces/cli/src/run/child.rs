//! The program as a child of this command: what is sent to the one reaches the other, and how the one ends, so does the
//! other.
//!
//! ```text
//! Ctrl-C, Ctrl-\, Ctrl-Z, a resized terminal   the kernel tells the whole foreground group: nothing to do
//! kill COMMAND                                 sent on to the program
//! the program stops                            so does this command, for the shell to see; CONT lets both go on
//! ```
//! A signal that this command was started to ignore (`nohup`) is ignored by the program, too.

use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, set_dumpable_behavior, wait,
};
use signal_hook::consts::signal as number;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use signal_hook::low_level::{emulate_default_handler, signal_name};
use std::io;
use std::process::Command;

/// What can be sent to a program from outside, and would end or stop this command or be lost on it.
const SENT_ON: [(i32, Signal); 13] = [
    (number::SIGHUP, Signal::HUP),
    (number::SIGINT, Signal::INT),
    (number::SIGQUIT, Signal::QUIT),
    (number::SIGUSR1, Signal::USR1),
    (number::SIGUSR2, Signal::USR2),
    (number::SIGALRM, Signal::ALARM),
    (number::SIGTERM, Signal::TERM),
    (number::SIGCONT, Signal::CONT),
    (number::SIGTSTP, Signal::TSTP),
    (number::SIGURG, Signal::URG),
    (number::SIGWINCH, Signal::WINCH),
    (number::SIGIO, Signal::IO),
    (number::SIGVTALRM, Signal::VTALARM),
];

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// With an exit status.
    With(u8),
    /// By a signal.
    By(i32),
}

/// A program that runs.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    pager: Option<Pid>,
    signals: SignalsInfo<WithOrigin>,
    /// How the pager ended, if it did before the program.
    pub(super) pager_end: Option<End>,
}

impl Child {
    /// Starts it. `pager` is another child of this command.
    pub(super) fn start(mut program: Command, pager: Option<Pid>) -> io::Result<Self> {
        let ignored = ignored();
        let minded =
            SENT_ON.iter().map(|&(number, _)| number).filter(|&number| ignored >> (number - 1) & 1 == 0);
        // Before the start: nothing sent meanwhile is lost, and no end missed.
        let signals = SignalsInfo::new(minded.chain([number::SIGCHLD]))?;
        let child = program.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("a process without a number"))?;
        Ok(Child { pid, pager, signals, pager_end: None })
    }

    /// Passes on what comes, until the program has ended.
    pub(super) fn end(&mut self) -> End {
        loop {
            let origins: Vec<_> = self.signals.wait().collect();
            for origin in origins {
                if origin.signal != number::SIGCHLD {
                    self.send_on(&origin);
                } else if let Some(end) = self.reap() {
                    return end;
                }
            }
        }
    }

    fn send_on(&self, origin: &Origin) {
        let own = origin.process.is_some_and(|sender| sender.pid == self.pid.as_raw_nonzero().get());
        // The kernel has told the program itself.
        if own || origin.cause == Cause::Kernel {
            return;
        }
        if let Some(&(_, signal)) = SENT_ON.iter().find(|&&(number, _)| number == origin.signal) {
            // It may have ended; then that is the next thing to be heard of it.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Sees to all children that have ended or stopped; whoever lost his parent may have come to be one.
    fn reap(&mut self) -> Option<End> {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            let end = ended(status);
            if pid == self.pid && end.is_some() {
                return end;
            } else if pid == self.pid && status.stopped() {
                let _ = kill_process(getpid(), Signal::STOP);
            } else if Some(pid) == self.pager {
                self.pager_end = end;
            }
        }
        None
    }

    /// Whether the pager has ended, too, before it was left.
    pub(super) fn pager_killed(&mut self) -> bool {
        let _ = self.reap();
        self.pager_end.is_some()
    }

    /// Whether it was killed, be it when there was nobody left to serve.
    pub(super) fn pager_ended_by_signal(&mut self) -> bool {
        let _ = self.reap();
        matches!(self.pager_end, Some(End::By(_)))
    }
}

impl Child {
    /// How the pager ended, for people.
    pub(super) fn pager_told(&self) -> String {
        match self.pager_end {
            Some(End::By(signal)) => format!("ended by {}", signal_name(signal).unwrap_or("a signal")),
            Some(End::With(code)) => format!("gone with status {code}"),
            None => "there".into(),
        }
    }
}

fn ended(status: WaitStatus) -> Option<End> {
    let code = status.exit_status().and_then(|code| u8::try_from(code).ok()).map(End::With);
    code.or_else(|| status.terminating_signal().map(End::By))
}

/// The signals this process was started to ignore, a bit each, the first one lowest.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends this process by a signal, as its program was; without a core of its own. If it cannot be done: returns.
pub(super) fn die_by(signal: i32) {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = emulate_default_handler(signal);
}
