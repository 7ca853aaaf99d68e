//! Pages of the arena, and the two calls that are not the system's own: map and yield.

use crate::client::{self, Answer};
use crate::{start, sys};
use mager_course_abi::{PAGE_SIZE, arena_page};
use mager_course_protocol::Request;
use std::ffi::CStr;

/// A valid page of this process's arena. Its children have it too.
///
/// Every access may trap and is then granted, or the process ends as by SIGSEGV: never more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page(usize);

impl Page {
    /// Where the page begins.
    #[must_use]
    pub fn address(self) -> usize {
        self.0
    }

    /// The byte at `offset`.
    ///
    /// # Panics
    /// When `offset` is not inside the page.
    #[must_use]
    pub fn read(self, offset: usize) -> u8 {
        sys::read_byte(self.byte(offset))
    }

    /// Sets the byte at `offset`.
    ///
    /// # Panics
    /// When `offset` is not inside the page.
    pub fn write(self, offset: usize, byte: u8) {
        sys::write_byte(self.byte(offset), byte);
    }

    /// Writes a name and its final zero from `offset` on; its address, for [`map_file`].
    ///
    /// # Panics
    /// When the name does not fit into the page.
    pub fn write_name(self, offset: usize, name: &CStr) -> usize {
        for (at, &byte) in name.to_bytes_with_nul().iter().enumerate() {
            self.write(offset + at, byte);
        }
        self.0 + offset
    }

    fn byte(self, offset: usize) -> usize {
        assert!(offset < PAGE_SIZE, "offset {offset} lies outside a page");
        self.0 + offset
    }
}

/// The next page, of swap: zeros until written. `None` when the arena or swap is full.
#[must_use]
pub fn map_swap() -> Option<Page> {
    found(map_raw(0, 0))
}

/// The next page, showing a block of a file. The name is in the arena itself, at `name`, with a final zero.
#[must_use]
pub fn map_file(name: usize, block: u32) -> Option<Page> {
    found(map_raw(name, block))
}

/// The next page, by addresses: `filename` 0 for swap; 0 for none.
#[must_use]
pub fn map_raw(filename: usize, block: u32) -> usize {
    be_managed();
    match sys::undisturbed(|| client::ask(Request::Map { filename: filename as u64, block })) {
        Answer::Go(address) => address,
        Answer::Refused(_) | Answer::WaitYourself => client::unexpected(),
    }
}

/// Lets the others run; this process queues at the back.
pub fn yield_now() {
    be_managed();
    match sys::undisturbed(|| client::ask(Request::Yield)) {
        Answer::Go(_) => {}
        Answer::Refused(_) | Answer::WaitYourself => client::unexpected(),
    }
}

fn be_managed() {
    start::start_or_exit();
    if !client::is_first_thread() {
        client::end("only the first thread of a process that the pager knows may call it");
    }
}

fn found(address: usize) -> Option<Page> {
    arena_page(address).map(|_| Page(address))
}
