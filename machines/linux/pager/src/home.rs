//! Which CPU the pager makes its home.
//!
//! A read is shortest on the CPU that takes the device's completion interrupt: waking another one costs some tens of
//! microseconds. Which one that is shows best by trying: a few pages are written beside the swap file, and read from each CPU.

use mager_linux_sys::{CpuMask, affinity, online_cpus, only_cpu, set_affinity};
use mager_stores::{BufferNo, Buffers, SwapPlace};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use std::path::Path;
use std::time::{Duration, Instant};

const PAGE: usize = 4096;
const READS: u64 = 9;
/// More CPUs than these are not tried.
const MOST: usize = 16;

/// The CPU to be pinned to, and pins the caller to it: the quickest beside the device, else the last of its mask. With how
/// many there are besides.
pub(crate) fn settle(swap: &SwapPlace) -> Option<(CpuMask, u32)> {
    let mask = affinity(0).ok()?;
    let cpus: Vec<usize> = online_cpus(&mask).collect();
    let dir = match swap {
        SwapPlace::Path(path, _) => path.parent(),
        SwapPlace::Unnamed(dir) => Some(dir.as_path()),
        SwapPlace::Memory | SwapPlace::Nowhere => None,
    };
    let quickest = dir.filter(|_| cpus.len() > 1).and_then(|dir| quickest(dir, &cpus));
    let home = only_cpu(quickest.or(cpus.last().copied())?);
    set_affinity(0, &home).ok()?;
    Some((home, u32::try_from(cpus.len()).ok()? - 1))
}

/// The CPU from which a page of a file in `dir` is read in the least time.
fn quickest(dir: &Path, cpus: &[usize]) -> Option<usize> {
    let mut buffers = Buffers::new(PAGE, 1).ok()?;
    let buffer = buffers.take()?;
    buffers.bytes_mut(buffer).fill(1);
    let file = written(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }, &buffers, buffer)?;
    let mut times = Vec::new();
    for &cpu in cpus.iter().take(MOST) {
        set_affinity(0, &only_cpu(cpu)).ok()?;
        times.push((median(&file, buffers.bytes_mut(buffer))?, cpu));
    }
    times.into_iter().min().map(|(_, cpu)| cpu)
}

/// A nameless file of a few pages that are on the device.
fn written(dir: &Path, buffers: &Buffers, buffer: BufferNo) -> Option<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::DIRECT;
    let file = rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR).ok()?;
    for block in 0..READS {
        rustix::io::pwrite(&file, buffers.bytes(buffer), block * PAGE as u64).ok()?;
    }
    rustix::fs::fdatasync(&file).ok()?;
    Some(file)
}

fn median(file: &OwnedFd, page: &mut [u8]) -> Option<Duration> {
    let mut times = Vec::new();
    for block in 0..READS {
        let start = Instant::now();
        rustix::io::pread(file, &mut *page, block * PAGE as u64).ok()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_one_cpu_of_the_mask() {
        let before = affinity(0).expect("a mask");
        let (home, _) = settle(&SwapPlace::Unnamed(".".into())).expect("a home");
        let cpus: Vec<usize> = online_cpus(&home).collect();
        assert!(cpus.len() == 1 && before.is_set(cpus[0]), "{cpus:?}");
        set_affinity(0, &before).expect("the mask is given back");
    }
}
