//! What a host says.

use crate::wire::{Malformed, u32_at, u64_at};
use mager_course_abi::{ARENA_PAGES, Entry, PageTable};

/// The longest text in a reply; longer ones are cut.
pub const MAX_TEXT: usize = 1024;

/// Bytes in the longest reply: a header and a change for each page of the arena.
pub const MAX_REPLY: usize = HEADER + ARENA_PAGES * 8;

const HEADER: usize = 16;
const WELCOME: u32 = 1;
const RESUME: u32 = 2;
const REFUSED: u32 = 3;
const ENDED: u32 = 4;
const WAIT_YOURSELF: u32 = 5;

/// One page's new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The arena page.
    pub page: u32,
    /// Its entry from now on.
    pub entry: Entry,
}

/// The entries that changed since the process last ran, in ascending order of pages, in their wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes<'a>(&'a [u8]);

/// A message of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The process is known. Physical memory comes along as a descriptor; a `Resume` or `Refused` follows.
    Welcome {
        /// Physical pages in that descriptor.
        frames: u32,
        /// The CPU on which pager and applications take turns, if the host wants one.
        cpu: Option<u32>,
    },
    /// The process runs from here on.
    Resume {
        /// The result: a page's address for `Map`, else 0.
        value: u64,
        /// What to change in its address space first.
        changes: Changes<'a>,
    },
    /// The pager refused; why, in words.
    Refused(&'a str),
    /// The pager ends, and the process with it; why, in words.
    Ended(&'a str),
    /// No child that the host knows matches a `Wait`: wait by yourself, then say `Ready`.
    WaitYourself,
}

impl<'a> Changes<'a> {
    /// The changes one by one.
    pub fn iter(self) -> impl Iterator<Item = Change> + 'a {
        self.0.chunks_exact(8).map(|record| Change {
            page: u32::from_le_bytes([record[0], record[1], record[2], record[3]]),
            entry: Entry::from_bits(u32::from_le_bytes([record[4], record[5], record[6], record[7]])),
        })
    }

    fn check(self) -> Result<Self, Malformed> {
        let mut next = 0;
        for Change { page, entry } in self.iter() {
            if page < next || page as usize >= ARENA_PAGES {
                return Err(Malformed("changed pages are out of order or outside the arena"));
            }
            if entry != entry.effective() || entry.write() && !entry.read() {
                return Err(Malformed("a changed entry has rights that no page can have"));
            }
            next = page + 1;
        }
        Ok(self)
    }
}

/// A reply being written, in a buffer of its own that is used again.
#[derive(Debug)]
pub struct ReplyBuffer {
    bytes: [u8; MAX_REPLY],
}

impl Default for ReplyBuffer {
    fn default() -> Self {
        ReplyBuffer { bytes: [0; MAX_REPLY] }
    }
}

impl ReplyBuffer {
    /// `Resume`: what differs between `shown`, which the process has, and `table`, which it shall have.
    /// Afterwards `shown` equals `table`.
    pub fn resume(&mut self, value: u64, shown: &mut PageTable, table: &PageTable) -> &[u8] {
        let mut at = HEADER;
        if shown != table {
            for (page, (old, new)) in (0_u32..).zip(shown.iter_mut().zip(table)) {
                if *old != new.effective() {
                    *old = new.effective();
                    self.bytes[at..at + 4].copy_from_slice(&page.to_le_bytes());
                    self.bytes[at + 4..at + 8].copy_from_slice(&old.bits().to_le_bytes());
                    at += 8;
                }
            }
        }
        self.finish(RESUME, value, at)
    }

    /// `Welcome`.
    pub fn welcome(&mut self, frames: u32, cpu: Option<u32>) -> &[u8] {
        let cpu = cpu.map_or(u32::MAX, |cpu| cpu);
        self.finish(WELCOME, u64::from(frames) | u64::from(cpu) << 32, HEADER)
    }

    /// `Refused`.
    pub fn refused(&mut self, why: &str) -> &[u8] {
        self.text(REFUSED, why)
    }

    /// `Ended`.
    pub fn ended(&mut self, why: &str) -> &[u8] {
        self.text(ENDED, why)
    }

    /// `WaitYourself`.
    pub fn wait_yourself(&mut self) -> &[u8] {
        self.finish(WAIT_YOURSELF, 0, HEADER)
    }

    fn text(&mut self, kind: u32, text: &str) -> &[u8] {
        let length = text.cut_at(MAX_TEXT);
        self.bytes[HEADER..HEADER + length].copy_from_slice(&text.as_bytes()[..length]);
        self.finish(kind, 0, HEADER + length)
    }

    fn finish(&mut self, kind: u32, value: u64, length: usize) -> &[u8] {
        self.bytes[..4].copy_from_slice(&kind.to_le_bytes());
        self.bytes[4..8].fill(0);
        self.bytes[8..16].copy_from_slice(&value.to_le_bytes());
        &self.bytes[..length]
    }
}

trait CutText {
    fn cut_at(&self, limit: usize) -> usize;
}

impl CutText for str {
    fn cut_at(&self, limit: usize) -> usize {
        (0..=limit.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}

impl<'a> Reply<'a> {
    /// The message these bytes are.
    ///
    /// # Errors
    /// [`Malformed`] when they are none.
    pub fn decode(bytes: &'a [u8]) -> Result<Reply<'a>, Malformed> {
        let (kind, spare, value) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?, u64_at(bytes, 8)?);
        let rest = &bytes[HEADER..];
        if spare != 0 {
            return Err(Malformed("fields that must be zero are not"));
        }
        match kind {
            WELCOME if rest.is_empty() => Ok(welcome(value)),
            RESUME if rest.len().is_multiple_of(8) && bytes.len() <= MAX_REPLY => {
                Ok(Reply::Resume { value, changes: Changes(rest).check()? })
            }
            REFUSED if value == 0 => Ok(Reply::Refused(text(rest)?)),
            ENDED if value == 0 => Ok(Reply::Ended(text(rest)?)),
            WAIT_YOURSELF if value == 0 && rest.is_empty() => Ok(Reply::WaitYourself),
            _ => Err(Malformed("no reply has this kind and these fields")),
        }
    }
}

fn welcome(value: u64) -> Reply<'static> {
    let low = u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0);
    let high = u32::try_from(value >> 32).unwrap_or(u32::MAX);
    Reply::Welcome { frames: low, cpu: (high != u32::MAX).then_some(high) }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    if bytes.len() > MAX_TEXT {
        return Err(Malformed("a text is too long"));
    }
    std::str::from_utf8(bytes).map_err(|_| Malformed("a text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes_of(bytes: &[u8]) -> Vec<(u32, Entry)> {
        match Reply::decode(bytes).unwrap() {
            Reply::Resume { changes, .. } => {
                changes.iter().map(|change| (change.page, change.entry)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_changed_is_sent_and_then_it_is_known() {
        let mut shown = [Entry::NONE; ARENA_PAGES];
        let mut table = shown;
        table[3] = Entry::new(7, true, false);
        table[255] = Entry::new(9, true, true);
        let mut buffer = ReplyBuffer::default();
        assert_eq!(changes_of(buffer.resume(0, &mut shown, &table)), [(3, table[3]), (255, table[255])]);
        assert_eq!(changes_of(buffer.resume(0, &mut shown, &table)), []);
        table[3] = Entry::new(7, false, false);
        assert_eq!(changes_of(buffer.resume(0, &mut shown, &table)), [(3, Entry::NONE)]);
    }

    #[test]
    fn a_whole_arena_fits_into_one_reply() {
        let (mut shown, table) = ([Entry::NONE; ARENA_PAGES], [Entry::new(1, true, true); ARENA_PAGES]);
        let mut buffer = ReplyBuffer::default();
        assert_eq!(changes_of(buffer.resume(5, &mut shown, &table)).len(), ARENA_PAGES);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut buffer = ReplyBuffer::default();
        let welcome = Reply::Welcome { frames: 1024, cpu: Some(1) };
        assert_eq!(Reply::decode(buffer.welcome(1024, Some(1))), Ok(welcome));
        assert_eq!(Reply::decode(buffer.welcome(4, None)), Ok(Reply::Welcome { frames: 4, cpu: None }));
        assert_eq!(Reply::decode(buffer.refused("no")), Ok(Reply::Refused("no")));
        assert_eq!(Reply::decode(buffer.ended("")), Ok(Reply::Ended("")));
        assert_eq!(Reply::decode(buffer.wait_yourself()), Ok(Reply::WaitYourself));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(MAX_TEXT);
        let mut buffer = ReplyBuffer::default();
        match Reply::decode(buffer.refused(&long[..MAX_TEXT + 2])) {
            Ok(Reply::Refused(text)) => assert_eq!(text.len(), MAX_TEXT),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rights_without_sense_are_malformed() {
        let mut shown = [Entry::NONE; ARENA_PAGES];
        let mut table = shown;
        table[0] = Entry::new(1, false, true);
        let mut buffer = ReplyBuffer::default();
        assert!(Reply::decode(buffer.resume(0, &mut shown, &table)).is_err());
    }

    #[test]
    fn any_bytes_are_judged_without_panic() {
        let mut seed = 1_u64;
        for round in 0..if cfg!(miri) { 500_usize } else { 100_000 } {
            let bytes: Vec<u8> = (0..round % 67)
                .map(|at| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let byte = seed.to_le_bytes()[7];
                    if at == 0 { byte >> 5 } else { byte * u8::from(seed.is_multiple_of(5)) }
                })
                .collect();
            if let Ok(Reply::Resume { changes, .. }) = Reply::decode(&bytes) {
                assert_eq!(changes.iter().count(), (bytes.len() - HEADER) / 8);
            }
        }
    }
}
