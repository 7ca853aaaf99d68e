//! Which CPUs a thread may run on. Source: sched_setaffinity(2).

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use std::io;

/// A set of CPUs.
pub type CpuMask = CpuSet;

fn pid(thread: i32) -> Option<Pid> {
    if thread == 0 { None } else { Pid::from_raw(thread) }
}

/// The CPUs `thread` may run on; 0 for the caller.
pub fn affinity(thread: i32) -> io::Result<CpuMask> {
    Ok(sched_getaffinity(pid(thread))?)
}

/// Lets `thread` run on these CPUs only; 0 for the caller.
pub fn set_affinity(thread: i32, mask: &CpuMask) -> io::Result<()> {
    Ok(sched_setaffinity(pid(thread), mask)?)
}

/// A mask of one CPU.
#[must_use]
pub fn only_cpu(cpu: usize) -> CpuMask {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    mask
}

/// The CPUs of a mask.
pub fn online_cpus(mask: &CpuMask) -> impl Iterator<Item = usize> + '_ {
    (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu))
}
