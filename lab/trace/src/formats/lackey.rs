//! `valgrind --tool=lackey --trace-mem=yes`: `I  04001000,3`, ` L 1ffeffe7e0,8`, ` S ..`, ` M ..`.
//!
//! Fetches and loads read, stores and modifications write. Lines of valgrind itself (`==1234== ..`) and the
//! program's own output are not trace lines; the former are passed over, the latter are bad lines.

use crate::{
    Batch, Expected, Line, Pages,
    numbers::{decimal, hex},
};

#[derive(Debug)]
pub(crate) struct Lackey {
    pub(crate) pages: Pages,
    pub(crate) data_only: bool,
}

const EXPECTED: Expected = "`I  ADDRESS,SIZE`, or ` L`, ` S` or ` M` in the place of `I `";

/// The kind of access a line is of: whether it fetches, whether it writes.
#[inline]
fn kind(first: u8, second: u8) -> Option<(bool, bool)> {
    match (first, second) {
        (b'I', b' ') => Some((true, false)),
        (b' ', b'L') => Some((false, false)),
        (b' ', b'S' | b'M') => Some((false, true)),
        _ => None,
    }
}

/// Whether a line is one of lackey's.
pub(crate) fn is_lackey(line: &[u8]) -> bool {
    access(line).is_some_and(|(_, _, _, _, len)| len == line.len())
}

/// Fetch, write, address, size and length of the access at the start of `bytes`.
#[inline]
fn access(bytes: &[u8]) -> Option<(bool, bool, u64, u64, usize)> {
    let (head, rest) = bytes.split_first_chunk::<3>()?;
    let (fetch, write) = kind(head[0], head[1]).filter(|_| head[2] == b' ')?;
    let (address, len) = hex(rest)?;
    let rest = &rest[len..];
    let (size, size_len) = rest.strip_prefix(b",").and_then(decimal)?;
    Some((fetch, write, address, size, 3 + len + 1 + size_len))
}

impl Line for Lackey {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if line.starts_with(b"==") || line.starts_with(b"--") || line.is_empty() {
            return Ok(());
        }
        let found = access(line).filter(|&(_, _, _, size, len)| len == line.len() && size <= 1 << 20);
        let (fetch, write, address, size, _) = found.ok_or(EXPECTED)?;
        if !(fetch && self.data_only) {
            self.pages.split(address, size, write, out);
        }
        Ok(())
    }

    fn many(&mut self, bytes: &[u8], out: &mut Batch) -> (usize, u64) {
        let (mut at, mut lines) = (0, 0);
        while let Some((fetch, write, address, size, len)) = access(&bytes[at..]) {
            if bytes.get(at + len) != Some(&b'\n') || size > 1 << 20 {
                break;
            }
            at += len + 1;
            lines += 1;
            if !(fetch && self.data_only) {
                self.pages.split(address, size, write, out);
            }
        }
        (at, lines)
    }
}
