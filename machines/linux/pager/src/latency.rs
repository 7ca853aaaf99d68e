//! How long faults took, and numbers in general in buckets four to each power of two: cheap to note, and near enough to
//! tell percentiles by.

use mager_linux_wire::figures::Service;
use std::time::Duration;

/// Buckets to a power of two, and how many bits of a number that is.
const PARTS: u64 = 4;
const PART_BITS: u32 = 2;
const BUCKETS: usize = 64 * 4;

/// How many of each size there were.
#[derive(Debug)]
pub(crate) struct Counts {
    counts: Box<[u64; BUCKETS]>,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Counts { counts: Box::new([0; BUCKETS]) }
    }

    #[inline]
    pub(crate) fn note(&mut self, number: u64) {
        self.counts[bucket(number)] += 1;
    }

    /// (a bound, how many were below it and not below the one before), rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let used = (0u64..).zip(self.counts.iter()).filter(|&(_, &count)| count > 0);
        used.map(|(bucket, &count)| (bound(bucket), count))
    }

    pub(crate) fn tell(&self) -> Vec<(u64, u64)> {
        self.iter().collect()
    }

    /// What was noted counts half as much from now on.
    pub(crate) fn halve(&mut self) {
        self.counts.iter_mut().for_each(|count| *count /= 2);
    }
}

#[derive(Debug)]
pub(crate) struct Latency {
    counts: Counts,
    total_ns: u64,
}

impl Latency {
    pub(crate) fn new() -> Self {
        Latency { counts: Counts::new(), total_ns: 0 }
    }

    /// A fault was answered after `took`.
    #[inline]
    pub(crate) fn note(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.counts.note(ns);
        self.total_ns = self.total_ns.saturating_add(ns);
    }

    pub(crate) fn tell(&self) -> Service {
        Service { below_ns: self.counts.tell(), total_ns: self.total_ns }
    }
}

fn bucket(ns: u64) -> usize {
    let ns = ns.max(PARTS);
    let power = ns.ilog2();
    let part = (ns >> (power - PART_BITS)) & (PARTS - 1);
    usize::try_from(u64::from(power) * PARTS + part).unwrap_or(BUCKETS - 1)
}

/// What everything in a bucket is less than.
fn bound(bucket: u64) -> u64 {
    let (power, part) = (bucket / PARTS, bucket % PARTS);
    let bound = u128::from(PARTS + part + 1) << power >> PART_BITS;
    u64::try_from(bound).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_a_bucket_that_is_a_quarter_wide_at_most() {
        for ns in (0..63).flat_map(|shift| [1u64 << shift, (1 << shift) + 1, (1 << shift) / 4 * 7]) {
            let bound = bound(bucket(ns) as u64);
            assert!(bound > ns && bound - ns.max(4) <= ns.max(4) / 4 + 1, "{ns} is below {bound}");
        }
        assert_eq!(bound(bucket(u64::MAX) as u64), u64::MAX);
    }

    #[test]
    fn what_was_noted_is_told() {
        let mut latency = Latency::new();
        latency.note(Duration::from_nanos(1000));
        latency.note(Duration::from_nanos(1001));
        latency.note(Duration::from_micros(100));
        let told = latency.tell();
        assert_eq!((told.below_ns, told.total_ns), (vec![(1024, 2), (114_688, 1)], 102_001));
    }
}
