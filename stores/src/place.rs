//! Sizes and the conversions between them: where a block lies in a file.

use crate::OpenError;

/// The page size, checked.
pub(crate) fn checked_page_size(size: usize) -> Result<usize, OpenError> {
    let fits = size.is_power_of_two() && (4096..=65536).contains(&size);
    if fits { Ok(size) } else { Err(OpenError::PageSize(size)) }
}

/// As a number of bytes in a file.
pub(crate) fn wide(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// As a length in memory, saturating; for lengths that are at most a page.
pub(crate) fn narrow(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// A number that came from an index into a table of at most `u32::MAX` rows.
pub(crate) fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
