//! A whole trace in memory, four bytes an access, for what has to go over it many times.

use crate::{Access, Interner};
use mager_trace::{Batch, Options, Reader, TraceError};
use std::path::Path;

/// A trace with dense page numbers.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The accesses in order.
    pub accesses: Vec<Access>,
    /// How many different pages they touch: the footprint.
    pub pages: u32,
    /// Records that were left out as bad.
    pub bad: u64,
}

impl Trace {
    /// Reads the whole trace at `path`; `go_on` is asked between batches, told how many accesses there are so far.
    pub fn load(
        path: &Path,
        options: &Options,
        mut go_on: impl FnMut(u64) -> bool,
    ) -> Result<Self, TraceError> {
        let mut accesses = Vec::new();
        let (pages, bad) = stream(path, options, |batch| {
            accesses.extend_from_slice(batch);
            go_on(accesses.len() as u64)
        })?;
        Ok(Trace { accesses, pages, bad })
    }
}

/// Reads the trace at `path` batch by batch, until `each` says to stop; how many pages and bad records there were.
pub fn stream(
    path: &Path,
    options: &Options,
    mut each: impl FnMut(&[Access]) -> bool,
) -> Result<(u32, u64), TraceError> {
    let mut reader = Reader::open(path, options)?;
    let (mut batch, mut interner, mut accesses) = (Batch::default(), Interner::new(), Vec::new());
    while reader.next_batch(&mut batch)? {
        accesses.clear();
        interner.intern(&batch.pages, &batch.writes, &mut accesses);
        if !each(&accesses) {
            break;
        }
    }
    Ok((interner.len(), reader.bad()))
}
