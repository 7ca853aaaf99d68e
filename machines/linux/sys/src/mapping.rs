//! The client's side of an arena: a range of addresses that nothing else of the process uses.
//!
//! Sources: mmap(2), madvise(2) (MADV_DONTFORK, MADV_DONTDUMP, MADV_DONTNEED), mseal(2).

use rustix::fd::AsFd;
use rustix::mm::{Advice, MapFlags, ProtFlags};
use std::ffi::c_void;
use std::io;

/// A range of addresses, kept until it is dropped.
#[derive(Debug)]
pub struct Window {
    base: u64,
    len: u64,
}

impl Window {
    /// Reserves `len` bytes of addresses aligned to `align`, at `wanted` if that is not 0; nothing can be touched there yet.
    pub fn reserve(len: u64, align: u64, wanted: u64) -> io::Result<Self> {
        let (hint, fixed) = match wanted {
            0 => (std::ptr::null_mut(), MapFlags::empty()),
            at => (pointer(at), MapFlags::FIXED_NOREPLACE),
        };
        let slack = if wanted == 0 { align } else { 0 };
        let size = usize::try_from(len + slack).map_err(|_| io::ErrorKind::InvalidInput)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | fixed;
        // SAFETY: a fresh mapping over addresses nobody uses: the kernel picks them, or refuses to replace.
        let got = unsafe { rustix::mm::mmap_anonymous(hint, size, ProtFlags::empty(), flags) }? as u64;
        let base = got.next_multiple_of(align.max(1));
        let window = Window { base, len };
        window.trim(got, len + slack);
        Ok(window)
    }

    /// Gives back what alignment left over on both sides.
    fn trim(&self, got: u64, size: u64) {
        let after = self.base + self.len;
        for (start, end) in [(got, self.base), (after, got + size)] {
            if let Ok(len) = usize::try_from(end - start)
                && len > 0
            {
                // SAFETY: the range is part of the reservation just made, and outside the window.
                let _ = unsafe { rustix::mm::munmap(pointer(start), len) };
            }
        }
    }

    /// Its first address.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it holds no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn part(&self, offset: u64, len: u64) -> io::Result<(*mut c_void, usize)> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len) && len > 0;
        match usize::try_from(len) {
            Ok(len) if inside => Ok((pointer(self.base + offset), len)),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Shows a part of `file` in the window, in place of what was there. A forked child does not inherit it.
    pub fn map(&self, offset: u64, len: u64, file: &impl AsFd, at: u64, write: bool) -> io::Result<()> {
        let (start, len) = self.part(offset, len)?;
        let rights = if write { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        let flags = MapFlags::SHARED | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY: the range lies inside the window, which belongs to nobody else.
        unsafe { rustix::mm::mmap(start, len, rights, flags, file, at) }?;
        keep_here(start, len)
    }

    /// Nothing is shown in a part any more: every touch ends in SIGSEGV.
    pub fn hide(&self, offset: u64, len: u64) -> io::Result<()> {
        let (start, len) = self.part(offset, len)?;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY: the range lies inside the window, and who holds pointers into the part has promised to be gone.
        unsafe { rustix::mm::mmap_anonymous(start, len, ProtFlags::empty(), flags) }?;
        Ok(())
    }

    /// After a fork, in the child, which has inherited nothing there: shows `file` in the whole window. Fails where
    /// something else has taken the room meanwhile. Safe in a signal handler.
    pub fn map_afresh(&self, file: &impl AsFd) -> io::Result<()> {
        let (start, len) = self.part(0, self.len)?;
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::FIXED_NOREPLACE | MapFlags::NORESERVE;
        // SAFETY: the kernel refuses to replace anything, and nobody holds references into what is not mapped.
        unsafe { rustix::mm::mmap(start, len, rights, flags, file, 0) }?;
        keep_here(start, len)
    }

    /// After a fork, in the child, which is not to have the memory: nothing else comes to lie there, and every touch
    /// ends in SIGSEGV.
    pub fn bar(&self) -> io::Result<()> {
        let (start, len) = self.part(0, self.len)?;
        let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE | MapFlags::NORESERVE;
        // SAFETY: as in `map_afresh`.
        unsafe { rustix::mm::mmap_anonymous(start, len, ProtFlags::empty(), flags) }?;
        Ok(())
    }

    /// Undoes [`Window::map_afresh`]. Safe in a signal handler.
    pub fn leave(&self) -> io::Result<()> {
        let (start, len) = self.part(0, self.len)?;
        // SAFETY: the window's own mapping, into which nobody has had the time to make references.
        Ok(unsafe { rustix::mm::munmap(start, len) }?)
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.len
    }

    /// Page-table entries of these parts, (offset, length) each, go; the pages stay in their file. Where the kernel can,
    /// in one call (process_madvise(2) of oneself, since Linux 6.15). What is not the window's is passed over.
    pub fn zap(&self, parts: impl IntoIterator<Item = (u64, u64)>) {
        let mut ranges = [EMPTY; MOST_RANGES];
        let mut count = 0;
        for (offset, len) in parts {
            let Ok((iov_base, iov_len)) = self.part(offset, len) else { continue };
            ranges[count] = libc::iovec { iov_base, iov_len };
            count += 1;
            if count == MOST_RANGES {
                zap_ranges(&ranges);
                count = 0;
            }
        }
        zap_ranges(&ranges[..count]);
    }

    /// Nothing of the process can unmap, move or replace the window any more, or change its rights, as long as the process
    /// lives; entries of what is mapped for sharing can be dropped as before. Safe in a signal handler.
    pub fn seal(&self) -> io::Result<()> {
        let (start, len) = self.part(0, self.len)?;
        // SAFETY: mseal takes a range and no flags, and changes no bytes.
        match unsafe { libc::syscall(SYS_MSEAL, start, len, 0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The bytes, as a place to read and write by whoever takes care of aliasing.
    #[must_use]
    pub fn pointer(&self, offset: u64) -> *mut u8 {
        pointer(self.base + offset).cast()
    }
}

/// Ranges that go into one call.
const MOST_RANGES: usize = 64;
const EMPTY: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
/// The calling process instead of a descriptor of one.
const PIDFD_SELF: libc::c_int = -10_000;

/// Entries of shared file mappings go. Where the kernel does not take them together, or stops on the way, each by itself.
fn zap_ranges(ranges: &[libc::iovec]) {
    if ranges.len() > 1 && zap_together(ranges) {
        return;
    }
    for range in ranges {
        // SAFETY: the range shows a shared file mapping, of which the advice drops entries and no bytes.
        let _ = unsafe { rustix::mm::madvise(range.iov_base, range.iov_len, Advice::LinuxDontNeed) };
    }
}

fn zap_together(ranges: &[libc::iovec]) -> bool {
    let all: usize = ranges.iter().map(|range| range.iov_len).sum();
    let (vector, count, advice) = (ranges.as_ptr(), ranges.len(), libc::MADV_DONTNEED);
    // SAFETY: as above, for each of the ranges.
    let done = unsafe { libc::syscall(libc::SYS_process_madvise, PIDFD_SELF, vector, count, advice, 0) };
    usize::try_from(done) == Ok(all)
}

/// mseal(2), since Linux 6.10; the number is the same on every architecture.
const SYS_MSEAL: libc::c_long = 462;

impl Drop for Window {
    fn drop(&mut self) {
        if let Ok(len) = usize::try_from(self.len) {
            // SAFETY: the window owns these addresses; who holds pointers into it has promised to be gone.
            let _ = unsafe { rustix::mm::munmap(pointer(self.base), len) };
        }
    }
}

/// A forked child does not inherit it; and a core dump leaves it out, which would page everything in.
fn keep_here(start: *mut c_void, len: usize) -> io::Result<()> {
    for advice in [Advice::LinuxDontFork, Advice::LinuxDontDump] {
        // SAFETY: a mapping just made in a window; the advice changes what forks and dumps do, and no bytes.
        unsafe { rustix::mm::madvise(start, len, advice) }?;
    }
    Ok(())
}

fn pointer(address: u64) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0))
}
