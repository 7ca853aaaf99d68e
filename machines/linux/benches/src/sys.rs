//! All of the benchmark's unsafe code: a process that ends with its parent, an arena's words, many reads in
//! flight.

use io_uring::{IoUring, opcode, types::Fd};
use mager_linux_client::{Arena, Pages};
use rustix::mm::Advice;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicU64;

fn answer(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Asks the kernel to kill this process when its parent ends.
pub(crate) fn end_with_parent() -> io::Result<()> {
    // SAFETY: sets a number of this process.
    answer(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })
}

/// Pages of an arena as words, for as long as the arena is there.
pub(crate) fn words(arena: &Arena, pages: Pages) -> &[AtomicU64] {
    let first = arena.pointer(pages.page).cast::<AtomicU64>();
    let bytes = arena.page_size() * u64::from(pages.count);
    let count = usize::try_from(bytes / 8).unwrap_or(0);
    // SAFETY: the arena maps these pages until it goes, aligned to more than a word; all use of them is atomic.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// Drops the page-table entries of an arena's pages; the pages stay in memory.
pub(crate) fn zap(arena: &Arena, pages: Pages) -> io::Result<()> {
    let bytes = usize::try_from(arena.page_size() * u64::from(pages.count)).map_err(io::Error::other)?;
    // SAFETY: the arena shows memory files there, mapped for sharing: the advice takes no bytes away.
    let advised =
        unsafe { rustix::mm::madvise(arena.pointer(pages.page).cast(), bytes, Advice::LinuxDontNeed) };
    Ok(advised?)
}

/// A buffer for direct I/O.
#[repr(align(4096))]
#[derive(Clone)]
pub(crate) struct Page(pub(crate) [u8; 4096]);

/// Reads those blocks of 4 KiB, `depth` of them in flight at any time.
pub(crate) fn read_deep(file: &File, blocks: &mut dyn Iterator<Item = u64>, depth: u32) -> io::Result<()> {
    let mut ring = IoUring::new(depth)?;
    let mut pages = vec![Page([0; 4096]); depth as usize];
    let mut free: Vec<u64> = (0..u64::from(depth)).collect();
    let mut more = true;
    while more || free.len() < depth as usize {
        while let Some(slot) = free.pop() {
            let Some(block) = blocks.next().filter(|_| more) else {
                (more, _) = (false, free.push(slot));
                break;
            };
            let index = usize::try_from(slot).map_err(io::Error::other)?;
            let into = pages[index].0.as_mut_ptr();
            let read = opcode::Read::new(Fd(file.as_raw_fd()), into, 4096).offset(block * 4096);
            // SAFETY: the page is in no other request (its slot was free), and the ring is drained before pages go.
            unsafe { ring.submission().push(&read.build().user_data(slot)) }.map_err(io::Error::other)?;
        }
        if free.len() == depth as usize {
            break;
        }
        ring.submit_and_wait(1)?;
        for done in ring.completion() {
            free.push(done.user_data());
            if done.result() != 4096 {
                // The pages of reads still in flight must outlive them.
                std::mem::forget(pages);
                return Err(io::Error::other(format!("a read gave {}", done.result())));
            }
        }
    }
    Ok(())
}
