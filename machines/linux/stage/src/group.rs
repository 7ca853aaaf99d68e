//! A control group, with or without a bound of memory: below our own in version 1; in version 2 below the root, because
//! a group with processes in it must not have groups with limits below it.

use crate::error::{At, Error};
use crate::ledger::{Ledger, Undo, unique};
use mager_linux_doctor::{MemoryGroup, memory_groups};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// What a measured process needs besides the memory it touches: page tables, code, stacks, its own tables.
const ITSELF: u64 = 8 << 20;

/// A group of ours. Only processes that we start are in it: they are killed when it goes.
#[derive(Clone, Debug)]
pub struct Group(PathBuf);

/// The hierarchy that limits memory, and where our groups go in it.
fn home() -> Option<(MemoryGroup, PathBuf)> {
    let groups = memory_groups();
    let limits = |group: &MemoryGroup| {
        let controllers = std::fs::read_to_string(group.root.join("cgroup.controllers")).unwrap_or_default();
        !group.unified || controllers.split_whitespace().any(|name| name == "memory")
    };
    let group = groups.into_iter().find(limits)?;
    let dir = if group.unified { group.root.clone() } else { group.root.join(&group.below) };
    Some((group, dir))
}

impl Group {
    /// A group whose processes may hold `bytes`, and a little for themselves; or any amount.
    ///
    /// # Errors
    ///
    /// If groups do not bound memory here, or cannot be made.
    pub fn make(bytes: Option<u64>, ledger: &mut Ledger) -> Result<Self, Error> {
        let why =
            || Error::Unavailable("no control group bounds memory here: mount the memory controller".into());
        let (group, dir) = home().ok_or_else(why)?;
        let name = unique("");
        let path = dir.join(&name);
        ledger.note(Undo::Group(name))?;
        std::fs::create_dir(&path).at(&path)?;
        if let Some(bytes) = bytes {
            let limit = path.join(group.limit());
            std::fs::write(&limit, (bytes + ITSELF).to_string()).at(limit)?;
        }
        Ok(Group(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file into which a process writes 0 to be in the group.
    #[must_use]
    pub fn door(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }

    /// A figure of `memory.stat`, by the first of these names that is there.
    #[must_use]
    pub fn figure(&self, names: &[&str]) -> Option<u64> {
        let text = std::fs::read_to_string(self.0.join("memory.stat")).ok()?;
        names.iter().find_map(|name| figure(&text, name))
    }

    /// Kills all that is in it.
    pub fn kill(&self) {
        kill(&self.0);
    }
}

fn figure(text: &str, name: &str) -> Option<u64> {
    let words = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    words?.trim().parse().ok()
}

fn kill(path: &Path) {
    let text = std::fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    for pid in text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        // One that has gone meanwhile is as good as killed.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Removes it; its last process may take a moment to go.
pub(crate) fn remove(name: &str) -> io::Result<()> {
    let Some((_, dir)) = home() else { return Err(io::ErrorKind::NotFound.into()) };
    let path = dir.join(name);
    for _ in 0..1000 {
        match std::fs::remove_dir(&path) {
            Err(why) if why.raw_os_error() == Some(libc::EBUSY) => {
                kill(&path);
                sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
    std::fs::remove_dir(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_found_by_its_whole_name() {
        let text = "rss_huge 5\nrss 7\n";
        assert_eq!((figure(text, "rss"), figure(text, "anon")), (Some(7), None));
    }
}
