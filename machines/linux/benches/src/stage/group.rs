//! A control group that bounds memory: below our own in version 1; in version 2 below the root, because a group with
//! processes in it must not have groups with limits below it.

use super::ledger::{Ledger, Undo, unique};
use crate::error::{At, Failure};
use mager_linux_doctor::{MemoryGroup, memory_groups};
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

/// What a measured process needs besides the memory it touches: page tables, code, stacks, its own tables.
const ITSELF: u64 = 8 << 20;

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

/// A group whose processes may hold `bytes`, and a little for themselves.
pub(super) fn make(bytes: u64, ledger: &mut Ledger) -> Result<PathBuf, Failure> {
    let why =
        || Failure::Unavailable("no control group bounds memory here: mount the memory controller".into());
    let (group, dir) = home().ok_or_else(why)?;
    let name = unique("");
    let path = dir.join(&name);
    ledger.note(Undo::Group(name))?;
    std::fs::create_dir(&path).at(&path)?;
    let limit = path.join(group.limit());
    std::fs::write(&limit, (bytes + ITSELF).to_string()).at(limit)?;
    Ok(path)
}

/// Removes it; its last process may take a moment to go.
pub(super) fn remove(name: &str) -> io::Result<()> {
    let Some((_, dir)) = home() else { return Err(io::ErrorKind::NotFound.into()) };
    let path = dir.join(name);
    for _ in 0..100 {
        match std::fs::remove_dir(&path) {
            Err(why) if why.raw_os_error() == Some(libc::EBUSY) => sleep(Duration::from_millis(20)),
            other => return other,
        }
    }
    std::fs::remove_dir(&path)
}
