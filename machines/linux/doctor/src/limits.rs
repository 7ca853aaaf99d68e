//! Limits: memory of the machine and of the control groups we are in, locked memory, open files, mappings.

use crate::ground::{CAP_IPC_LOCK, Ground};
use crate::probe::{Answer, missing};
use rustix::process::{Resource, getrlimit};
use std::fs::read_to_string;
use std::path::PathBuf;

const MANY_FILES: u64 = 1024;
const MUCH_LOCKED: u64 = 8 << 20;
const MANY_MAPPINGS: u64 = 65530;

pub(crate) fn memory(ground: &Ground) -> Answer {
    let wanted = ground.options.memory;
    let Some((least, whose)) = bounds().into_iter().min_by_key(|(bytes, _)| *bytes) else {
        return missing("neither /proc/meminfo nor a control group says how much", "mount /proc");
    };
    let said = format!("{} MiB ({whose})", least >> 20);
    if least >= wanted {
        return Ok(said);
    }
    let plain = format!("echo {wanted} >{whose}, or a smaller --memory");
    let more = format!("--memory {wanted} or more, or take a smaller --memory here");
    missing(format!("{said}, {} MiB wanted", wanted >> 20), ground.remedy(plain, &more))
}

/// What bounds the memory of this process, and where that is set.
fn bounds() -> Vec<(u64, String)> {
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let all = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    let machine =
        all.and_then(|kib| kib.parse::<u64>().ok()).map(|kib| (kib << 10, "the machine".to_owned()));
    machine.into_iter().chain(group_bounds()).collect()
}

/// A control group with limits of memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryGroup {
    /// Version 2 of control groups.
    pub unified: bool,
    /// Where its hierarchy is mounted.
    pub root: PathBuf,
    /// The group, below the root.
    pub below: PathBuf,
}

impl MemoryGroup {
    /// The name of the file with the limit.
    #[must_use]
    pub fn limit(&self) -> &'static str {
        if self.unified { "memory.max" } else { "memory.limit_in_bytes" }
    }
}

/// The groups that this process is in and that may bound its memory; of version 2 also where memory is not its business.
#[must_use]
pub fn memory_groups() -> Vec<MemoryGroup> {
    let own = read_to_string("/proc/self/cgroup").unwrap_or_default();
    groups(&own, &read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

/// The limits of our control group and of those above it.
fn group_bounds() -> Vec<(u64, String)> {
    let mut found = Vec::new();
    for group in memory_groups() {
        for dir in group.below.ancestors() {
            let path = group.root.join(dir).join(group.limit());
            let bytes = read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
            found.extend(bytes.map(|bytes| (bytes, path.display().to_string())));
        }
    }
    found
}

fn groups(own: &str, mounts: &str) -> Vec<MemoryGroup> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let unified = controllers.is_empty();
        if !unified && !controllers.split(',').any(|name| name == "memory") {
            continue;
        }
        let (kind, option) = if unified { ("cgroup2", "") } else { ("cgroup", "memory") };
        let below = PathBuf::from(path.trim_start_matches('/'));
        found.extend(mounted(mounts, kind, option).map(|root| MemoryGroup { unified, root, below }));
    }
    found
}

/// Where a file system of this kind with this option is mounted.
fn mounted(mounts: &str, kind: &str, option: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (first, second) = line.split_once(" - ")?;
        let mut about = second.split(' ');
        let right = about.next()? == kind
            && (option.is_empty() || about.nth(1)?.split(',').any(|found| found == option));
        right.then(|| first.split(' ').nth(4).map(PathBuf::from))?
    })
}

fn limit(resource: Resource) -> u64 {
    getrlimit(resource).current.unwrap_or(u64::MAX)
}

pub(crate) fn locked(ground: &Ground) -> Answer {
    let bytes = limit(Resource::Memlock);
    if ground.may(CAP_IPC_LOCK) {
        return Ok("any amount (CAP_IPC_LOCK)".into());
    }
    match bytes {
        u64::MAX => Ok("any amount".into()),
        MUCH_LOCKED.. => Ok(format!("{} MiB", bytes >> 20)),
        _ => {
            let remedy =
                ground.remedy("ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)", "--ulimit memlock=-1");
            missing(format!("{} KiB", bytes >> 10), remedy)
        }
    }
}

pub(crate) fn files(ground: &Ground) -> Answer {
    match limit(Resource::Nofile) {
        number @ MANY_FILES.. => Ok(number.to_string()),
        number => {
            let remedy =
                ground.remedy("ulimit -n 65536 (systemd: LimitNOFILE=65536)", "--ulimit nofile=65536");
            missing(format!("{number}, {MANY_FILES} wanted"), remedy)
        }
    }
}

pub(crate) fn mappings(_: &Ground) -> Answer {
    let setting = read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    match setting.trim().parse::<u64>() {
        Ok(number @ MANY_MAPPINGS..) => Ok(number.to_string()),
        Ok(number) => missing(number, format!("sysctl -w vm.max_map_count={MANY_MAPPINGS}")),
        Err(_) => missing("/proc/sys/vm/max_map_count cannot be read", "mount /proc"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 29 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 29 0:27 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 29 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct";

    #[test]
    fn groups_of_both_versions_are_found() {
        let found = groups("7:cpu,cpuacct:/\n5:memory:/a/b\n0::/c", MOUNTS);
        let text = |group: MemoryGroup| {
            format!("{} {} {}", group.root.display(), group.below.display(), group.limit())
        };
        assert_eq!(
            found.into_iter().map(text).collect::<Vec<_>>(),
            ["/sys/fs/cgroup/memory a/b memory.limit_in_bytes", "/sys/fs/cgroup/unified c memory.max"]
        );
    }

    #[test]
    fn a_line_that_makes_no_sense_is_passed_over() {
        assert!(groups("nonsense\n5:memory\n", MOUNTS).is_empty());
        assert!(groups("5:memory:/a", "").is_empty());
    }
}
