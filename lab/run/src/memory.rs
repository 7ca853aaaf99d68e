//! An amount of memory as a user writes it, and how many frames that is.

use std::{fmt, str::FromStr};

/// How much memory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Memory {
    /// A share of the trace's footprint, from 0 to 1.
    Share(f64),
    /// Bytes.
    Bytes(u64),
    /// Pages.
    Pages(u32),
}

/// The text is no amount of memory.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is no amount of memory; expected a share (10%), bytes (64MiB, 4096KiB, 1GiB) or pages (100000p)"
)]
pub struct NoMemory(String);

const UNITS: [(&str, u64); 5] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];

impl FromStr for Memory {
    type Err = NoMemory;

    fn from_str(text: &str) -> Result<Self, NoMemory> {
        let no = || NoMemory(text.to_owned());
        if let Some(share) = text.strip_suffix('%') {
            let share: f64 = share.parse().map_err(|_| no())?;
            return if share > 0.0 && share <= 100.0 { Ok(Memory::Share(share / 100.0)) } else { Err(no()) };
        }
        if let Some(pages) = text.strip_suffix('p') {
            return pages.parse().ok().filter(|&pages| pages > 0).map(Memory::Pages).ok_or_else(no);
        }
        let found =
            UNITS.iter().find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number, bytes)));
        let (number, unit) = found.ok_or_else(no)?;
        let number: u64 = number.parse().map_err(|_| no())?;
        number.checked_mul(*unit).filter(|&bytes| bytes > 0).map(Memory::Bytes).ok_or_else(no)
    }
}

impl Memory {
    /// The number of frames this is, at least 1, for a trace of `footprint` pages of `page_size` bytes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32 is a u32")]
    pub fn frames(self, footprint: u32, page_size: u64) -> u32 {
        let frames = match self {
            Memory::Share(share) => (f64::from(footprint) * share).round() as u32,
            Memory::Bytes(bytes) => u32::try_from(bytes / page_size).unwrap_or(u32::MAX >> 2),
            Memory::Pages(pages) => pages,
        };
        frames.max(1)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Memory::Share(share) => write!(f, "{}%", share * 100.0),
            Memory::Bytes(bytes) => f.write_str(&bytes_text(*bytes)),
            Memory::Pages(pages) => write!(f, "{pages}p"),
        }
    }
}

/// An amount of bytes as people say it: at most four digits and a unit.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes_text(bytes: u64) -> String {
    let fits = UNITS[..4].iter().rev().find(|(_, size)| bytes >= *size);
    let Some((unit, size)) = fits else { return format!("{bytes}B") };
    let number = bytes as f64 / *size as f64;
    if number >= 100.0 || bytes.is_multiple_of(*size) {
        format!("{number:.0}{unit}")
    } else {
        format!("{number:.1}{unit}")
    }
}
