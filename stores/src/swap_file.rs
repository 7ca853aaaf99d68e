//! The swap file: all its room is taken when it is made, so that a write never meets a full disk.
//!
//! Who may read it: its owner alone. Two pagers cannot have the same one. Where the file system can, it bypasses the
//! page cache: pages that the pager evicts should not stay in the kernel's memory instead.

use crate::place::{checked_page_size, wide};
use crate::sys::{Staging, Toward};
use crate::{OpenError, Store};
use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What to do with a file that is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Existing {
    /// It may be somebody's: refuse.
    #[default]
    Refuse,
    /// Its contents do not matter.
    Overwrite,
}

/// A preallocated file of page-sized blocks.
#[derive(Debug)]
pub struct SwapFile {
    file: File,
    page_size: usize,
    blocks: u64,
    direct: bool,
    /// Does the file keep the room of what is discarded?
    keeps_room: bool,
    path: Option<PathBuf>,
    /// Direct I/O wants aligned memory; the store's callers may have any.
    bounce: Staging,
}

impl SwapFile {
    /// Makes the file `path` with room for `blocks` blocks of `page_size` bytes. It stays when this is dropped, unless
    /// [`SwapFile::unlink`] is called.
    ///
    /// # Errors
    /// The file exists and may not be overwritten, is in use, is no regular file, or the disk has no room for it. A
    /// file that was made is removed again.
    pub fn create(path: &Path, page_size: usize, blocks: u64, existing: Existing) -> Result<Self, OpenError> {
        checked_page_size(page_size)?;
        let (file, made) = open_named(path, existing)?;
        let mut swap = Self::over(file, page_size, blocks, path);
        if let Ok(swap) = &mut swap {
            swap.path = Some(path.to_owned());
        } else if made {
            let _ = std::fs::remove_file(path);
        }
        swap
    }

    /// Makes a file without a name in the directory `dir`; its room is free again when this is dropped.
    ///
    /// # Errors
    /// As [`SwapFile::create`].
    pub fn unnamed(dir: &Path, page_size: usize, blocks: u64) -> Result<Self, OpenError> {
        checked_page_size(page_size)?;
        Self::over(open_unnamed(dir)?, page_size, blocks, dir)
    }

    /// A file in memory. Its room is taken as it is written, and given back by discarding.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn in_memory(page_size: usize, blocks: u64) -> Result<Self, OpenError> {
        let page_size = checked_page_size(page_size)?;
        let doing = || OpenError::doing::<Errno>("make swap space in memory");
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let file = File::from(rustix::fs::memfd_create("mager-swap", flags).map_err(doing())?);
        rustix::fs::ftruncate(&file, bytes(page_size, blocks)?).map_err(doing())?;
        Ok(SwapFile { keeps_room: false, ..Self::ready(file, page_size, blocks, false)? })
    }

    fn over(file: File, page_size: usize, blocks: u64, path: &Path) -> Result<Self, OpenError> {
        preallocate(&file, bytes(page_size, blocks)?, path)?;
        let direct = bypass_cache(&file, page_size);
        Self::ready(file, page_size, blocks, direct)
    }

    fn ready(file: File, page_size: usize, blocks: u64, direct: bool) -> Result<Self, OpenError> {
        let bounce = Staging::new(page_size, 1).map_err(OpenError::doing("map a buffer"))?;
        Ok(SwapFile { file, page_size, blocks, direct, keeps_room: true, path: None, bounce })
    }

    /// Removes the file's name; its contents last as long as this.
    ///
    /// # Errors
    /// What the file system says. A file without a name is fine.
    pub fn unlink(&mut self) -> io::Result<()> {
        self.path.take().map_or(Ok(()), std::fs::remove_file)
    }

    /// Does it bypass the page cache?
    #[must_use]
    pub fn direct(&self) -> bool {
        self.direct
    }

    /// How many blocks there are.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    pub(crate) fn into_parts(self) -> (File, Option<PathBuf>) {
        (self.file, self.path)
    }

    fn offset(&self, block: u64, count: u64) -> io::Result<u64> {
        let fits = block.checked_add(count).is_some_and(|end| end <= self.blocks);
        if fits { Ok(block * wide(self.page_size)) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

impl Store for SwapFile {
    fn read(&mut self, block: u64, into: &mut [u8]) -> io::Result<()> {
        let offset = self.offset(block, 1)?;
        let mut page = self.bounce.lend(0, Toward::Memory);
        self.file.read_exact_at(page.bytes_mut(), offset)?;
        into.copy_from_slice(page.bytes());
        Ok(())
    }

    fn write(&mut self, block: u64, from: &[u8]) -> io::Result<()> {
        let offset = self.offset(block, 1)?;
        self.bounce.bytes_mut(0).copy_from_slice(from);
        self.file.write_all_at(self.bounce.bytes(0), offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// On disk the room stays taken, so that writing the blocks again cannot fail for want of it.
    fn discard(&mut self, block: u64, count: u64) -> io::Result<()> {
        let offset = self.offset(block, count)?;
        let length = count * wide(self.page_size);
        if length == 0 {
            return Ok(());
        }
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let how = if self.keeps_room { FallocateFlags::ZERO_RANGE } else { punch };
        match rustix::fs::fallocate(&self.file, how, offset, length) {
            Err(Errno::OPNOTSUPP) => fill_with_zeros(&self.file, offset, length),
            other => Ok(other?),
        }
    }
}

fn bytes(page_size: usize, blocks: u64) -> Result<u64, OpenError> {
    let most = u64::from(u32::MAX) >> 2;
    let refused = OpenError::TooMuch { what: "swap blocks", asked: blocks, most };
    if blocks <= most { Ok(blocks * wide(page_size)) } else { Err(refused) }
}

/// The file, and whether it was made here.
fn open_named(path: &Path, existing: Existing) -> Result<(File, bool), OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    match options.clone().create_new(true).open(path) {
        Ok(file) => return locked(file, path).map(|file| (file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(OpenError::doing(format!("make {}", path.display()))(source)),
    }
    if existing == Existing::Refuse {
        return Err(OpenError::Exists(path.to_owned()));
    }
    let named = |doing: &str| format!("{doing} {}", path.display());
    let is_file = std::fs::symlink_metadata(path).map_err(OpenError::doing(named("look at")))?.is_file();
    if !is_file {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    let file = locked(options.open(path).map_err(OpenError::doing(named("open")))?, path)?;
    let private = Mode::RUSR | Mode::WUSR;
    rustix::fs::fchmod(&file, private).map_err(OpenError::doing::<Errno>(named("protect")))?;
    file.set_len(0).map_err(OpenError::doing(named("empty")))?;
    Ok((file, false))
}

fn locked(file: File, path: &Path) -> Result<File, OpenError> {
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(OpenError::InUse(path.to_owned())),
        Err(error) => Err(OpenError::doing(format!("lock {}", path.display()))(error)),
    }
}

fn open_unnamed(dir: &Path) -> Result<File, OpenError> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let doing = || OpenError::doing::<Errno>(format!("make a swap file in {}", dir.display()));
    rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR).map(File::from).map_err(doing())
}

fn preallocate(file: &File, bytes: u64, path: &Path) -> Result<(), OpenError> {
    let result = match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes.max(1)) {
        Err(Errno::OPNOTSUPP) => fill_with_zeros(file, 0, bytes),
        other => other.map_err(io::Error::from),
    };
    result.map_err(|source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            OpenError::DiskFull { path: path.to_owned(), bytes, source }
        }
        _ => OpenError::doing(format!("preallocate {bytes} bytes in {}", path.display()))(source),
    })
}

/// For file systems that cannot preallocate.
pub(crate) fn fill_with_zeros(file: &File, offset: u64, length: u64) -> io::Result<()> {
    let zeros = Staging::new(65536, 1)?;
    let mut at = offset;
    while at < offset + length {
        let part = (offset + length - at).min(65536);
        file.write_all_at(&zeros.bytes(0)[..crate::place::narrow(part)], at)?;
        at += part;
    }
    Ok(())
}

/// Makes the file bypass the page cache, if its file system can do that for pages of this size.
pub(crate) fn bypass_cache(file: &File, page_size: usize) -> bool {
    let Ok(flags) = rustix::fs::fcntl_getfl(file) else { return false };
    let set = rustix::fs::fcntl_setfl(file, flags | OFlags::DIRECT);
    if set.is_ok() && first_block_reads(file, page_size) {
        return true;
    }
    let _ = rustix::fs::fcntl_setfl(file, flags);
    false
}

/// Whether the alignment suits shows only when something is read.
fn first_block_reads(file: &File, page_size: usize) -> bool {
    let Ok(mut probe) = Staging::new(page_size, 1) else { return false };
    file.read_at(probe.bytes_mut(0), 0).is_ok()
}
