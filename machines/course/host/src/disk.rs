//! Where blocks rest: files below the working directory, and swap.
//!
//! A block of a file exists only if the file holds all of it, and writing never makes a file longer. Every failure
//! says in words what happened to which block.

use crate::error::HostError;
use crate::options::Swap;
use mager_course_abi::PAGE_SIZE;
use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Files and swap.
#[derive(Debug)]
pub(crate) struct Disk {
    dir: OwnedFd,
    swap: SwapStore,
    swap_blocks: u32,
}

#[derive(Debug)]
enum SwapStore {
    Memory(HashMap<u32, Box<[u8]>>),
    File { file: File, name: Option<PathBuf> },
}

impl Disk {
    /// Files are found from `dir`; swap is made as `swap` says.
    pub(crate) fn new(dir: OwnedFd, swap: &Swap, swap_blocks: u32) -> Result<Disk, HostError> {
        let swap = match swap {
            Swap::Memory => SwapStore::Memory(HashMap::new()),
            Swap::Temporary => SwapStore::File { file: nameless(&std::env::temp_dir())?, name: None },
            Swap::File(path) => SwapStore::File { file: named(path)?, name: Some(path.clone()) },
        };
        Ok(Disk { dir, swap, swap_blocks })
    }

    /// The swap file to be removed at the end, if it has a name.
    pub(crate) fn swap_file(&self) -> Option<&Path> {
        match &self.swap {
            SwapStore::File { name, .. } => name.as_deref(),
            SwapStore::Memory(_) => None,
        }
    }

    /// Fills `bytes` from a block of the file `name`, or of swap.
    pub(crate) fn read(&mut self, name: Option<&[u8]>, block: u32, bytes: &mut [u8]) -> Result<(), String> {
        match name {
            Some(name) => self.file_block(name, block)?.read_exact_at(bytes, offset(block)).map_err(in_words),
            None => self.read_swap(block, bytes),
        }
    }

    /// Writes `bytes` to a block of the file `name`, or of swap.
    pub(crate) fn write(&mut self, name: Option<&[u8]>, block: u32, bytes: &[u8]) -> Result<(), String> {
        match name {
            Some(name) => self.file_block(name, block)?.write_all_at(bytes, offset(block)).map_err(in_words),
            None => self.write_swap(block, bytes),
        }
    }

    fn file_block(&self, name: &[u8], block: u32) -> Result<File, String> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file =
            openat(self.dir.as_fd(), OsStr::from_bytes(name), flags, Mode::empty()).map_err(open_error)?;
        let status = fstat(&file).map_err(|error| in_words(error.into()))?;
        let blocks = u64::try_from(status.st_size).unwrap_or(0) / PAGE_SIZE as u64;
        if u64::from(block) >= blocks {
            let s = if blocks == 1 { "" } else { "s" };
            return Err(format!("the file has {blocks} whole block{s} of 64 KiB only"));
        }
        Ok(File::from(file))
    }

    fn read_swap(&mut self, block: u32, bytes: &mut [u8]) -> Result<(), String> {
        self.check_swap(block)?;
        match &self.swap {
            SwapStore::Memory(blocks) => match blocks.get(&block) {
                Some(held) => bytes.copy_from_slice(held),
                None => bytes.fill(0),
            },
            SwapStore::File { file, .. } => {
                let got = read_up_to(file, bytes, offset(block)).map_err(in_words)?;
                bytes[got..].fill(0);
            }
        }
        Ok(())
    }

    fn write_swap(&mut self, block: u32, bytes: &[u8]) -> Result<(), String> {
        self.check_swap(block)?;
        match &mut self.swap {
            SwapStore::Memory(blocks) => match blocks.get_mut(&block) {
                Some(held) => held.copy_from_slice(bytes),
                None => drop(blocks.insert(block, bytes.into())),
            },
            SwapStore::File { file, .. } => file.write_all_at(bytes, offset(block)).map_err(in_words)?,
        }
        Ok(())
    }

    fn check_swap(&self, block: u32) -> Result<(), String> {
        match block < self.swap_blocks {
            true => Ok(()),
            false => Err(format!("swap has {} blocks only", self.swap_blocks)),
        }
    }
}

fn offset(block: u32) -> u64 {
    u64::from(block) * PAGE_SIZE as u64
}

fn read_up_to(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < bytes.len() {
        match file.read_at(&mut bytes[got..], offset + got as u64)? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

fn nameless(dir: &Path) -> Result<File, HostError> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let made = rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR);
    made.map(File::from).map_err(|error| HostError::SwapFile { path: dir.to_owned(), source: error.into() })
}

fn named(path: &Path) -> Result<File, HostError> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::EXIST) => Err(HostError::SwapExists(path.to_owned())),
        Err(error) => Err(HostError::SwapFile { path: path.to_owned(), source: error.into() }),
    }
}

fn open_error(error: Errno) -> String {
    match error {
        Errno::NOENT => "there is no such file".to_owned(),
        Errno::ISDIR => "it is a directory, not a file".to_owned(),
        Errno::ACCESS | Errno::ROFS => "it is not both readable and writable for the pager".to_owned(),
        Errno::TXTBSY => "it is a program that is being run, so it cannot be written".to_owned(),
        other => in_words(other.into()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn in_words(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "no space is left on the device".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn disk(dir: &Path, swap: &Swap) -> Disk {
        let opened = rustix::fs::open(dir, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        Disk::new(opened, swap, 3).unwrap()
    }

    #[test]
    fn a_final_partial_block_does_not_exist_and_nothing_grows() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data"), vec![7; PAGE_SIZE + 100]).unwrap();
        let mut disk = disk(dir.path(), &Swap::Memory);
        let mut page = vec![0; PAGE_SIZE];
        disk.read(Some(b"data"), 0, &mut page).unwrap();
        assert!(page.iter().all(|&byte| byte == 7));
        let refusal = Err("the file has 1 whole block of 64 KiB only".to_owned());
        assert_eq!(disk.read(Some(b"data"), 1, &mut page), refusal);
        assert_eq!(disk.write(Some(b"data"), 1, &page), refusal);
        assert_eq!(std::fs::metadata(dir.path().join("data")).unwrap().len(), PAGE_SIZE as u64 + 100);
    }

    #[test]
    fn what_is_no_file_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        let mut disk = disk(dir.path(), &Swap::Memory);
        let mut page = vec![0; PAGE_SIZE];
        assert_eq!(disk.read(Some(b"sub"), 0, &mut page), Err("it is a directory, not a file".to_owned()));
        assert_eq!(disk.read(Some(b"none"), 0, &mut page), Err("there is no such file".to_owned()));
        assert_eq!(disk.read(Some(b""), 0, &mut page), Err("there is no such file".to_owned()));
    }

    #[test]
    fn a_file_that_may_only_be_read_is_named_as_such() {
        // Said of the error itself, since for a superuser every file is writable.
        assert_eq!(open_error(Errno::ACCESS), "it is not both readable and writable for the pager");
        assert_eq!(open_error(Errno::ROFS), open_error(Errno::ACCESS));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        std::fs::write(&path, vec![7; PAGE_SIZE]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        let mut page = vec![0; PAGE_SIZE];
        let read = disk(dir.path(), &Swap::Memory).read(Some(b"data"), 0, &mut page);
        let superuser = rustix::process::geteuid().is_root();
        assert_eq!(read, if superuser { Ok(()) } else { Err(open_error(Errno::ACCESS)) });
    }

    #[test]
    fn swap_keeps_what_is_written_wherever_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("swap");
        for swap in [Swap::Memory, Swap::Temporary, Swap::File(file.clone())] {
            let mut disk = disk(dir.path(), &swap);
            let mut page = vec![1; PAGE_SIZE];
            disk.write(None, 2, &page).unwrap();
            disk.read(None, 1, &mut page).unwrap();
            assert!(page.iter().all(|&byte| byte == 0));
            disk.read(None, 2, &mut page).unwrap();
            assert!(page.iter().all(|&byte| byte == 1));
            assert_eq!(disk.read(None, 3, &mut page), Err("swap has 3 blocks only".to_owned()));
        }
        let again = named(&file).unwrap_err().to_string();
        assert!(again.contains("exists already"), "{again}");
    }
}
