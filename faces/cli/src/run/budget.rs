//! How much memory and swap a run gets where the user does not say.

use super::refusal::Refusal;
use mager_linux_doctor::{MemoryGroup, memory_groups};
use mager_linux_pager::Sizes;
use rustix::fs::{statfs, statvfs};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// By custom on a disk, and not emptied when the system starts.
pub(super) const SWAP_DIR: &str = "/var/tmp";
const SWAP_FOR_MEMORY: u64 = 4;
const LEAST_SWAP: u64 = 4 << 30;
const MIB: u64 = 1 << 20;
/// The magic number of tmpfs, statfs(2).
const TMPFS: i64 = 0x0102_1994;

/// Fills in what was not said, and checks that the disk has room for the swap.
pub(super) fn settle(mut sizes: Sizes, memory: Option<u64>) -> Result<Sizes, Refusal> {
    sizes.memory = match memory {
        Some(memory) => memory,
        None => half_of_available()?,
    };
    let dir = directory(&sizes);
    let unnamed = |why: rustix::io::Errno| Refusal::SwapDir { dir: dir.clone(), why: why.into() };
    let room = statvfs(&dir).map_err(unnamed)?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let chosen = sizes.swap_dir.is_some() || sizes.swap_file.is_some();
    if !chosen && statfs(&dir).map_err(unnamed)?.f_type == TMPFS {
        return Err(Refusal::SwapInMemory { dir });
    }
    let swap = match sizes.swap {
        Some(wanted) if wanted > free => return Err(Refusal::SwapTooBig { wanted, free, dir }),
        Some(swap) => swap,
        None => swap_for(sizes.memory, free).ok_or(Refusal::DiskFull { free, dir: dir.clone() })?,
    };
    sizes.swap = Some(swap);
    // A program can have as much memory as there is swap, and pieces of it lie between others.
    sizes.arena = sizes.arena.max(swap.saturating_mul(2));
    Ok(sizes)
}

/// Where the swap file will be.
fn directory(sizes: &Sizes) -> PathBuf {
    let beside = sizes.swap_file.as_deref().and_then(Path::parent);
    match (beside, &sizes.swap_dir) {
        (Some(dir), _) if dir.as_os_str().is_empty() => ".".into(),
        (Some(dir), _) => dir.into(),
        (None, Some(dir)) => dir.clone(),
        (None, None) => SWAP_DIR.into(),
    }
}

/// Four times the memory and at least 4 GiB, but at most half of what is free; `None`: that would be less than the
/// memory.
fn swap_for(memory: u64, free: u64) -> Option<u64> {
    let wanted = memory.saturating_mul(SWAP_FOR_MEMORY).max(LEAST_SWAP);
    let swap = wanted.min(free / 2) / MIB * MIB;
    (swap >= memory && swap > 0).then_some(swap)
}

fn half_of_available() -> Result<u64, Refusal> {
    let unknown = || Refusal::UnknownMemory("/proc/meminfo does not say how much memory is available".into());
    let meminfo = read_to_string("/proc/meminfo").map_err(|_| unknown())?;
    let machine = number(&meminfo, "MemAvailable:").ok_or_else(unknown)? << 10;
    let least = memory_groups().iter().flat_map(left).fold(machine, u64::min);
    Ok(least / 2 / MIB * MIB)
}

/// What is left of the limits of a group and of those above it. What of its memory is only kept as long as nobody needs
/// it counts as left.
fn left(group: &MemoryGroup) -> Vec<u64> {
    let current = if group.unified { "memory.current" } else { "memory.usage_in_bytes" };
    let told = |dir: &Path, name| read_to_string(group.root.join(dir).join(name)).ok();
    let bytes = |dir: &Path, name| told(dir, name)?.trim().parse::<u64>().ok();
    let of = |dir: &Path| {
        let (limit, used) = (bytes(dir, group.limit())?, bytes(dir, current)?);
        let kept = told(dir, "memory.stat").and_then(|text| number(&text, "inactive_file")).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(kept)))
    };
    group.below.ancestors().filter_map(of).collect()
}

/// The number behind the word at a line's begin.
fn number(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(word)).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_four_times_the_memory_between_4_gib_and_half_the_disk() {
        let gib = 1 << 30;
        assert_eq!(swap_for(2 * gib, 100 * gib), Some(8 * gib));
        assert_eq!(swap_for(64 << 20, 100 * gib), Some(4 * gib));
        assert_eq!(swap_for(2 * gib, 6 * gib), Some(3 * gib));
        assert_eq!(swap_for(2 * gib, 3 * gib), None);
        assert_eq!(swap_for(0, 0), None);
    }

    #[test]
    fn a_number_is_found_by_its_whole_word() {
        let text = "total_inactive_file 1\ninactive_file 2\nMemAvailable:   7 kB\n";
        assert_eq!((number(text, "inactive_file"), number(text, "MemAvailable:")), (Some(2), Some(7)));
        assert_eq!(number(text, "inactive"), None);
    }

    #[test]
    fn this_machine_has_memory() {
        let half = half_of_available().expect("it says how much");
        assert!(half > 0 && half.is_multiple_of(MIB));
    }

    #[test]
    fn swap_beyond_the_disk_is_refused_and_a_named_file_is_looked_for_in_its_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        let sizes =
            Sizes { swap: Some(1 << 60), swap_file: Some(dir.path().join("swap")), ..Sizes::default() };
        let why = settle(sizes, Some(64 << 20)).expect_err("no disk is so big").to_string();
        assert!(why.contains(&dir.path().display().to_string()) && why.contains("--swap-dir"), "{why}");
    }
}
