//! Plain text, libCacheSim's CSV, DynamoRIO, Pin and perf: formats of lines that need no special haste.

use crate::{
    Batch, Expected, Line, Pages,
    numbers::{decimal, hex, whole},
};

/// One number a line: a page, or an address if it begins with `0x`; `w` or `r` may follow. `#` begins a comment.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) pages: Pages,
}

fn plain(line: &[u8]) -> Option<(u64, bool, bool)> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = words.next()?;
    let write = match words.next() {
        None | Some(b"r" | b"R") => false,
        Some(b"w" | b"W") => true,
        Some(_) => return None,
    };
    Some((whole(number)?, number.starts_with(b"0x"), write)).filter(|_| words.next().is_none())
}

pub(crate) fn is_plain(line: &[u8]) -> bool {
    plain(line).is_some()
}

impl Line for Plain {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let (number, address, write) =
            plain(line).ok_or("a page number or an 0x address, and `r` or `w` if anything")?;
        out.push(if address { self.pages.page(number) } else { number }, write);
        Ok(())
    }

    fn many(&mut self, bytes: &[u8], out: &mut Batch) -> (usize, u64) {
        let (mut at, mut lines) = (0, 0);
        while let Some((page, len)) = decimal(&bytes[at..]) {
            if bytes.get(at + len) != Some(&b'\n') {
                break;
            }
            out.push(page, false);
            at += len + 1;
            lines += 1;
        }
        (at, lines)
    }
}

/// `time,object,size,..` as libCacheSim reads it: the column headed `obj_id`, `object`, `id` or `key`, else the
/// second. An object that is not a number is known by a hash of its name.
#[derive(Debug)]
pub(crate) struct Csv {
    object: usize,
    op: Option<usize>,
    header: bool,
}

impl Csv {
    pub(crate) fn new(start: &[u8]) -> Self {
        let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let header = first.trim_ascii_start().first().is_some_and(|byte| !byte.is_ascii_digit());
        let find = |names: &[&str]| {
            let mut columns = first.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            columns.position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name.as_bytes())))
        };
        let object = find(&["obj_id", "object", "obj", "id", "key", "objid", "obj-id"]).unwrap_or(1);
        Csv { object, op: find(&["op", "operation", "type"]), header }
    }
}

fn hashed(name: &[u8]) -> u64 {
    name.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

impl Line for Csv {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if std::mem::take(&mut self.header) || line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let column = |n: usize| line.split(|&byte| byte == b',').nth(n).map(<[u8]>::trim_ascii);
        let object =
            column(self.object).filter(|name| !name.is_empty()).ok_or("an object number in its column")?;
        let op = self.op.and_then(column).unwrap_or_default().to_ascii_lowercase();
        let write = [&b"w"[..], b"write", b"set", b"put"].contains(&&op[..]);
        out.push(whole(object).unwrap_or_else(|| hashed(object)), write);
        Ok(())
    }
}

/// `.. T342625 read  8 byte(s) @ 0x00007ffd1234 by PC 0x..`: fetches (`ifetch`), reads and writes; other records,
/// such as markers, are passed over.
#[derive(Debug)]
pub(crate) struct Drcachesim {
    pub(crate) pages: Pages,
    pub(crate) data_only: bool,
}

impl Line for Drcachesim {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        let Some(at) = memchr::memmem::find(line, b" byte(s) @ 0x") else { return Ok(()) };
        let (before, after) = (&line[..at], &line[at + b" byte(s) @ 0x".len()..]);
        let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let size = words.next().and_then(whole).ok_or("a size before `byte(s)`")?;
        let (address, _) = hex(after).ok_or("a hexadecimal address after `@`")?;
        match words.next() {
            Some(b"ifetch") if self.data_only => {}
            Some(b"ifetch" | b"read") => self.pages.split(address, size, false, out),
            Some(b"write") => self.pages.split(address, size, true, out),
            _ => return Err("`ifetch`, `read` or `write` before the size"),
        }
        Ok(())
    }
}

/// `0x401000: R 0x7fff1234`, by instruction, kind and address; a size may follow. `#eof` ends it.
#[derive(Debug)]
pub(crate) struct Pinatrace {
    pub(crate) pages: Pages,
}

impl Line for Pinatrace {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if line.starts_with(b"#") || line.is_empty() {
            return Ok(());
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
        let (kind, address) = (words.next(), words.next().and_then(whole));
        let size = words.next().and_then(whole).unwrap_or(1);
        match (kind, address) {
            (Some(b"R"), Some(address)) => self.pages.split(address, size, false, out),
            (Some(b"W"), Some(address)) => self.pages.split(address, size, true, out),
            _ => return Err("`0xPC: R 0xADDRESS` or `0xPC: W 0xADDRESS`"),
        }
        Ok(())
    }
}

/// `perf script`: any line with an event of faults or memory samples followed by its address. Samples are what was
/// sampled, and page faults are filtered by residency: good for footprints, not for comparing policies.
#[derive(Debug)]
pub(crate) struct Perf {
    pub(crate) pages: Pages,
}

/// Address and kind of a sample.
pub(crate) fn perf_sample(line: &str) -> Option<(u64, bool)> {
    let mut words = line.split_ascii_whitespace();
    let event =
        words.find(|word| word.ends_with(':') && (word.contains("fault") || word.contains("mem-")))?;
    let digits = words.next()?;
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let (address, len) = hex(digits.as_bytes())?;
    (len == digits.len()).then_some((address, event.contains("store")))
}

impl Line for Perf {
    fn line(&mut self, line: &[u8], out: &mut Batch) -> Result<(), Expected> {
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"\t") {
            return Ok(());
        }
        let sample = str::from_utf8(line).ok().and_then(perf_sample);
        let (address, write) = sample
            .ok_or("a sample with its address, as `perf script -F comm,pid,time,event,addr` prints it")?;
        out.push(self.pages.page(address), write);
        Ok(())
    }
}
