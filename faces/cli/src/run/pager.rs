//! The pager of a run: a process of its own, which ends with the last of those it serves, whatever becomes of this one.

use super::refusal::Refusal;
use crate::failure::Failure;
use mager_linux_client::Connection;
use mager_linux_pager::{NotServing, Sizes, start};
use mager_linux_wire::figures::Figures;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A build or a test suite may have many at once.
const MOST_PROCESSES: &str = "4096";
/// As the agent's own descriptors, docs/run.md.
const FLOOR: i32 = 900;
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
        let new = new_file(sizes);
        let (control, child) = start(command).map_err(|why| match why {
            NotServing::Program(why) => Refusal::Own(format!("{}: {why}", program.display())),
            why => {
                if matches!(why, NotServing::Ended(_)) {
                    clear_up(&socket, new.as_deref());
                }
                Refusal::Pager(why.to_string())
            }
        })?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Ok(Pager { socket, pid, process, swap_file: sizes.swap_file.clone(), control: Some(control) })
    }

    /// What it has counted; `None` if it is dead.
    pub(super) fn figures(&self) -> Option<Figures> {
        serde_json::from_str(&Connection::observe(&self.socket).ok()?).ok()
    }

    /// What the program inherits, and all that it starts, so that the pager serves on without this command, too, while
    /// one of them executes another image and is nobody's client. Where there is no room above what programs count on
    /// they do without.
    pub(super) fn inherited(&self) -> Option<OwnedFd> {
        let fd = fcntl_dupfd_cloexec(self.control.as_ref()?, FLOOR).ok()?;
        fcntl_setfd(&fd, FdFlags::empty()).ok()?;
        Some(fd)
    }

    /// Waits until it has ended, for a while.
    pub(super) fn await_end(&self) {
        if let Some(process) = &self.process {
            let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&PATIENCE));
        }
    }

    /// Lets it end when the others it serves have ended; at once, if there are none.
    pub(super) fn leave(&mut self, others: bool) {
        self.control = None;
        if !others {
            self.await_end();
        }
    }

    /// It was killed: what it would have removed is removed here.
    pub(super) fn clear_up(self) {
        clear_up(&self.socket, self.swap_file.as_deref());
    }
}

fn clear_up(socket: &Path, swap_file: Option<&Path>) {
    let _ = std::fs::remove_file(socket);
    let _ = swap_file.map(std::fs::remove_file);
}

/// The swap file, if it is the pager that will make it: one that is there is refused, and not ours to remove.
fn new_file(sizes: &Sizes) -> Option<PathBuf> {
    sizes.swap_file.clone().filter(|file| file.symlink_metadata().is_err())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_file_that_is_there_is_not_the_pagers() {
        let dir = tempfile::tempdir().expect("a directory");
        let sizes = Sizes { swap_file: Some(dir.path().join("swap")), ..Sizes::default() };
        assert_eq!(new_file(&sizes), sizes.swap_file);
        std::fs::write(dir.path().join("swap"), "mine").expect("it is written");
        assert_eq!(new_file(&sizes), None);
    }
}
