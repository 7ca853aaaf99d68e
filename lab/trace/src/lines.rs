//! Formats made of lines: the scanning, the counting and the complaining, once for all of them.

use crate::{Batch, TraceError, reader::Parse};
use std::path::Path;

/// What a line should have been, as the end of a sentence beginning "expected".
pub type Expected = &'static str;

/// How one line of a format is read.
pub trait Line {
    /// Reads one line, without its newline. A line that says nothing of accesses adds none.
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected>;

    /// Reads as many lines as it can at once from the start of `bytes`, and says how many bytes and lines those
    /// were; stops before the first line that is not quite ordinary. For formats where speed matters.
    fn many(&mut self, bytes: &[u8], out: &mut Batch) -> (usize, u64) {
        let _ = (bytes, out);
        (0, 0)
    }
}

/// A parser of lines of the format `L`.
#[derive(Debug)]
pub struct Lines<L> {
    format: L,
    number: u64,
    skip_bad: bool,
    bad: u64,
}

impl<L: Line> Lines<L> {
    /// Parses lines of `format`; bad ones are counted and left out if `skip_bad`.
    pub fn new(format: L, skip_bad: bool) -> Self {
        Lines { format, number: 0, skip_bad, bad: 0 }
    }

    fn one(&mut self, line: &[u8], path: &Path, out: &mut Batch) -> Result<(), TraceError> {
        self.number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.format.line(line, out) {
            Ok(()) => Ok(()),
            Err(_) if self.skip_bad => {
                self.bad += 1;
                Ok(())
            }
            Err(expected) => {
                Err(TraceError::Bad { path: path.to_owned(), unit: "line", number: self.number, expected })
            }
        }
    }
}

impl<L: Line> Parse for Lines<L> {
    fn parse(&mut self, bytes: &[u8], end: bool, path: &Path, out: &mut Batch) -> Result<usize, TraceError> {
        let mut at = 0;
        loop {
            let (used, lines) = self.format.many(&bytes[at..], out);
            at += used;
            self.number += lines;
            let rest = &bytes[at..];
            match memchr::memchr(b'\n', rest) {
                Some(len) => {
                    self.one(&rest[..len], path, out)?;
                    at += len + 1;
                }
                None if end && !rest.is_empty() => {
                    self.one(rest, path, out)?;
                    return Ok(bytes.len());
                }
                None => return Ok(at),
            }
        }
    }

    fn bad(&self) -> u64 {
        self.bad
    }
}
