//! Making a page small: apart from where it is kept, so that several threads can do it.

use super::{HEADER, WORD, repeated};
use crate::checksum::checksum;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

/// A page on its way into compressed memory: what became of it.
#[derive(Debug)]
pub(crate) struct Packed {
    scratch: Vec<u8>,
    /// How much of `scratch` is the packed page; `None` where too little would be saved.
    length: Option<usize>,
    /// Of what is kept: the packed page, or else the page as it is.
    sum: u32,
}

impl Packed {
    /// Room for one page.
    pub(crate) fn new(page_size: usize) -> Self {
        Packed { scratch: vec![0; Packed::room(page_size)], length: None, sum: 0 }
    }

    /// The bytes that takes.
    pub(crate) fn room(page_size: usize) -> usize {
        get_maximum_output_size(page_size)
    }

    /// The packed page.
    pub(super) fn body(&self) -> Option<&[u8]> {
        self.length.map(|length| &self.scratch[..length])
    }

    pub(super) fn sum(&self) -> u32 {
        self.sum
    }
}

/// Packs one page after the other.
pub(crate) struct Compressor {
    page_size: usize,
    checksums: bool,
    table: CompressTable,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LZ4 of {} bytes", self.page_size)
    }
}

impl Compressor {
    pub(crate) fn new(page_size: usize, checksums: bool) -> Self {
        let table = if page_size > 32768 { CompressTable::large() } else { CompressTable::small() };
        Compressor { page_size, checksums, table }
    }

    /// Packs `page`.
    pub(crate) fn pack(&mut self, page: &[u8], into: &mut Packed) {
        into.length = self
            .length(page, &mut into.scratch)
            .filter(|length| HEADER + length <= self.page_size - self.page_size / 8);
        let kept = into.body().unwrap_or(page);
        into.sum = if self.checksums { checksum(kept) } else { 0 };
    }

    fn length(&mut self, page: &[u8], into: &mut [u8]) -> Option<usize> {
        if let Some(word) = repeated::<WORD>(page) {
            into[..WORD].copy_from_slice(word);
            return Some(WORD);
        }
        compress_into_with_table(page, into, &mut self.table).ok()
    }
}
