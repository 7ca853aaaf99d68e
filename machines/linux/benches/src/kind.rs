//! The kinds of memory that are compared.

/// What a workload's memory is.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The kernel's swap in a file, read-ahead as the system has it.
    Swap,
    /// The same without read-ahead.
    SwapNoReadAhead,
    /// The kernel's compressed memory, lz4.
    Zram,
    /// A file mapped for sharing, `MADV_RANDOM`.
    File,
    /// Mager over a swap file.
    Mager,
    /// Mager over compressed memory.
    MagerCompressed,
}

/// In the order of a round: what is compared stands side by side.
pub(crate) const KINDS: [Kind; 6] =
    [Kind::Swap, Kind::Mager, Kind::SwapNoReadAhead, Kind::Zram, Kind::MagerCompressed, Kind::File];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Swap => "swap",
            Kind::SwapNoReadAhead => "swap-no-read-ahead",
            Kind::Zram => "zram",
            Kind::File => "file",
            Kind::Mager => "mager",
            Kind::MagerCompressed => "mager-compressed",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Kind::Swap => "kernel, swap file, read-ahead as found",
            Kind::SwapNoReadAhead => "kernel, swap file, no read-ahead",
            Kind::Zram => "kernel, zram lz4",
            Kind::File => "kernel, shared file mapping, MADV_RANDOM",
            Kind::Mager => "Mager, swap file",
            Kind::MagerCompressed => "Mager, compressed memory",
        }
    }

    /// What a kind of ours is held against.
    pub(crate) fn alternative(self) -> Option<Kind> {
        match self {
            Kind::Mager => Some(Kind::Swap),
            Kind::MagerCompressed => Some(Kind::Zram),
            Kind::Swap | Kind::SwapNoReadAhead | Kind::Zram | Kind::File => None,
        }
    }
}
