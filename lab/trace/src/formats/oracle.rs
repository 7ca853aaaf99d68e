//! libCacheSim's oracleGeneral: packed little-endian records of u32 time, u64 object, u32 size, i64 next access.
//!
//! Objects are pages of unit size here; times, sizes and the promised next accesses are not used.

use crate::{Batch, Parse, TraceError};
use std::path::Path;

pub(crate) const RECORD: usize = 24;

/// Looks a little like one: the times do not go back, and the next accesses are -1 or small.
pub(crate) fn is_oracle(start: &[u8]) -> bool {
    let (records, _) = start.as_chunks::<RECORD>();
    let plausible =
        |record: &[u8; RECORD]| matches!(record[16..], [255, 255, 255, 255, 255, 255, 255, 255] | [.., 0, 0]);
    !records.is_empty() && records.iter().take(100).all(plausible)
}

#[derive(Debug)]
pub(crate) struct Oracle {
    records: u64,
    skip_bad: bool,
    bad: u64,
}

impl Oracle {
    pub(crate) fn new(skip_bad: bool) -> Self {
        Oracle { records: 0, skip_bad, bad: 0 }
    }
}

impl Parse for Oracle {
    fn parse(&mut self, bytes: &[u8], end: bool, path: &Path, out: &mut Batch) -> Result<usize, TraceError> {
        let (records, rest) = bytes.as_chunks::<RECORD>();
        out.pages.extend(records.iter().map(|record| {
            let [_, _, _, _, a, b, c, d, e, f, g, h, ..] = *record;
            u64::from_le_bytes([a, b, c, d, e, f, g, h])
        }));
        out.writes.resize(out.pages.len(), false);
        self.records += records.len() as u64;
        if !end || rest.is_empty() {
            return Ok(bytes.len() - rest.len());
        }
        self.bad += 1;
        if self.skip_bad {
            return Ok(bytes.len());
        }
        let (unit, expected) = ("record", "24 bytes: the file ends within a record");
        Err(TraceError::Bad { path: path.to_owned(), unit, number: self.records + 1, expected })
    }

    fn bad(&self) -> u64 {
        self.bad
    }
}
