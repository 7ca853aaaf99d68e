//! The pager of a run: a process of its own, which ends with the last of those it serves, whatever becomes of this one.

use super::refusal::Refusal;
use crate::failure::Failure;
use mager_linux_client::Connection;
use mager_linux_pager::{NotServing, Sizes, start};
use mager_linux_wire::figures::Figures;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A build or a test suite may have many at once.
const MOST_PROCESSES: &str = "4096";
/// So long a pager that has nobody left to serve is waited for, so that its socket is gone when the run is over.
const PATIENCE: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };
/// The environment of a run that this one is part of, where it is empty rather than missing so that nobody gives it back:
/// a pager has its memory from no other.
const OF_PROGRAMS: [&str; 4] =
    ["LD_PRELOAD", "MAGER_RUN_SOCKET", "MAGER_RUN_ALLOW_PINNED", "MAGER_RUN_VERBOSE"];

/// A pager that serves.
#[derive(Debug)]
pub(super) struct Pager {
    pub(super) socket: PathBuf,
    pub(super) pid: Option<Pid>,
    process: Option<OwnedFd>,
    swap_file: Option<PathBuf>,
    /// It serves on as long as this is open.
    control: Option<OwnedFd>,
}

impl Pager {
    /// Starts it; `more` of what `mager serve` takes.
    pub(super) fn start(sizes: &Sizes, more: &[&std::ffi::OsStr]) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|why| Refusal::Own(format!("this command cannot find itself: {why}")))?;
        let socket = socket();
        let mut command = Command::new(&program);
        command.arg("serve").args(sizes.words()).args(more).args(["--clients", MOST_PROCESSES]);
        command.arg("--socket").arg(&socket);
        OF_PROGRAMS.into_iter().for_each(|name| _ = command.env(name, ""));
        let (control, child) = start(command).map_err(|why| match why {
            NotServing::Program(why) => Refusal::Own(format!("{}: {why}", program.display())),
            why => Refusal::Pager(why.to_string()),
        })?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Ok(Pager { socket, pid, process, swap_file: sizes.swap_file.clone(), control: Some(control) })
    }

    /// What it has counted; `None` if it is dead.
    pub(super) fn figures(&self) -> Option<Figures> {
        serde_json::from_str(&Connection::observe(&self.socket).ok()?).ok()
    }

    /// Waits until it has ended, for a while.
    pub(super) fn await_end(&self) {
        if let Some(process) = &self.process {
            let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&PATIENCE));
        }
    }

    /// Lets it end when the others it serves have ended; at once, if there are none.
    pub(super) fn leave(mut self, others: bool) {
        self.control = None;
        if !others {
            self.await_end();
        }
    }

    /// It was killed: what it would have removed is removed here.
    pub(super) fn clear_up(self) {
        let _ = std::fs::remove_file(self.socket);
        let _ = self.swap_file.map(std::fs::remove_file);
    }
}

/// A place of this run's own.
fn socket() -> PathBuf {
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
    let name = format!("mager-run-{}.sock", std::process::id());
    let short = |path: &PathBuf| path.as_os_str().len() < LONGEST_ADDRESS;
    named.map(|dir| dir.join(&name)).filter(short).unwrap_or_else(|| Path::new("/tmp").join(name))
}

/// Bytes in the address of a Unix socket, unix(7).
const LONGEST_ADDRESS: usize = 108;
