//! Where swap goes: the directory, its room, preallocation, direct I/O, io_uring.

use crate::ground::Ground;
use crate::probe::{Answer, Lack, missing};
use crate::sys;
use rustix::fs::{FallocateFlags, MemfdFlags, Mode, OFlags, fallocate, memfd_create, open, statvfs, unlink};
use std::fs::File;
use std::io;
use std::path::Path;

/// Direct I/O wants memory, offsets and lengths aligned; pages are.
#[repr(align(4096))]
struct Page([u8; 4096]);

/// A file of ours in the directory that has no name (any more).
fn scratch(dir: &Path, flags: OFlags) -> io::Result<File> {
    let (access, mode) = (OFlags::RDWR | OFlags::CLOEXEC | flags, Mode::RUSR | Mode::WUSR);
    match open(dir, access | OFlags::TMPFILE, mode) {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            let path = dir.join(format!(".mager-doctor-{}", std::process::id()));
            let file = open(&path, access | OFlags::CREATE | OFlags::EXCL, mode);
            // An open that refuses its flags may have made the file all the same.
            let _ = unlink(&path);
            Ok(file?.into())
        }
        Err(why) => Err(why.into()),
    }
}

fn elsewhere(ground: &Ground, what: &str) -> String {
    format!("--dir DIR {what} (now {})", ground.options.dir.display())
}

pub(crate) fn directory(ground: &Ground) -> Answer {
    let dir = &ground.options.dir;
    let writable = |what| elsewhere(ground, what);
    if let Err(why) = scratch(dir, OFlags::empty()) {
        return missing(format!("no file can be made: {why}"), writable("where this user may write"));
    }
    let room = statvfs(dir).map(|about| about.f_bavail.saturating_mul(about.f_frsize));
    match room {
        Ok(room) if room >= ground.options.swap => {
            Ok(format!("{} MiB free in {}", room >> 20, dir.display()))
        }
        Ok(room) => {
            let why = format!("{} MiB free, {} MiB wanted", room >> 20, ground.options.swap >> 20);
            missing(why, writable("with more room, or a smaller --swap"))
        }
        Err(why) => missing(why, writable("that can be looked at")),
    }
}

fn file(ground: &Ground, flags: OFlags) -> Result<io::Result<File>, Lack> {
    scratch(&ground.options.dir, OFlags::empty()).map_err(|_| Lack::Untried("no file can be made there"))?;
    Ok(scratch(&ground.options.dir, flags))
}

pub(crate) fn preallocation(ground: &Ground) -> Answer {
    let file = file(ground, OFlags::empty())?;
    let tried = file.and_then(|file| {
        fallocate(&file, FallocateFlags::empty(), 0, 1 << 20)?;
        Ok(fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 4096)?)
    });
    match tried {
        Ok(()) => Ok("fallocate reserves and punches".into()),
        Err(why) => missing(format!("fallocate: {why}"), elsewhere(ground, "on ext4, xfs, btrfs or tmpfs")),
    }
}

pub(crate) fn direct(ground: &Ground) -> Answer {
    let tried = file(ground, OFlags::DIRECT)?.and_then(|file| {
        let mut page = Page([7; 4096]);
        rustix::io::pwrite(&file, &page.0, 0)?;
        Ok(rustix::io::pread(&file, &mut page.0[..], 0)?)
    });
    match tried {
        Ok(4096) => Ok("a page was written and read past the cache".into()),
        Ok(short) => missing(format!("a direct read gave {short} bytes of a page"), elsewhere(ground, DISK)),
        Err(why) => missing(format!("O_DIRECT: {why}"), elsewhere(ground, DISK)),
    }
}

const DISK: &str = "on a disk's own file system: ext4, xfs, btrfs";

pub(crate) fn io_uring(ground: &Ground) -> Answer {
    let file = memfd_create("mager-doctor", MemfdFlags::CLOEXEC).map_err(io::Error::from);
    match file.and_then(|file| sys::through_uring(&file.into(), &mut Page([7; 4096]).0)) {
        Ok(()) => Ok("a page was written and read through a ring".into()),
        Err(why) => missing(format!("io_uring: {why}"), uring_remedy(ground, &why)),
    }
}

fn uring_remedy(ground: &Ground, why: &io::Error) -> String {
    let plain = match why.raw_os_error() {
        Some(libc::EPERM) => "sysctl -w kernel.io_uring_disabled=0",
        Some(libc::ENOMEM) => "ulimit -l unlimited",
        _ => "a kernel built with CONFIG_IO_URING=y",
    };
    ground.remedy(plain, "--security-opt seccomp=PROFILE that allows io_uring_setup and io_uring_enter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_files_leave_no_name() {
        let dir = tempfile::tempdir().unwrap();
        scratch(dir.path(), OFlags::empty()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(scratch(&dir.path().join("nowhere"), OFlags::empty()).is_err());
    }
}
