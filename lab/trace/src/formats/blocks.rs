//! Block traces: MSR Cambridge's text and VMware's vscsi records. A request of several pages is several accesses.

use crate::{Batch, Expected, Line, Pages, Parse, TraceError, numbers::whole};
use std::path::Path;

/// `timestamp,host,disk,Read|Write,offset,size,latency`, in bytes. Disks are kept apart by the top bits.
#[derive(Debug)]
pub(crate) struct Msr {
    pub(crate) pages: Pages,
}

fn request(line: &str) -> Option<(u64, u64, u64, bool)> {
    let mut columns = line.split(',').map(str::trim).skip(2);
    let disk = columns.next()?.parse().ok()?;
    let write = match columns.next()? {
        kind if kind.eq_ignore_ascii_case("read") => false,
        kind if kind.eq_ignore_ascii_case("write") => true,
        _ => return None,
    };
    let (offset, size) = (whole(columns.next()?.as_bytes())?, whole(columns.next()?.as_bytes())?);
    Some((disk, offset, size, write)).filter(|&(_, _, size, _)| size <= 1 << 32)
}

pub(crate) fn is_msr(line: &str) -> bool {
    request(line).is_some()
}

impl Line for Msr {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if line.is_empty() {
            return Ok(());
        }
        let (disk, offset, size, write) = str::from_utf8(line)
            .ok()
            .and_then(request)
            .ok_or("`time,host,disk,Read or Write,offset,size,latency`")?;
        self.pages.split(disk << 56 | (offset & ((1 << 56) - 1)), size, write, out);
        Ok(())
    }
}

/// Records of 32 bytes (version 1) or 40 (version 2); lengths in bytes, places in sectors of 512.
#[derive(Debug)]
pub(crate) struct Vscsi {
    version: u16,
    pages: Pages,
    records: u64,
    skip_bad: bool,
    bad: u64,
}

/// Where things lie in a record of a version.
struct Layout {
    record: usize,
    cmd: usize,
    len: usize,
    lbn: usize,
}

fn layout(version: u16) -> Layout {
    if version == 2 {
        Layout { record: 40, cmd: 0, len: 8, lbn: 16 }
    } else {
        Layout { record: 32, cmd: 12, len: 4, lbn: 16 }
    }
}

fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

fn version_at(start: &[u8], at: usize) -> Option<u16> {
    start.get(at..at + 2).map(|bytes| u16_at(bytes, 0) >> 8)
}

pub(crate) fn is_vscsi(start: &[u8]) -> bool {
    version_at(start, 2) == Some(2) || version_at(start, 14) == Some(1)
}

impl Vscsi {
    pub(crate) fn new(start: &[u8], pages: Pages, skip_bad: bool) -> Self {
        let version = if version_at(start, 2) == Some(2) { 2 } else { 1 };
        Vscsi { version, pages, records: 0, skip_bad, bad: 0 }
    }

    /// Adds the accesses of one record; the commands that move data are the SCSI reads and writes.
    fn record(&self, record: &[u8], out: &mut Batch) -> Result<(), Expected> {
        let at = layout(self.version);
        let version = u16_at(record, at.cmd + 2) >> 8;
        if version != self.version {
            return Err("a record of the same version as the first");
        }
        let write = match u16_at(record, at.cmd) {
            0x08 | 0x28 | 0x88 | 0xa8 => false,
            0x0a | 0x2a | 0x8a | 0xaa => true,
            _ => return Ok(()),
        };
        let len = u64::from(u16_at(record, at.len)) | u64::from(u16_at(record, at.len + 2)) << 16;
        let lbn = (0..4).rev().fold(0, |lbn, half| lbn << 16 | u64::from(u16_at(record, at.lbn + 2 * half)));
        self.pages.split(lbn.saturating_mul(512), len, write, out);
        Ok(())
    }
}

impl Parse for Vscsi {
    fn parse(&mut self, bytes: &[u8], end: bool, path: &Path, out: &mut Batch) -> Result<usize, TraceError> {
        let records = bytes.chunks_exact(layout(self.version).record);
        let rest = records.remainder().len();
        for record in records {
            self.records += 1;
            if let Err(expected) = self.record(record, out) {
                self.complain(path, expected)?;
            }
        }
        if end && rest > 0 {
            self.records += 1;
            self.complain(path, "a whole record: the file ends within one")?;
            return Ok(bytes.len());
        }
        Ok(bytes.len() - rest)
    }

    fn bad(&self) -> u64 {
        self.bad
    }
}

impl Vscsi {
    fn complain(&mut self, path: &Path, expected: Expected) -> Result<(), TraceError> {
        self.bad += 1;
        if self.skip_bad {
            return Ok(());
        }
        Err(TraceError::Bad { path: path.to_owned(), unit: "record", number: self.records, expected })
    }
}
