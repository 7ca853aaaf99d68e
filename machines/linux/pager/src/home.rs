//! Which CPU the pager makes its home.
//!
//! A read is shortest on the CPU that takes the device's completion interrupt: waking another one costs some microseconds,
//! and on some virtual machines now and then up to the next tick of the clock (20 ms, once in 2000 reads). Which one that
//! is shows best by trying: a few pages are written beside the swap file, and read from each CPU. Where each takes the
//! interrupts of its own reads, or nothing tells who does, the quickest is taken.

use crate::interrupts::Taken;
use mager_linux_sys::{CpuMask, affinity, online_cpus, only_cpu, set_affinity};
use mager_stores::{BufferNo, Buffers, SwapPlace};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use std::path::Path;
use std::time::{Duration, Instant};

const PAGE: usize = 4096;
const READS: u64 = 16;
/// More CPUs than these are not tried.
const MOST: usize = 16;

/// The pager's CPU.
#[derive(Debug)]
pub(crate) struct Home {
    /// It alone.
    mask: CpuMask,
    /// All that the pager may run on.
    own: CpuMask,
    /// How many those are, but for its own.
    others: u32,
    /// The pager is pinned to it now.
    stays: bool,
}

impl Home {
    pub(crate) fn mask(&self) -> &CpuMask {
        &self.mask
    }

    /// How many other CPUs there are.
    pub(crate) fn others(&self) -> u32 {
        self.others
    }

    /// The pager, which calls this, is pinned to its CPU, or runs wherever it may.
    pub(crate) fn stay(&mut self, stays: bool) {
        if stays != self.stays && set_affinity(0, if stays { &self.mask } else { &self.own }).is_ok() {
            self.stays = stays;
        }
    }
}

/// Pins the caller to a CPU: the one beside the device, else the last of its mask.
pub(crate) fn settle(swap: &SwapPlace) -> Option<Home> {
    let mask = affinity(0).ok()?;
    let cpus: Vec<usize> = online_cpus(&mask).collect();
    let dir = match swap {
        SwapPlace::Path(path, _) => path.parent(),
        SwapPlace::Unnamed(dir) => Some(dir.as_path()),
        SwapPlace::Memory | SwapPlace::Nowhere => None,
    };
    let best = dir.filter(|_| cpus.len() > 1).and_then(|dir| best(dir, &cpus));
    let home = only_cpu(best.or(cpus.last().copied())?);
    set_affinity(0, &home).ok()?;
    Some(Home { mask: home, own: mask, others: u32::try_from(cpus.len()).ok()? - 1, stays: true })
}

/// The CPU from which pages of a file in `dir` are best read.
fn best(dir: &Path, cpus: &[usize]) -> Option<usize> {
    let mut buffers = Buffers::new(PAGE, 1).ok()?;
    let buffer = buffers.take()?;
    buffers.bytes_mut(buffer).fill(1);
    let file = written(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }, &buffers, buffer)?;
    let mut tried = Vec::new();
    for &cpu in cpus.iter().take(MOST) {
        set_affinity(0, &only_cpu(cpu)).ok()?;
        let before = Taken::now();
        let time = median(&file, buffers.bytes_mut(buffer))?;
        tried.push(Tried { time, cpu, interrupted: Taken::now().mostly_by(&before, READS) });
    }
    choose(&tried, cpus)
}

/// Reads from a CPU: the median time, and which CPU took their interrupts.
struct Tried {
    time: Duration,
    cpu: usize,
    interrupted: Option<usize>,
}

fn choose(tried: &[Tried], cpus: &[usize]) -> Option<usize> {
    let own = |it: &&Tried| it.interrupted == Some(it.cpu);
    let elsewhere =
        tried.iter().find_map(|it| it.interrupted.filter(|&cpu| cpu != it.cpu && cpus.contains(&cpu)));
    let quickest = |of: Vec<&Tried>| of.into_iter().map(|it| (it.time, it.cpu)).min().map(|(_, cpu)| cpu);
    quickest(tried.iter().filter(own).collect()).or(elsewhere).or_else(|| quickest(tried.iter().collect()))
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

    fn tried(all: &[(u64, usize, Option<usize>)]) -> Vec<Tried> {
        let one = |&(us, cpu, interrupted)| Tried { time: Duration::from_micros(us), cpu, interrupted };
        all.iter().map(one).collect()
    }

    #[test]
    fn the_cpu_that_takes_the_interrupts_is_better_than_the_quickest() {
        let choose = |all: &[_]| choose(&tried(all), &[0, 1, 2]);
        assert_eq!(choose(&[(37, 0, Some(1)), (38, 1, Some(1)), (36, 2, Some(1))]), Some(1));
        assert_eq!(choose(&[(37, 0, Some(0)), (36, 1, Some(1)), (38, 2, None)]), Some(1), "each its own");
        assert_eq!(choose(&[(37, 0, None), (36, 1, None)]), Some(1), "they are not told");
        assert_eq!(choose(&[(37, 0, Some(2)), (36, 1, Some(2))]), Some(2), "it was not tried");
        assert_eq!(choose(&[(37, 0, Some(3)), (36, 1, Some(3))]), Some(1), "it may not be used");
    }

    #[test]
    fn a_home_is_one_cpu_of_the_mask() {
        let before = affinity(0).expect("a mask");
        let mut home = settle(&SwapPlace::Unnamed(".".into())).expect("a home");
        let cpus: Vec<usize> = online_cpus(home.mask()).collect();
        assert!(cpus.len() == 1 && before.is_set(cpus[0]), "{cpus:?}");
        assert_eq!(affinity(0).expect("a mask"), *home.mask());
        home.stay(false);
        assert_eq!(affinity(0).expect("a mask"), before);
    }
}
