//! Getting a userfaultfd: by the device, by the system call, and what keeps us from it.

use crate::ground::Ground;
use crate::probe::{Answer, Lack, missing};
use crate::sys;
use crate::userfault::Userfault;
use linux_raw_sys::general as raw;
use std::io;
use std::os::fd::OwnedFd;

/// One way, tried.
pub(crate) enum Attempt {
    /// A userfaultfd with these features.
    Full(u64),
    /// One that does not see the kernel's own faults; why not a full one.
    UserOnly(io::Error),
    /// None at all.
    Refused(io::Error),
}

pub(crate) fn attempt_device() -> Attempt {
    judge(sys::userfault_by_device())
}

pub(crate) fn attempt_call() -> Attempt {
    match judge(sys::userfault_by_call(0)) {
        Attempt::Refused(why) if sys::userfault_by_call(raw::UFFD_USER_MODE_ONLY).is_ok() => {
            Attempt::UserOnly(why)
        }
        attempt => attempt,
    }
}

fn judge(fd: io::Result<OwnedFd>) -> Attempt {
    match fd.and_then(|fd| Userfault::features(&fd)) {
        Ok(features) => Attempt::Full(features),
        Err(why) => Attempt::Refused(why),
    }
}

/// The features of the kernel, by whichever way there is.
pub(crate) fn known(ground: &Ground) -> Result<u64, Lack> {
    match (&ground.device, &ground.call) {
        (Attempt::Full(features), _) | (_, Attempt::Full(features)) => Ok(*features),
        _ => Err(Lack::Untried("there is no userfaultfd to try it with")),
    }
}

const DEVICE_RIGHT: &str = "setfacl -m u:USER:rw /dev/userfaultfd (of the user that runs it)";
const SETTING: &str = "sysctl -w vm.unprivileged_userfaultfd=1";
const BUILD: &str = "a kernel built with CONFIG_USERFAULTFD=y";

pub(crate) fn either(ground: &Ground) -> Answer {
    match (&ground.device, &ground.call) {
        (Attempt::Full(_), Attempt::Full(_)) => Ok("by device and by system call".into()),
        (Attempt::Full(_), _) => Ok("by device".into()),
        (_, Attempt::Full(_)) => Ok("by system call".into()),
        _ => {
            let plain = format!("{DEVICE_RIGHT}, or {SETTING}");
            missing("neither way gives one that sees the kernel's faults", ground.remedy(plain, CONTAINER))
        }
    }
}

/// The device is the better way into a container: no filter stands before it.
const CONTAINER: &str = "--device /dev/userfaultfd";

pub(crate) fn device(ground: &Ground) -> Answer {
    match &ground.device {
        Attempt::Full(_) => Ok("/dev/userfaultfd".into()),
        Attempt::UserOnly(why) | Attempt::Refused(why) => {
            let gone = why.kind() == io::ErrorKind::NotFound;
            let plain = if gone {
                "mknod /dev/userfaultfd c 10 $(awk '$2==\"userfaultfd\"{print $1}' /proc/misc)"
            } else {
                DEVICE_RIGHT
            };
            missing(format!("/dev/userfaultfd: {why}"), ground.remedy(plain, CONTAINER))
        }
    }
}

pub(crate) fn call(ground: &Ground) -> Answer {
    match &ground.call {
        Attempt::Full(_) => Ok("userfaultfd(2), faults of the kernel included".into()),
        Attempt::UserOnly(why) => {
            let remedy = format!("{SETTING}, or CAP_SYS_PTRACE");
            missing(format!("userfaultfd(2) gives only faults of programs: {why}"), remedy)
        }
        Attempt::Refused(why) if ground.filtered() => {
            let remedy = ground.remedy("", "--security-opt seccomp=PROFILE that allows userfaultfd");
            missing(format!("userfaultfd(2): {why}; a seccomp filter is on"), remedy)
        }
        Attempt::Refused(why) if why.raw_os_error() == Some(libc::ENOSYS) => {
            missing(format!("userfaultfd(2): {why}"), BUILD)
        }
        Attempt::Refused(why) => missing(format!("userfaultfd(2): {why}"), SETTING),
    }
}

/// Names of the bits, lowest first.
const NAMES: [&str; 17] = [
    "WP",
    "EVENT_FORK",
    "EVENT_REMAP",
    "EVENT_REMOVE",
    "MISSING_HUGETLBFS",
    "MISSING_SHMEM",
    "EVENT_UNMAP",
    "SIGBUS",
    "THREAD_ID",
    "MINOR_HUGETLBFS",
    "MINOR_SHMEM",
    "EXACT_ADDRESS",
    "WP_SHMEM",
    "WP_UNPOPULATED",
    "POISON",
    "WP_ASYNC",
    "MOVE",
];

pub(crate) fn features(ground: &Ground) -> Answer {
    let bits = known(ground)?;
    let names = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name);
    Ok(format!("{bits:#x}: {}", names.collect::<Vec<_>>().join(" ")))
}
