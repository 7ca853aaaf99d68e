//! Other processes: whether their threads can be given a CPU; and the filter of system calls that we are under.

use crate::ground::{CAP_SYS_NICE, Ground};
use crate::open::Attempt;
use crate::probe::{Answer, missing};
use crate::sys::Idler;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;
use std::os::unix::fs::FileExt;

/// Puts an idle child on one CPU, and looks whether it is there.
fn pull() -> io::Result<bool> {
    let child = Idler::start()?;
    let allowed = sched_getaffinity(Some(child.0))?;
    let first = (0..CpuSet::MAX_CPU).find(|&cpu| allowed.is_set(cpu)).unwrap_or(0);
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(Some(child.0), &one)?;
    Ok(sched_getaffinity(Some(child.0))? == one)
}

pub(crate) fn affinity(ground: &Ground) -> Answer {
    const SECCOMP: &str = "--security-opt seccomp=PROFILE that allows sched_setaffinity";
    match pull() {
        Ok(true) if ground.may(CAP_SYS_NICE) => Ok("of any user (CAP_SYS_NICE)".into()),
        Ok(true) => Ok("of the same user".into()),
        Ok(false) => {
            missing("the CPU given was not taken", ground.remedy("no cpuset that changes meanwhile", SECCOMP))
        }
        Err(why) => missing(format!("sched_setaffinity: {why}"), ground.remedy("CAP_SYS_NICE", SECCOMP)),
    }
}

/// Looks at a page of an idle child's.
fn look() -> io::Result<()> {
    let child = Idler::start()?;
    let map = std::fs::File::open(format!("/proc/{}/pagemap", child.0.as_raw_pid()))?;
    map.read_exact_at(&mut [0; 8], 0)
}

pub(crate) fn page_tables(ground: &Ground) -> Answer {
    match look() {
        Ok(()) => Ok("/proc/PID/pagemap can be read".into()),
        Err(why) => {
            let remedy = ground.remedy("a /proc that shows processes of the same user", "a /proc of its own");
            missing(format!("/proc/PID/pagemap: {why}"), remedy)
        }
    }
}

pub(crate) fn seccomp(ground: &Ground) -> Answer {
    let refused = matches!(ground.call, Attempt::Refused(_));
    match ground.status("Seccomp") {
        Some("0") => Ok("no filter of system calls".into()),
        Some("2") if refused => {
            let remedy = "--security-opt seccomp=PROFILE that allows userfaultfd, or seccomp=unconfined";
            missing("a filter is on, and userfaultfd(2) does not go through", ground.remedy("", remedy))
        }
        Some("2") => Ok("a filter is on; what was tried is told above".into()),
        Some(mode) => missing(format!("mode {mode}"), "start it outside of strict mode"),
        None => Ok("the kernel has none".into()),
    }
}
