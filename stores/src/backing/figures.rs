//! What a backing counts.

/// Counters since the backing was opened, and the present state of compressed memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Figures {
    /// Pages asked for.
    pub reads: u64,
    /// Pages given to be written.
    pub writes: u64,
    /// Bytes that went to or came from files.
    pub bytes_moved: u64,
    /// Pages read by a blocking call because nothing else was in flight.
    pub lone_reads: u64,
    /// Calls to the device: a run of joined pages is one.
    pub runs: u64,
    /// Pages that shared a call with a neighbour.
    pub joined: u64,
    /// Pages in compressed memory now, those that did not compress included.
    pub packed_pages: u64,
    /// Bytes of compressed memory in use now, with all their overhead.
    pub packed_bytes: u64,
    /// The bound of `packed_bytes`.
    pub packed_budget: u64,
    /// Pages written that were one word over and over: they take no room.
    pub same_filled: u64,
    /// Pages written that did not compress.
    pub incompressible: u64,
    /// Pages written to the swap file because they found no room in compressed memory, or hardly compressed.
    pub spilled: u64,
    /// Packed pages that went to the swap file after all, as younger ones needed their room.
    pub demoted: u64,
    /// Times that one could not be written there, and stayed.
    pub undemoted: u64,
    /// Pages that were not what was written.
    pub checksum_failures: u64,
    /// Jobs tried again: pages of a failed run one by one, failed writes on spare blocks.
    pub retries: u64,
    /// Swap blocks replaced by spare ones.
    pub bad_blocks: u64,
    /// Spare swap blocks left.
    pub spare_blocks: u64,
    /// Jobs that failed in the end.
    pub failures: u64,
    /// The size of a page in bytes.
    pub page_size: u64,
}

/// Compressed memory: what it may be, and what it is. All of it in bytes, overhead included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// What it may be at most, ever.
    pub budget: u64,
    /// What is used.
    pub used: u64,
    /// By how much that grows and shrinks.
    pub step: u64,
}

impl Figures {
    /// How many bytes of pages a byte of compressed memory holds; `None` while it holds nothing.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (pages, bytes) = (self.packed_pages * self.page_size, self.packed_bytes);
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        (bytes > 0).then(|| pages as f64 / bytes as f64)
    }
}
