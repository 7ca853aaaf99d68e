//! What is known of one chunk of compressed memory.

/// No chunk, at the end of a list.
pub(super) const NONE: u32 = u32::MAX;
/// No slot, at the end of a list.
pub(super) const NO_SLOT: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    /// Neighbours in the list of the chunks of this size that have a free slot; `next` also chains free chunks.
    pub(super) next: u32,
    pub(super) prev: u32,
    /// Slots in use; slots that never were begin at `fresh`; those that were are chained from `free`.
    pub(super) used: u16,
    pub(super) fresh: u16,
    pub(super) free: u16,
    /// The size of a slot in granules.
    pub(super) size: u16,
}

impl Chunk {
    /// One that nobody has used.
    pub(super) const EMPTY: Chunk =
        Chunk { next: NONE, prev: NONE, used: 0, fresh: 0, free: NO_SLOT, size: 1 };
}
