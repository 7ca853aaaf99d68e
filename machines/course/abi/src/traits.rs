//! The two traits: what a pager offers its host, and what it may ask of it.

use crate::PageTable;

/// A read or write of a block that did not happen; the host's log and messages say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoFailed;

/// What [`PagerObject::flush`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Dirty file pages written home.
    pub written: u64,
    /// One sentence for each page that could not be written.
    pub failures: Vec<String>,
}

/// What a pager may ask of its host. Frames are physical page numbers.
///
/// A frame, an offset or a pair of frames outside physical memory is a broken invariant of the pager, and panics.
pub trait Services {
    /// Fills `frame` with zero bytes.
    fn zero(&mut self, frame: u32);
    /// Copies the whole of frame `from` to frame `to`.
    fn copy(&mut self, from: u32, to: u32);
    /// The byte at `offset` in `frame`.
    fn byte(&self, frame: u32, offset: u32) -> u8;
    /// Reads a block of the file `name`, or of swap for `None`, into `frame`.
    ///
    /// # Errors
    /// [`IoFailed`] when the host could not read it; the frame's bytes are then arbitrary.
    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed>;
    /// Writes `frame` to a block of the file `name`, or of swap for `None`.
    ///
    /// # Errors
    /// [`IoFailed`] when the host could not write it.
    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed>;
    /// What went wrong with the last read or write that failed: which block of which file, and why. Only hosts that
    /// can tell.
    fn failure(&self) -> Option<String> {
        None
    }
}

/// A pager of the university's API. Addresses are arena addresses as `usize`.
pub trait PagerObject {
    /// `vm_init`: called once, before everything else.
    fn init(&mut self, services: &mut dyn Services, memory_pages: u32, swap_blocks: u32);
    /// `vm_create`: a new process `child`; 0, or -1 when its reservations do not suffice.
    fn create(&mut self, services: &mut dyn Services, parent: i32, child: i32) -> i32;
    /// `vm_switch`: `pid` is the current process from now on.
    fn switch(&mut self, services: &mut dyn Services, pid: i32);
    /// `vm_fault`: the current process touched `address`; 0, or -1 to end it.
    fn fault(&mut self, services: &mut dyn Services, address: usize, write: bool) -> i32;
    /// `vm_destroy`: the current process has ended.
    fn destroy(&mut self, services: &mut dyn Services);
    /// `vm_map`: the next page of the current process. `filename` is an arena address, 0 for swap; the result is
    /// the new page's address, 0 for null.
    fn map(&mut self, services: &mut dyn Services, filename: usize, block: u32) -> usize;
    /// The current process's page table: what `page_table_base_register` names.
    fn page_table(&self) -> Option<&PageTable>;
    /// Why the last call was refused or failed, in words. Only pagers that know.
    fn reason(&self) -> Option<String> {
        None
    }
    /// Writes every dirty file page home.
    fn flush(&mut self, services: &mut dyn Services) -> Flushed {
        let _ = services;
        Flushed::default()
    }
    /// The whole state, made to be read.
    fn describe(&self) -> Option<String> {
        None
    }
    /// Final figures for the summary.
    fn summary(&self) -> Option<String> {
        None
    }
}
