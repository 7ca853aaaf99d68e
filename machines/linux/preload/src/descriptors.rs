//! The descriptors the arena lives by, which programs that close everything must not close.

use std::sync::atomic::{AtomicI32, Ordering};

const NONE: i32 = -1;
static PROTECTED: [AtomicI32; 4] = [const { AtomicI32::new(NONE) }; 4];

pub(crate) fn protect(descriptors: impl Iterator<Item = i32>) {
    for (place, fd) in PROTECTED.iter().zip(descriptors) {
        place.store(fd, Ordering::Relaxed);
    }
}

#[inline]
pub(crate) fn is_protected(fd: i32) -> bool {
    fd >= 0 && PROTECTED.iter().any(|place| place.load(Ordering::Relaxed) == fd)
}

/// The ranges of numbers from `first` to `last` that hold none of ours.
pub(crate) fn around(first: u32, last: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut ours: Vec<u32> =
        PROTECTED.iter().filter_map(|place| u32::try_from(place.load(Ordering::Relaxed)).ok()).collect();
    ours.retain(|fd| (first..=last).contains(fd));
    ours.sort_unstable();
    let starts: Vec<u64> =
        std::iter::once(u64::from(first)).chain(ours.iter().map(|&fd| u64::from(fd) + 1)).collect();
    let ends: Vec<u64> =
        ours.iter().map(|&fd| u64::from(fd)).chain(std::iter::once(u64::from(last) + 1)).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter(|(start, end)| start < end)
        .filter_map(|(start, end)| Some((u32::try_from(start).ok()?, u32::try_from(end - 1).ok()?)))
}
