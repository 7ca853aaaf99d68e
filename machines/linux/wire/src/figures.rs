//! What a pager tells of itself, as JSON in [`crate::Reply::Figures`].
//!
//! Counts are since the pager started: what happened in a while is the difference of two.

use serde::{Deserialize, Serialize};

/// The most clients a pager tells of.
pub const MAX_CLIENTS_TOLD: usize = 200;
/// The most arenas it tells of.
pub const MAX_ARENAS_TOLD: usize = 40;
/// The most files it tells of.
pub const MAX_FILES_TOLD: usize = 20;
/// Bytes of the longest command or file name it tells.
pub const MAX_NAME: usize = 48;

/// Figures of a running pager. What an older one does not tell is zero or empty.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it; the words are in ARCHITECTURE.md")]
pub struct Figures {
    pub uptime_seconds: f64,
    pub page_size: u32,
    pub policy: String,
    pub arenas: u32,
    pub frames: u32,
    pub free_frames: u64,
    /// Of `frames`, those that compressed pages have, and how many those can be.
    pub withheld_frames: u32,
    pub elastic_frames: u32,
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
    /// The arenas that have faulted most, at most [`MAX_ARENAS_TOLD`].
    pub busiest_arenas: Vec<Arena>,
    /// The mapped files that were read most, at most [`MAX_FILES_TOLD`].
    pub busiest_files: Vec<File>,
}

impl Figures {
    /// Frames that hold pages, or could: those that compressed pages have are not among them.
    #[must_use]
    pub fn circulating(&self) -> u64 {
        u64::from(self.frames.saturating_sub(self.withheld_frames))
    }
}

/// One client.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Client {
    /// The connection: no other client of this pager has ever the same.
    pub number: u64,
    pub pid: i32,
    /// Its command line when it connected, the program without its directory, cut after [`MAX_NAME`] bytes, without control characters; may be empty.
    pub command: String,
    pub arenas: usize,
    pub reserved_pages: u64,
    /// Private pages of this client in memory. File pages are everyone's.
    pub private_frames: u64,
    pub faults: u64,
    pub page_ins: u64,
}

/// One arena.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Arena {
    /// Whose: [`Client::number`].
    pub client: u64,
    pub slot: u32,
    pub generation: u32,
    pub reserved_pages: u64,
    /// Pages that its memory file holds.
    pub held_pages: u64,
    pub faults: u64,
    pub page_ins: u64,
}

/// One mapped file.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct File {
    /// The end of its name when it was mapped, [`MAX_NAME`] bytes at most, without control characters.
    pub name: String,
    pub held_pages: u64,
    pub page_ins: u64,
}

/// A name as it is told: at most [`MAX_NAME`] bytes, one line, and nothing that JSON would make longer.
#[must_use]
pub fn name(text: &str, keep: Keep) -> String {
    let plain = |c: char| match c {
        '"' => '\'',
        '\\' => '/',
        c if c.is_control() => ' ',
        c => c,
    };
    let text: String = text.trim_end_matches(['\0', '\n']).chars().map(plain).collect();
    let starts = || text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let cut = match keep {
        Keep::Start => &text[..starts().rfind(|&at| at <= MAX_NAME).unwrap_or(0)],
        Keep::End => &text[starts().find(|&at| text.len() - at <= MAX_NAME).unwrap_or(0)..],
    };
    cut.to_owned()
}

/// Which end of a long name is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Keep {
    Start,
    End,
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
    /// Compressed pages that went to the swap file after all, as younger ones needed their room.
    pub demoted: u64,
    /// Times that one could not be written there, and stayed.
    #[serde(default)]
    pub undemoted: u64,
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
    fn names_are_short_and_on_one_line() {
        assert_eq!(name("sh\0-c\0echo \"a\\\n\"\0\0", Keep::Start), "sh -c echo 'a/ '");
        let long = "\u{e9}".repeat(40);
        assert_eq!(name(&format!("{long}z"), Keep::Start), "\u{e9}".repeat(24));
        assert_eq!(name(&format!("{long}z"), Keep::End), format!("{}z", "\u{e9}".repeat(23)));
    }

    /// Counts of a pager that has served a million faults a second for a year.
    #[test]
    fn the_most_that_can_be_told_fits_in_a_message() {
        let (count, pages, text) = (1 << 45, u64::from(u32::MAX), "x".repeat(MAX_NAME));
        let client = Client {
            number: count,
            pid: i32::MAX,
            command: text.clone(),
            arenas: 64,
            reserved_pages: 64 * pages,
            private_frames: pages,
            faults: count,
            page_ins: count,
        };
        let (held_pages, faults, page_ins) = (pages, count, count);
        let arena = Arena {
            client: count,
            slot: 9999,
            generation: 9999,
            reserved_pages: pages,
            held_pages,
            faults,
            page_ins,
        };
        let file = File { name: text, held_pages, page_ins };
        let figures = Figures {
            clients: vec![client; MAX_CLIENTS_TOLD],
            busiest_arenas: vec![arena; MAX_ARENAS_TOLD],
            busiest_files: vec![file; MAX_FILES_TOLD],
            service: Service {
                below_ns: (0..200).map(|bucket| (count + bucket, count)).collect(),
                total_ns: count,
            },
            ..Figures::default()
        };
        let room = crate::MAX_MESSAGE - 4096;
        let told = serde_json::to_string(&figures).expect("it is JSON").len();
        assert!(told < room, "{told} bytes, and there is room for {room}");
    }

    #[test]
    fn what_an_older_pager_does_not_tell_is_nothing() {
        let told: Figures =
            serde_json::from_str(r#"{"frames": 3, "clients": [{"pid": 7}]}"#).expect("it is read");
        assert_eq!((told.frames, told.clients[0].pid, told.busiest_files.len()), (3, 7, 0));
    }

    #[test]
    fn what_a_newer_pager_tells_beside_is_not_minded() {
        let mut told = serde_json::to_value(Figures::default()).expect("it is JSON");
        told["news"] = 1.into();
        assert!(serde_json::from_value::<Figures>(told).is_ok());
    }
}
