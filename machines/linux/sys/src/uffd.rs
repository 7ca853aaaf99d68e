//! userfaultfd: the descriptor, its events, and the calls that resolve them.
//!
//! Source: userfaultfd(2), ioctl_userfaultfd(2) and Documentation/admin-guide/mm/userfaultfd.rst. Constants are spelled out
//! here, since the headers of older systems lack the newer ones.

use crate::descriptors::lift;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::fs::OpenOptions;
use std::io;

/// A userfaultfd. It acts on the memory of the process that opened it, whoever holds it.
#[derive(Debug)]
pub struct Userfault(OwnedFd);

/// Why a thread stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// No page is there.
    Missing,
    /// The page is in the file, but not in the page table.
    Minor,
    /// The page is there, and write-protected.
    Protected,
}

/// One thread that cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The address, rounded down to the page.
    pub address: u64,
    /// A store, or a load.
    pub write: bool,
    /// What is missing.
    pub kind: FaultKind,
    /// The thread.
    pub thread: i32,
}

/// Why a page could not be put, shown or protected; the answers of ioctl_userfaultfd(2) that mean something here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed {
    /// EAGAIN: the memory map was changing; so many bytes were done.
    Again(u64),
    /// EEXIST: something is there already.
    Exists,
    /// EFAULT: nothing is in the file.
    Nothing,
    /// ENOENT: nothing of the kind is mapped there any more.
    Gone,
    /// ESRCH: the process is ending.
    Dead,
    /// ENOSPC: the memory file holds all that it may.
    Full,
    /// Any other error number.
    Other(i32),
}

#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    len: u64,
}

#[repr(C)]
struct Register {
    range: Range,
    mode: u64,
    ioctls: u64,
}

#[repr(C)]
struct Copy {
    dst: u64,
    src: u64,
    len: u64,
    mode: u64,
    copied: i64,
}

#[repr(C)]
struct WriteProtect {
    range: Range,
    mode: u64,
}

#[repr(C)]
struct Continue {
    range: Range,
    mode: u64,
    mapped: i64,
}

/// `struct uffd_msg` of a page fault: 32 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
struct Message {
    event: u8,
    reserved: [u8; 7],
    flags: u64,
    address: u64,
    thread: u32,
    padding: u32,
}

const fn request(direction: u64, number: u64, size: usize) -> libc::Ioctl {
    (direction << 30 | (size as u64) << 16 | 0xAA << 8 | number) as libc::Ioctl
}

const READ_WRITE: u64 = 3;
const READ: u64 = 2;
const UFFDIO_API: libc::Ioctl = request(READ_WRITE, 0x3F, size_of::<Api>());
const UFFDIO_REGISTER: libc::Ioctl = request(READ_WRITE, 0x00, size_of::<Register>());
const UFFDIO_WAKE: libc::Ioctl = request(READ, 0x02, size_of::<Range>());
const UFFDIO_COPY: libc::Ioctl = request(READ_WRITE, 0x03, size_of::<Copy>());
const UFFDIO_WRITEPROTECT: libc::Ioctl = request(READ_WRITE, 0x06, size_of::<WriteProtect>());
const UFFDIO_CONTINUE: libc::Ioctl = request(READ_WRITE, 0x07, size_of::<Continue>());
const UFFDIO_POISON: libc::Ioctl = request(READ_WRITE, 0x08, size_of::<Continue>());
/// `_IO(0xAA, 0)` on /dev/userfaultfd.
const USERFAULTFD_IOC_NEW: libc::Ioctl = 0xAA00;

const API: u64 = 0xAA;
const FEATURE_MISSING_SHMEM: u64 = 1 << 5;
const FEATURE_THREAD_ID: u64 = 1 << 8;
const FEATURE_MINOR_SHMEM: u64 = 1 << 10;
const FEATURE_WP_SHMEM: u64 = 1 << 12;
const FEATURE_POISON: u64 = 1 << 14;
/// What the machine cannot do without.
const FEATURES: u64 =
    FEATURE_MISSING_SHMEM | FEATURE_THREAD_ID | FEATURE_MINOR_SHMEM | FEATURE_WP_SHMEM | FEATURE_POISON;
/// What the kernel adds when the features are agreed upon.
const INITIALIZED: u64 = 1 << 31;
const MISSING: u64 = 1;
const PROTECTED: u64 = 2;
const MINOR: u64 = 4;
const EVENT_PAGEFAULT: u8 = 0x12;
const FLAG_WRITE: u64 = 1;
const FLAG_WP: u64 = 2;
const FLAG_MINOR: u64 = 4;
const COPY_WP: u64 = 2;
const CONTINUE_WP: u64 = 2;
const PROTECT: u64 = 1;
const DONT_WAKE: u64 = 2;
/// Events taken in one read.
const BATCH: usize = 16;

impl Userfault {
    /// Opens one for the calling process: by /dev/userfaultfd, else by the system call.
    pub fn open() -> io::Result<Self> {
        let uffd = match by_device() {
            Ok(uffd) => uffd,
            Err(why) => by_call().map_err(|_| why)?,
        };
        let mut api = Api { api: API, features: FEATURES, ioctls: 0 };
        ioctl(&uffd, UFFDIO_API, &mut api)?;
        Ok(Userfault(lift(uffd)))
    }

    /// One that was received. What it is shows when it is used.
    #[must_use]
    pub fn received(fd: OwnedFd) -> Self {
        Userfault(fd)
    }

    /// Whether it was opened with the features that [`Userfault::open`] asks for. With others, reading it could tell of
    /// things besides faults, and hand out descriptors; and COPY would have to wait until that is read.
    #[must_use]
    pub fn is_as_opened_here(&self) -> bool {
        let facts = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd()));
        let api = |line: &str| Some(line.strip_prefix("API:")?.trim().split(':').nth(1)?.to_owned());
        let features = facts.ok().and_then(|facts| facts.lines().find_map(api));
        let features = features.and_then(|features| u64::from_str_radix(&features, 16).ok());
        features.is_some_and(|features| features & !INITIALIZED == FEATURES)
    }

    /// A second descriptor.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }

    /// Faults in this range come here from now on: missing and write-protected; and `minor` ones. Without these the kernel
    /// shows a page that is in the file by itself, with the protection that was there before.
    pub fn register(&self, start: u64, len: u64, minor: bool) -> io::Result<()> {
        let mode = MISSING | PROTECTED | if minor { MINOR } else { 0 };
        let mut register = Register { range: Range { start, len }, mode, ioctls: 0 };
        ioctl(&self.0, UFFDIO_REGISTER, &mut register)
    }

    /// Appends the faults that are there to `into`, without waiting; at most one read's worth. How many.
    pub fn read(&self, into: &mut Vec<Fault>) -> io::Result<usize> {
        let mut messages = [Message::EMPTY; BATCH];
        let size = size_of_val(&messages);
        let buffer = messages.as_mut_ptr().cast();
        let part = libc::iovec { iov_base: buffer, iov_len: size };
        // Its other owner can make it blocking at any time, which this read does not mind.
        // SAFETY: the buffer is writable for `size` bytes, and any bytes are a valid `Message`.
        let read = unsafe { libc::preadv2(self.0.as_raw_fd(), &raw const part, 1, -1, libc::RWF_NOWAIT) };
        let bytes = match usize::try_from(read) {
            Ok(bytes) => bytes,
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::EOPNOTSUPP) => {
                self.read_plainly(&mut messages)?
            }
            Err(_) => return nothing(io::Error::last_os_error()),
        };
        let messages = &messages[..bytes / size_of::<Message>()];
        let before = into.len();
        into.extend(messages.iter().filter_map(Message::fault));
        Ok(into.len() - before)
    }

    /// From now on [`Userfault::wait`] waits, whoever has a descriptor of it.
    pub fn block(&self) -> io::Result<()> {
        Ok(rustix::fs::fcntl_setfl(&self.0, rustix::fs::OFlags::empty())?)
    }

    /// The next fault; waits for it after [`Userfault::block`]. `None`: it was something else.
    pub fn wait(&self) -> io::Result<Option<Fault>> {
        let mut message = Message::EMPTY;
        let (buffer, size) = ((&raw mut message).cast(), size_of::<Message>());
        // SAFETY: the buffer is writable for `size` bytes, and any bytes are a valid `Message`.
        let read = unsafe { libc::read(self.0.as_raw_fd(), buffer, size) };
        if read < 0 { Err(io::Error::last_os_error()) } else { Ok(message.fault()) }
    }

    /// As kernels before 6.9 want it.
    fn read_plainly(&self, messages: &mut [Message; BATCH]) -> io::Result<usize> {
        let flags = rustix::fs::fcntl_getfl(&self.0)?;
        rustix::fs::fcntl_setfl(&self.0, flags | rustix::fs::OFlags::NONBLOCK)?;
        let (buffer, size) = (messages.as_mut_ptr().cast(), size_of_val(messages));
        // SAFETY: the buffer is writable for `size` bytes, and any bytes are a valid `Message`.
        let read = unsafe { libc::read(self.0.as_raw_fd(), buffer, size) };
        usize::try_from(read).or_else(|_| nothing(io::Error::last_os_error()))
    }

    /// Puts a page where none is, and wakes who waits for it. `protect`: stores will fault.
    #[inline]
    pub fn copy(&self, address: u64, page: &[u8], protect: bool) -> Result<(), Failed> {
        let (len, mode) = (page.len() as u64, if protect { COPY_WP } else { 0 });
        let mut copy = Copy { dst: address, src: page.as_ptr() as u64, len, mode, copied: 0 };
        match ioctl(&self.0, UFFDIO_COPY, &mut copy) {
            Ok(()) => Ok(()),
            Err(why) => Err(failed(&why, copy.copied)),
        }
    }

    /// Shows what is in the file, where nothing is shown, and wakes who waits for it.
    #[inline]
    pub fn show(&self, address: u64, len: u64, protect: bool) -> Result<(), Failed> {
        let mode = if protect { CONTINUE_WP } else { 0 };
        let mut proceed = Continue { range: Range { start: address, len }, mode, mapped: 0 };
        match ioctl(&self.0, UFFDIO_CONTINUE, &mut proceed) {
            Ok(()) => Ok(()),
            Err(why) => Err(failed(&why, proceed.mapped)),
        }
    }

    /// Stores to the range fault from now on.
    #[inline]
    pub fn protect(&self, address: u64, len: u64) -> Result<(), Failed> {
        self.write_protect(address, len, PROTECT)
    }

    /// Stores to the range go on, and who waits is woken.
    #[inline]
    pub fn unprotect(&self, address: u64, len: u64) -> Result<(), Failed> {
        self.write_protect(address, len, 0)
    }

    fn write_protect(&self, start: u64, len: u64, mode: u64) -> Result<(), Failed> {
        let mut protect = WriteProtect { range: Range { start, len }, mode };
        ioctl(&self.0, UFFDIO_WRITEPROTECT, &mut protect).map_err(|why| failed(&why, 0))
    }

    /// Touching the page, where none is shown, ends in SIGBUS from now on. Wakes who waits.
    pub fn poison(&self, address: u64, len: u64) -> Result<(), Failed> {
        match self.poison_bare(address, len) {
            // Where a protected page was taken away a marker of its protection is left, which is not poisoned over. A page
            // that is there is to be no less protected than it was, and nobody to store to it meanwhile who waits.
            Err(Failed::Exists) => {
                self.write_protect(address, len, DONT_WAKE)?;
                let done = self.poison_bare(address, len);
                if done == Err(Failed::Exists) {
                    self.protect(address, len)?;
                }
                done
            }
            done => done,
        }
    }

    fn poison_bare(&self, address: u64, len: u64) -> Result<(), Failed> {
        let mut poison = Continue { range: Range { start: address, len }, mode: 0, mapped: 0 };
        ioctl(&self.0, UFFDIO_POISON, &mut poison).map_err(|why| failed(&why, poison.mapped))
    }

    /// Whoever waits in the range tries again.
    #[inline]
    pub fn wake(&self, address: u64, len: u64) -> Result<(), Failed> {
        let mut range = Range { start: address, len };
        ioctl(&self.0, UFFDIO_WAKE, &mut range).map_err(|why| failed(&why, 0))
    }
}

impl AsFd for Userfault {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Nothing being there is no error; nor is a signal, after which whoever waits for it is told of it again.
fn nothing(why: io::Error) -> io::Result<usize> {
    let later = matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
    if later { Ok(0) } else { Err(why) }
}

impl Message {
    const EMPTY: Message =
        Message { event: 0, reserved: [0; 7], flags: 0, address: 0, thread: 0, padding: 0 };

    fn fault(&self) -> Option<Fault> {
        let kind = match self.flags {
            flags if flags & FLAG_WP != 0 => FaultKind::Protected,
            flags if flags & FLAG_MINOR != 0 => FaultKind::Minor,
            _ => FaultKind::Missing,
        };
        (self.event == EVENT_PAGEFAULT).then_some(Fault {
            address: self.address,
            write: self.flags & (FLAG_WRITE | FLAG_WP) != 0,
            kind,
            thread: self.thread.cast_signed(),
        })
    }
}

fn failed(why: &io::Error, done: i64) -> Failed {
    match why.raw_os_error().unwrap_or(0) {
        libc::EAGAIN => Failed::Again(u64::try_from(done).unwrap_or(0)),
        libc::EEXIST => Failed::Exists,
        libc::EFAULT => Failed::Nothing,
        libc::ENOENT | libc::EINVAL => Failed::Gone,
        libc::ESRCH => Failed::Dead,
        libc::ENOSPC => Failed::Full,
        other => Failed::Other(other),
    }
}

fn ioctl<T>(uffd: &OwnedFd, request: libc::Ioctl, argument: &mut T) -> io::Result<()> {
    // SAFETY: every request here takes a pointer to the struct whose size is part of its number.
    let answer = unsafe { libc::ioctl(uffd.as_raw_fd(), request, std::ptr::from_mut(argument)) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    match i32::try_from(fd) {
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn by_device() -> io::Result<OwnedFd> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/userfaultfd")?;
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: the request takes flags by value and returns a descriptor.
    let fd = unsafe { libc::ioctl(device.as_raw_fd(), USERFAULTFD_IOC_NEW, flags) };
    owned(fd.into())
}

fn by_call() -> io::Result<OwnedFd> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    // SAFETY: the system call takes flags by value and returns a descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, flags) };
    owned(fd)
}

#[cfg(test)]
mod tests {
    use super::nothing;
    use std::io::Error;

    #[test]
    fn a_signal_during_a_read_costs_nothing() {
        for later in [libc::EINTR, libc::EAGAIN] {
            assert!(matches!(nothing(Error::from_raw_os_error(later)), Ok(0)));
        }
        assert!(nothing(Error::from_raw_os_error(libc::EBADF)).is_err());
    }
}
