//! User files: their numbers, and how much of a block is inside a file.

use super::Home;
use crate::StoreError;
use crate::engine::OpenFile;
use crate::place::{narrow, small, wide};
use crate::swap_file::bypass_cache;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// A file added to a backing: a slot, and how often the slot was used before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileNo {
    slot: u32,
    generation: u32,
}

impl fmt::Display for FileNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}.{}", self.slot, self.generation)
    }
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: Arc<OpenFile>,
    /// The same file through the page cache, for the block it ends in: a part of a sector cannot be written directly.
    tail: Option<Arc<OpenFile>>,
}

#[derive(Debug, Default)]
pub(super) struct Files {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Files {
    pub(super) fn add(&mut self, file: File, direct: bool, page_size: usize) -> FileNo {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            small(self.slots.len() - 1)
        });
        let tail = if direct { reopen(&file).ok() } else { None };
        let direct = tail.is_some() && bypass_cache(&file, page_size);
        let tail = tail.filter(|_| direct).map(|file| Arc::new(OpenFile { file, direct: false }));
        let open = Open { file: Arc::new(OpenFile { file, direct }), tail };
        let entry = &mut self.slots[slot as usize];
        entry.open = Some(open);
        FileNo { slot, generation: entry.generation }
    }

    pub(super) fn remove(&mut self, file: FileNo) {
        let slot = self.slots.get_mut(file.slot as usize).filter(|slot| slot.generation == file.generation);
        if let Some(slot) = slot
            && slot.open.take().is_some()
        {
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(file.slot);
        }
    }

    pub(super) fn sync(&self, file: FileNo) -> io::Result<()> {
        let open = self.open(file).map_err(io::Error::other)?;
        open.file.file.sync_data()
    }

    /// Where to read a block.
    pub(super) fn place(
        &self,
        file: FileNo,
        block: u64,
        page_size: usize,
    ) -> Result<(Arc<OpenFile>, u64), StoreError> {
        let open = self.open(file)?;
        let beyond = StoreError::BeyondEnd { at: Home::File(file, block), size: u64::MAX };
        let offset = OpenFile::offset(block, page_size).ok_or(beyond)?;
        Ok((Arc::clone(&open.file), offset))
    }

    /// Where to write a block, and how many bytes of it are inside the file.
    pub(super) fn room(
        &self,
        no: FileNo,
        block: u64,
        page_size: usize,
    ) -> Result<(Arc<OpenFile>, u64, usize), StoreError> {
        let at = Home::File(no, block);
        let (file, offset) = self.place(no, block, page_size)?;
        let failed = |source| StoreError::Io { at, write: true, source };
        let size = file.file.metadata().map_err(failed)?.len();
        let length = narrow(size.saturating_sub(offset).min(wide(page_size)));
        if length == 0 {
            return Err(StoreError::BeyondEnd { at, size });
        }
        let whole = length == page_size || !file.direct;
        let file = if whole { file } else { self.open(no)?.tail.clone().unwrap_or(file) };
        Ok((file, offset, length))
    }

    pub(super) fn size(&self, file: FileNo) -> io::Result<u64> {
        Ok(self.open(file).map_err(io::Error::other)?.file.file.metadata()?.len())
    }

    fn open(&self, file: FileNo) -> Result<&Open, StoreError> {
        let slot = self.slots.get(file.slot as usize).filter(|slot| slot.generation == file.generation);
        slot.and_then(|slot| slot.open.as_ref()).ok_or(StoreError::NoFile(file))
    }
}

/// Another open file of the same inode: flags are not shared with it.
fn reopen(file: &File) -> io::Result<File> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    let writable = flags & rustix::fs::OFlags::RWMODE == rustix::fs::OFlags::RDWR;
    OpenOptions::new().read(true).write(writable).open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
