//! Figures of others that are quoted, not measured here: LLNL umap at 4 KiB pages, on a machine of the kind the
//! project is tested on (2 virtual CPUs, virtual disk, Linux 6.18); operations a second.

use crate::workload::Workload;

/// The lower and the upper end.
pub(crate) fn umap(workload: Workload) -> Option<(f64, f64)> {
    match workload {
        Workload::SeqWrite => Some((7_700.0, 7_700.0)),
        Workload::SeqRead => Some((9_400.0, 9_400.0)),
        Workload::Random => Some((10_000.0, 12_000.0)),
        Workload::Zipf => Some((38_000.0, 47_000.0)),
        Workload::RandomWrites => Some((9_300.0, 9_300.0)),
        Workload::HotScan => Some((39_000.0, 49_000.0)),
        Workload::Random8 => None,
    }
}
