//! Memory files: where the bytes of resident pages are, in files without a name.
//!
//! A [`MemoryFs`] bounds what its files hold, whoever writes to them: by the kernel's own count where it may be a
//! file system of its own (tmpfs, detached), else by asking each file now and then what it holds.
//!
//! Sources: fsopen(2), tmpfs(5), memfd_create(2), Documentation/filesystems/tmpfs.rst.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags, SeekFrom};
use rustix::mount::{self, FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags};
use std::io;

/// What tmpfs counts in, whatever the size of a page of ours.
const BLOCK: u64 = 4096;

/// A sparse file in memory. What is written to it counts; a hole costs nothing.
#[derive(Debug)]
pub struct MemoryFile(OwnedFd);

impl MemoryFile {
    /// An empty one of `size` bytes, sealed against changes of its size; nothing bounds what it holds.
    pub fn sealed(name: &str, size: u64) -> io::Result<Self> {
        let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, size)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(MemoryFile(fd))
    }

    /// Reads a page that is there.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let read = rustix::io::retry_on_intr(|| rustix::io::pread(&self.0, &mut *into, offset))?;
        if read == into.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Writes a page, there or not.
    pub fn write(&self, offset: u64, from: &[u8]) -> io::Result<()> {
        let written = rustix::io::retry_on_intr(|| rustix::io::pwrite(&self.0, from, offset))?;
        if written == from.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Gives the memory of a range back. Whoever maps it loses it.
    pub fn punch(&self, offset: u64, len: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::io::retry_on_intr(|| rustix::fs::fallocate(&self.0, flags, offset, len))?)
    }

    /// Whether nothing at all is there.
    pub fn has_hole(&self, offset: u64, len: u64) -> bool {
        match rustix::fs::seek(&self.0, SeekFrom::Data(offset)) {
            Ok(data) => data >= offset + len,
            Err(why) => why == rustix::io::Errno::NXIO,
        }
    }

    /// Whether it is at least as long as it should be: whoever has it can cut it short, unless it is sealed.
    pub fn reaches(&self, size: u64) -> io::Result<bool> {
        Ok(u64::try_from(rustix::fs::fstat(&self.0)?.st_size).unwrap_or(0) >= size)
    }

    /// Bytes of memory it holds.
    pub fn held(&self) -> io::Result<u64> {
        Ok(u64::try_from(rustix::fs::fstat(&self.0)?.st_blocks).unwrap_or(0) * 512)
    }
}

impl AsFd for MemoryFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A file system of its own, mounted nowhere, for memory files that together hold no more than its limit.
///
/// tmpfs takes a limit of nothing for none at all; so one block is always held, by a file that nobody can open.
#[derive(Debug)]
pub struct MemoryFs {
    mount: OwnedFd,
    context: OwnedFd,
}

impl MemoryFs {
    /// One whose files can hold nothing yet. Needs CAP_SYS_ADMIN.
    pub fn new() -> io::Result<Self> {
        let context = mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (key, value) in [("size", "4096"), ("mode", "0700")] {
            mount::fsconfig_set_string(&context, key, value)?;
        }
        // A kernel without huge pages does not know the word, and needs none.
        let _ = mount::fsconfig_set_string(&context, "huge", "never");
        mount::fsconfig_create(&context)?;
        // Not NOEXEC: a program may make what it has from the pager executable, as it may with any private memory.
        let closed = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID;
        let mount = mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, closed)?;
        let create = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let ballast = rustix::fs::openat(&mount, "ballast", create, Mode::empty())?;
        rustix::io::write(ballast, &[0])?;
        Ok(MemoryFs { mount, context })
    }

    /// An empty file of `size` bytes.
    pub fn file(&self, size: u64) -> io::Result<MemoryFile> {
        unnamed(&self.mount, size)
    }

    /// Its files hold no more than `bytes` from now on; refused if they do already.
    pub fn set_limit(&mut self, bytes: u64) -> io::Result<()> {
        let size = (bytes.next_multiple_of(BLOCK) + BLOCK).to_string();
        let set = mount::fsconfig_set_string(&self.context, "size", size.as_str())
            .and_then(|()| mount::fsconfig_reconfigure(&self.context));
        if set.is_err() {
            // What was refused once takes no further words.
            let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
            self.context = mount::fspick(&self.mount, "", flags)?;
        }
        Ok(set?)
    }

    /// Bytes that its files hold.
    pub fn held(&self) -> io::Result<u64> {
        let of = rustix::fs::fstatfs(&self.mount)?;
        Ok((of.f_blocks.saturating_sub(of.f_bfree) * BLOCK).saturating_sub(BLOCK))
    }
}

fn unnamed(mount: &OwnedFd, size: u64) -> io::Result<MemoryFile> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(mount, ".", flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::ftruncate(&fd, size)?;
    Ok(MemoryFile(fd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Option<MemoryFs> {
        MemoryFs::new().inspect_err(|why| eprintln!("SKIPPED: no tmpfs of one's own here: {why}")).ok()
    }

    #[test]
    fn a_file_system_holds_no_more_than_its_limit() {
        let Some(mut fs) = small() else { return };
        let file = fs.file(1 << 30).expect("a file");
        assert!(file.write(0, &[1; 4096]).is_err(), "nothing is allowed at first");
        fs.set_limit(2 * 4096).expect("a limit");
        assert!(file.write(0, &[1; 4096]).is_ok());
        assert!(file.write(8 << 20, &[1; 4096]).is_ok());
        assert!(file.write(16 << 20, &[1; 4096]).is_err());
        assert_eq!(fs.held().expect("a count"), 2 * 4096);
        file.punch(0, 4096).expect("a hole");
        assert!(file.write(16 << 20, &[1; 4096]).is_ok());
    }

    #[test]
    fn a_limit_below_what_is_held_is_refused_and_the_next_one_taken() {
        let Some(mut fs) = small() else { return };
        fs.set_limit(3 * 4096).expect("a limit");
        let file = fs.file(1 << 30).expect("a file");
        file.write(0, &[1; 3 * 4096]).expect("three pages");
        assert!(fs.set_limit(4096).is_err());
        fs.set_limit(4 * 4096).expect("a limit above");
        file.punch(0, 3 * 4096).expect("a hole");
        fs.set_limit(0).expect("nothing is held");
        assert!(file.write(0, &[1; 4096]).is_err());
    }

    #[test]
    fn a_sealed_file_keeps_its_size() {
        let file = MemoryFile::sealed("mager-test", 1 << 20).expect("a file");
        assert!(rustix::fs::ftruncate(&file, 0).is_err());
        file.write(4096, &[1; 4096]).expect("a page");
        assert_eq!(file.held().expect("a count"), 4096);
    }
}
