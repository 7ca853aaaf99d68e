//! What a pager tells of itself, as JSON in [`crate::Reply::Figures`].
//!
//! Counts are since the pager started: what happened in a while is the difference of two.

use serde::{Deserialize, Serialize};

/// The most clients a pager tells of.
pub const MAX_CLIENTS_TOLD: usize = 200;

/// Figures of a running pager.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it; the words are in ARCHITECTURE.md")]
pub struct Figures {
    pub uptime_seconds: f64,
    pub page_size: u32,
    pub policy: String,
    pub arenas: u32,
    pub frames: u32,
    pub free_frames: u64,
    /// The most that were in use at a time.
    #[serde(default)]
    pub peak_frames: u64,
    pub pinned_frames: u32,
    pub swap_blocks: u32,
    pub swap_reserved: u32,
    pub swap_assigned: u32,
    pub file_pages: u32,
    pub faults: u64,
    pub zero_fills: u64,
    pub page_ins: u64,
    pub write_backs: u64,
    pub copies: u64,
    pub evictions: u64,
    pub aheads: u64,
    pub second_chances: u64,
    /// Faults answered by SIGBUS.
    pub denied: u64,
    /// Threads pulled to the pager's CPU.
    pub pulls: u64,
    /// How what clients hold is bounded: by `quota` or by `audit`.
    pub bound_by: String,
    /// Clients that did what they must not.
    pub expelled: u64,
    pub service: Service,
    #[serde(default)]
    pub returns: Returns,
    pub stores: Stores,
    pub clients: Vec<Client>,
    /// Clients beyond [`MAX_CLIENTS_TOLD`].
    pub clients_untold: usize,
}

/// One client.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Client {
    pub pid: i32,
    pub arenas: usize,
    pub reserved_pages: u64,
    /// Private pages of this client in memory. File pages are everyone's.
    pub private_frames: u64,
    pub faults: u64,
    pub page_ins: u64,
}

/// What the stores did, and the present state of compressed memory.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Stores {
    /// The engine and the swap place, for people.
    pub description: String,
    pub reads: u64,
    pub writes: u64,
    pub bytes_moved: u64,
    pub compressed_pages: u64,
    pub compressed_bytes: u64,
    pub compressed_budget: u64,
    /// Bytes of pages to a byte of compressed memory.
    pub compression_ratio: Option<f64>,
    pub same_filled: u64,
    pub incompressible: u64,
    pub spilled: u64,
    pub checksum_failures: u64,
    pub retries: u64,
    pub failures: u64,
}

/// How long faults took in the pager, from when it read one to when the thread could go on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Service {
    /// (nanoseconds, faults): so many took less than that, and no less than the entry before; rising.
    pub below_ns: Vec<(u64, u64)>,
    /// All of them together, in nanoseconds: how long threads were stalled. Those that waited at a time count each.
    #[serde(default)]
    pub total_ns: u64,
}

/// Pages that came back after they were evicted, of a sample of all: had there been so many frames more as evictions lay
/// between, they need not have left.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Returns {
    /// (evictions, pages): for so many pages it were fewer than that, and no fewer than in the entry before; rising.
    pub below_evictions: Vec<(u64, u64)>,
}

impl Returns {
    /// How many frames more would have kept a `share` (0 to 1) of these pages; `None` for fewer than `least` pages.
    #[must_use]
    pub fn frames_more(&self, share: f64, least: u64) -> Option<u64> {
        let enough = self.below_evictions.iter().map(|&(_, count)| count).sum::<u64>() >= least.max(1);
        enough.then(|| reached(&self.below_evictions, share)).flatten()
    }
}

/// The first bound below which there is a `share` of what is counted.
fn reached(below: &[(u64, u64)], share: f64) -> Option<u64> {
    let all: u64 = below.iter().map(|&(_, count)| count).sum();
    #[expect(clippy::cast_precision_loss, reason = "a share, for people")]
    let enough = |sum: u64| sum as f64 >= share * all as f64;
    let mut sum = 0;
    let reached = below.iter().find(|&&(_, count)| {
        sum += count;
        enough(sum)
    });
    reached.or(below.last()).map(|&(bound, _)| bound)
}

impl Service {
    /// Within this many nanoseconds a `share` (0 to 1) of the faults was answered; `None` if there were none.
    #[must_use]
    pub fn percentile_ns(&self, share: f64) -> Option<u64> {
        reached(&self.below_ns, share)
    }

    /// What came since `before`, which was told by the same pager.
    #[must_use]
    pub fn since(&self, before: &Service) -> Service {
        let then =
            |below| before.below_ns.iter().find(|&&(old, _)| old == below).map_or(0, |&(_, count)| count);
        let new = self.below_ns.iter().map(|&(below, count)| (below, count.saturating_sub(then(below))));
        let total_ns = self.total_ns.saturating_sub(before.total_ns);
        Service { below_ns: new.filter(|&(_, count)| count > 0).collect(), total_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_bounds_they_fall_below() {
        let service = Service { below_ns: vec![(1000, 90), (2000, 9), (64_000, 1)], total_ns: 0 };
        let at = |share| service.percentile_ns(share);
        assert_eq!((at(0.5), at(0.9), at(0.99), at(1.0)), (Some(1000), Some(1000), Some(2000), Some(64_000)));
        assert_eq!(Service::default().percentile_ns(0.5), None);
    }

    #[test]
    fn a_while_is_the_difference_of_two() {
        let before = Service { below_ns: vec![(1000, 90)], total_ns: 80_000 };
        let after = Service { below_ns: vec![(1000, 90), (2000, 3)], total_ns: 85_000 };
        let between = Service { below_ns: vec![(2000, 3)], total_ns: 5_000 };
        assert_eq!(after.since(&before), between);
    }

    #[test]
    fn few_pages_that_came_back_say_nothing_of_frames() {
        let returns = Returns { below_evictions: vec![(100, 9), (1000, 1)] };
        assert_eq!((returns.frames_more(0.9, 10), returns.frames_more(0.91, 10)), (Some(100), Some(1000)));
        assert_eq!((returns.frames_more(0.9, 11), Returns::default().frames_more(0.9, 0)), (None, None));
    }

    #[test]
    fn what_a_newer_pager_tells_beside_is_not_minded() {
        let mut told = serde_json::to_value(Figures::default()).expect("it is JSON");
        told["news"] = 1.into();
        assert!(serde_json::from_value::<Figures>(told).is_ok());
    }
}
