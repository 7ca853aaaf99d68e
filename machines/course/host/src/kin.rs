//! What the system says of a process, whatever the process says of itself.
//!
//! Where there is no `/proc`, nothing is known and the process is believed.

use crate::memory::NAME;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::os::fd::AsRawFd;

/// Descriptors kept back for files, however many processes come.
const KEPT_BACK: u64 = 16;

/// The parent of `pid`, now; 0 when that is in another PID namespace.
pub(crate) fn parent_of(pid: i32) -> Option<i32> {
    parent_in(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// May `child` be a child of `parent`?
pub(crate) fn may_be_child(child: i32, parent: i32) -> bool {
    parent_of(child).is_none_or(|found| found == parent)
}

/// Does `pid` show physical memory in its address space?
pub(crate) fn shows_memory(pid: i32) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.contains(&format!("/memfd:{NAME}"))
}

/// Is `newest`, which got the lowest free number, among the last descriptors that this process may have?
pub(crate) fn among_the_last(newest: &impl AsRawFd) -> bool {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let number = u64::try_from(newest.as_raw_fd()).unwrap_or(0);
    number.saturating_add(KEPT_BACK) >= limit
}

/// The name in brackets may hold anything; the state and the parent follow the last bracket.
fn parent_in(stat: &[u8]) -> Option<i32> {
    let behind = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let rest = std::str::from_utf8(&stat[behind..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_s_name_does_not_hide_its_parent() {
        assert_eq!(parent_in(b"7 (a) S 1) S 42 7 7 0"), Some(42));
        assert_eq!(parent_in(b"7 (a"), None);
        assert_eq!(parent_in(b"7 (\xff) S"), None);
    }

    #[test]
    fn the_system_knows_this_process_s_parent() {
        let me = rustix::process::getpid().as_raw_nonzero().get();
        let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
        assert_eq!(parent_of(me), Some(parent));
        assert!(may_be_child(me, parent) && !may_be_child(me, me));
    }
}
