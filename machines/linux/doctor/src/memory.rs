//! What frames are kept in: memory objects that cannot be resized, a private tmpfs with a quota; sealed mappings.

use crate::ground::Ground;
use crate::probe::{Answer, missing};
use crate::sys::{self, Mapping};
use rustix::fs::{
    FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags, fallocate, fcntl_add_seals, fstat, ftruncate,
    memfd_create, openat,
};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen,
};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

const PAGES: u64 = 4;

/// Writes page by page as far as it goes, then punches one page out: how many went in, how many are left.
fn fill_and_punch(object: impl AsFd, page: u64) -> io::Result<(u64, u64)> {
    let bytes = vec![1; usize::try_from(page).map_err(io::Error::other)?];
    let held = |object: &dyn Fn() -> rustix::io::Result<rustix::fs::Stat>| -> io::Result<u64> {
        Ok(u64::try_from(object()?.st_blocks).map_err(io::Error::other)? * 512 / page)
    };
    let stat = || fstat(&object);
    let mut at = 0;
    while at < 2 * PAGES * page && rustix::io::pwrite(&object, &bytes, at).is_ok() {
        at += page;
    }
    let before = held(&stat)?;
    fallocate(&object, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, page)?;
    Ok((before, held(&stat)?))
}

fn page() -> u64 {
    rustix::param::page_size() as u64
}

fn sealed_object() -> io::Result<(u64, u64)> {
    let object = memfd_create("mager-doctor", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&object, PAGES * page())?;
    fcntl_add_seals(&object, SealFlags::GROW | SealFlags::SHRINK)?;
    fill_and_punch(&object, page())
}

pub(crate) fn memfd(ground: &Ground) -> Answer {
    let remedy = || {
        ground.remedy(
            "a kernel built with CONFIG_MEMFD_CREATE=y",
            "--security-opt seccomp=PROFILE that allows memfd_create",
        )
    };
    match sealed_object() {
        Ok((PAGES, left)) if left < PAGES => Ok("memfd, sealed against resizing, pages punched out".into()),
        Ok((held, left)) => missing(format!("a memfd of {PAGES} pages held {held}, then {left}"), remedy()),
        Err(why) => missing(format!("memfd: {why}"), remedy()),
    }
}

/// A detached tmpfs that holds `PAGES` pages, and a file in it.
fn quota_object() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "size", (PAGES * page()).to_string())?;
    fsconfig_set_string(&context, "huge", "never").or_else(huge_pages_unknown)?;
    fsconfig_create(&context)?;
    let root = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    Ok(openat(&root, "frames", flags, Mode::RUSR | Mode::WUSR)?)
}

/// A kernel without huge pages does not know the word, and needs none.
fn huge_pages_unknown(why: rustix::io::Errno) -> rustix::io::Result<()> {
    if why == rustix::io::Errno::INVAL { Ok(()) } else { Err(why) }
}

pub(crate) fn private_tmpfs(ground: &Ground) -> Answer {
    let remedy = || ground.remedy("run the pager as root or with CAP_SYS_ADMIN", "--cap-add SYS_ADMIN");
    match quota_object().and_then(|object| fill_and_punch(&object, page())) {
        Ok((PAGES, left)) if left < PAGES => Ok("detached, holds its size and no page more".into()),
        Ok((held, left)) => missing(format!("a tmpfs of {PAGES} pages held {held}, then {left}"), remedy()),
        Err(why) => missing(format!("fsopen(\"tmpfs\"): {why}"), remedy()),
    }
}

pub(crate) fn mseal(_: &Ground) -> Answer {
    const REMEDY: &str = "a 64-bit kernel with mseal(2) (6.10 or later)";
    let trial = Mapping::private(rustix::param::page_size()).and_then(|mapping| {
        sys::seal(&mapping)?;
        Ok(sys::unmaps(mapping))
    });
    match trial {
        Ok(false) => Ok("a sealed mapping could not be unmapped".into()),
        Ok(true) => missing("a sealed mapping was unmapped all the same", REMEDY),
        Err(why) => missing(format!("mseal(2): {why}"), REMEDY),
    }
}
