//! All of the doctor's unsafe code: mappings, userfaultfd's requests, calls that have no safe name.

use io_uring::{IoUring, opcode};
use linux_raw_sys::general as raw;
use rustix::mm::{self, Advice, MapFlags, ProtFlags, UserfaultfdFlags};
use rustix::process::Pid;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU64};

/// Shared pages of a memory object or file, mapped here until the value goes.
///
/// Its bytes are reached as atomics only: others may change them at any time.
#[derive(Debug)]
pub struct Mapping {
    start: *mut c_void,
    bytes: usize,
}

// SAFETY: the value is an address range that is mapped as long as it lives; all access is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of `object`, shared.
    pub fn shared(object: impl AsFd, bytes: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, placed by the kernel, disturbs no other.
        let start = unsafe { mm::mmap(ptr::null_mut(), bytes, access, MapFlags::SHARED, object, 0) }?;
        Ok(Mapping { start, bytes })
    }

    /// Maps `bytes` of new private memory.
    pub fn private(bytes: usize) -> io::Result<Self> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a new mapping, placed by the kernel, disturbs no other.
        let start = unsafe { mm::mmap_anonymous(ptr::null_mut(), bytes, access, flags) }?;
        Ok(Mapping { start, bytes })
    }

    /// How long it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The address of a byte in it.
    #[must_use]
    pub fn address(&self, at: usize) -> u64 {
        assert!(at < self.bytes, "outside the mapping");
        self.start.expose_provenance() as u64 + at as u64
    }

    /// A byte of it.
    #[must_use]
    pub fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < self.bytes, "outside the mapping");
        // SAFETY: the byte lies in the mapping.
        let byte = unsafe { self.start.cast::<u8>().add(at) };
        // SAFETY: mapped as long as `self` lives, and only ever used atomically.
        unsafe { AtomicU8::from_ptr(byte) }
    }

    /// All of it as words of 8 bytes.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: aligned as pages are, mapped as long as `self` lives, and only ever used atomically.
        unsafe { std::slice::from_raw_parts(self.start.cast::<AtomicU64>(), self.bytes / 8) }
    }

    /// Advises the kernel on all of it. `DontNeed` is [`Mapping::zap`]'s.
    pub fn advise(&self, advice: Advice) -> io::Result<()> {
        // SAFETY: the mapping is ours; whatever its bytes become, they are only read as atomics.
        Ok(unsafe { mm::madvise(self.start, self.bytes, advice) }?)
    }

    /// Waits until a mapped file has all that was written here.
    pub fn sync(&self) -> io::Result<()> {
        // SAFETY: changes no byte.
        Ok(unsafe { mm::msync(self.start, self.bytes, mm::MsyncFlags::SYNC) }?)
    }

    /// Takes all its pages out of the page table; a shared object keeps them.
    pub fn zap(&self) -> io::Result<()> {
        self.advise(Advice::LinuxDontNeed)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by us, and nobody borrows it any more. A sealed mapping refuses, and stays.
        let _ = unsafe { mm::munmap(self.start, self.bytes) };
    }
}

/// An argument of a userfaultfd's ioctl.
///
/// # Safety
/// The request must take exactly this type.
pub(crate) unsafe trait Request {
    const NUMBER: u32;
}

macro_rules! request {
    ($type:ident, $number:ident) => {
        // SAFETY: this pair stands in linux/userfaultfd.h.
        unsafe impl Request for raw::$type {
            const NUMBER: u32 = raw::$number;
        }
    };
}

request!(uffdio_api, _UFFDIO_API);
request!(uffdio_register, _UFFDIO_REGISTER);
request!(uffdio_copy, _UFFDIO_COPY);
request!(uffdio_continue, _UFFDIO_CONTINUE);
request!(uffdio_writeprotect, _UFFDIO_WRITEPROTECT);
request!(uffdio_poison, _UFFDIO_POISON);

/// Makes a request of a userfaultfd.
///
/// Pages are only ever changed in registered ranges, which are [`Mapping`]s, whose bytes are atomics.
pub(crate) fn ask<R: Request>(fd: BorrowedFd<'_>, request: &mut R) -> io::Result<()> {
    const READ_WRITE: u64 = 3;
    let size = (size_of::<R>() as u64) << 16;
    let number = READ_WRITE << 30 | size | u64::from(raw::UFFDIO) << 8 | u64::from(R::NUMBER);
    // SAFETY: the number says the size and direction of exactly this argument.
    match unsafe { libc::ioctl(fd.as_raw_fd(), number, ptr::from_mut(request)) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// A blocking userfaultfd from the device.
pub(crate) fn userfault_by_device() -> io::Result<OwnedFd> {
    let device = File::options().read(true).write(true).open("/dev/userfaultfd")?;
    let number = u64::from(raw::UFFDIO) << 8;
    // SAFETY: USERFAULTFD_IOC_NEW takes flags by value.
    let fd = unsafe { libc::ioctl(device.as_raw_fd(), number, libc::O_CLOEXEC) };
    owned(fd)
}

/// A blocking userfaultfd from the system call, with further flags such as `UFFD_USER_MODE_ONLY`.
pub(crate) fn userfault_by_call(flags: u32) -> io::Result<OwnedFd> {
    let flags = UserfaultfdFlags::from_bits_retain(flags) | UserfaultfdFlags::CLOEXEC;
    // SAFETY: a new descriptor watches nothing yet; only `Mapping`s are registered with it.
    Ok(unsafe { mm::userfaultfd(flags) }?)
}

fn owned(fd: c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets the kernel write bytes of `from` into the first bytes of a page.
pub(crate) fn read_into(from: &File, mapping: &Mapping, at: usize) -> io::Result<usize> {
    let into = mapping.byte(at).as_ptr();
    // SAFETY: one byte, which lies in the mapping; the kernel stores it as any other writer would.
    match unsafe { libc::pread(from.as_raw_fd(), into.cast(), 1, 0) } {
        -1 => Err(io::Error::last_os_error()),
        n => Ok(n.unsigned_abs()),
    }
}

/// Seals a mapping against being unmapped or changed, as long as the process lives.
pub(crate) fn seal(mapping: &Mapping) -> io::Result<()> {
    // SAFETY: only takes rights away; the mapping's bytes stay as they are.
    match unsafe { libc::syscall(libc::SYS_mseal, mapping.start, mapping.bytes, 0usize) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Can the mapping still be taken away? Tries with an unmap of its first page.
pub(crate) fn unmaps(mapping: Mapping) -> bool {
    // SAFETY: the value is ours and used up here.
    let unmapped = unsafe { mm::munmap(mapping.start, mapping.bytes) }.is_ok();
    std::mem::forget(mapping);
    unmapped
}

/// Writes to and reads from `file` through an io_uring, as the pager's engine does.
pub(crate) fn through_uring(file: &File, page: &mut [u8]) -> io::Result<()> {
    let mut ring = IoUring::new(2)?;
    let length = u32::try_from(page.len()).map_err(io::Error::other)?;
    let fd = io_uring::types::Fd(file.as_raw_fd());
    let write = opcode::Write::new(fd, page.as_ptr(), length).build();
    let read = opcode::Read::new(fd, page.as_mut_ptr(), length).build();
    for entry in [write, read] {
        // SAFETY: the descriptor and the page outlive the request, which is waited for below.
        unsafe { ring.submission().push(&entry) }.map_err(io::Error::other)?;
        ring.submit_and_wait(1)?;
        let answer = ring.completion().next().ok_or(io::ErrorKind::UnexpectedEof)?.result();
        if answer < 0 {
            return Err(io::Error::from_raw_os_error(-answer));
        }
    }
    Ok(())
}

/// A child process that does nothing, for as long as the value lives.
pub(crate) struct Idler(pub(crate) Pid);

impl Idler {
    pub(crate) fn start() -> io::Result<Self> {
        // SAFETY: the child only makes system calls, as it must where there were other threads.
        match unsafe { libc::fork() } {
            0 => idle(),
            pid => Pid::from_raw(pid).filter(|_| pid > 0).map(Idler).ok_or_else(io::Error::last_os_error),
        }
    }
}

impl Drop for Idler {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(self.0, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.0), rustix::process::WaitOptions::empty());
    }
}

fn idle() -> ! {
    // SAFETY: asks to be ended with the parent.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // SAFETY: an alarm ends even the child whose parent was gone before that.
    unsafe { libc::alarm(10) };
    loop {
        // SAFETY: waits for a signal.
        unsafe { libc::pause() };
    }
}
