//! Threads begun by one that does not run where it likes: they have its mask (sched_setaffinity(2)), and nobody would give
//! them another. Who faults is known as an heir by its first fault; the others are looked for now and then.
//!
//! A thread that has chosen the very mask its parent was given cannot be told from an heir, and is let go with it.

use crate::placing::Placing;
use mager_linux_sys::{affinity, set_affinity};

/// The threads that serve arenas, which know themselves where they belong.
const AGENT: &str = "mager-agent";

pub(crate) fn are_of_one_process(a: i32, b: i32) -> bool {
    std::fs::exists(format!("/proc/{a}/task/{b}")).unwrap_or(false)
}

/// Lets heirs of thread `id`, which is or was placed like that, run where it would; but not those that are `known`.
pub(crate) fn let_go(id: i32, placing: &Placing, known: impl Fn(i32) -> bool) {
    let Some(own) = placing.own() else { return };
    let heirs = threads_beside(id).filter(|&thread| thread != id && !known(thread));
    let heirs = heirs.filter(|&thread| affinity(thread).is_ok_and(|mask| placing.has_given(&mask)));
    for thread in heirs.filter(|&thread| !is_agent(thread)) {
        let _ = set_affinity(thread, own);
    }
}

/// The threads of the process of thread `id`, if it is there still.
fn threads_beside(id: i32) -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn is_agent(thread: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{thread}/comm")).is_ok_and(|name| name.trim_end() == AGENT)
}
