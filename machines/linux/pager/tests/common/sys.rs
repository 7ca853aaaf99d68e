//! Raw access to an arena's words, as a program would have it.

use mager_linux_client::Arena;
use mager_linux_sys::Window;
use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The word at the start of a page that is mapped.
pub fn load(arena: &Arena, page: u32) -> u64 {
    load_at(arena.pointer(page).cast())
}

/// Stores to the word at the start of a page that is mapped.
pub fn store(arena: &Arena, page: u32, word: u64) {
    store_at(arena.pointer(page).cast(), word);
}

/// A word of a page that is mapped.
pub fn load_at(address: *const u64) -> u64 {
    // SAFETY: tests touch mapped pages only, each word from one thread at a time.
    unsafe { address.read_volatile() }
}

/// Stores to a word of a page that is mapped.
pub fn store_at(address: *mut u64, word: u64) {
    // SAFETY: as above.
    unsafe { address.write_volatile(word) }
}

/// Stores a word to an address of a window.
pub fn poke(window: &Window, offset: u64, word: u64) {
    assert!(offset + 8 <= window.len() && offset.is_multiple_of(8));
    // SAFETY: the word lies in the window, which is mapped, and no reference into it exists.
    unsafe { window.pointer(offset).cast::<u64>().write_volatile(word) }
}

/// The word at an address of a window.
pub fn peek(window: &Window, offset: u64) -> u64 {
    assert!(offset + 8 <= window.len() && offset.is_multiple_of(8));
    // SAFETY: as above.
    unsafe { window.pointer(offset).cast::<u64>().read_volatile() }
}

/// Stores to pages of a window, one after the other.
pub fn fill(window: &Window, from: u64, pages: u64) {
    (from..from + pages).for_each(|page| poke(window, page * 4096, page + 1));
}

/// madvise(2).
pub fn advise(start: *mut u8, len: usize, advice: i32) -> std::io::Result<()> {
    // SAFETY: the range is an arena's, about whose bytes the compiler assumes nothing.
    let answer = unsafe { libc::madvise(start.cast(), len, advice) };
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Touches everything by the kernel's own hand, without a signal where that fails.
pub fn populate(window: &Window, len: u64) {
    let len = usize::try_from(len).expect("a length");
    for advice in [libc::MADV_POPULATE_READ, libc::MADV_POPULATE_WRITE] {
        for page in 0..len / 4096 {
            let at = window.pointer(page as u64 * 4096);
            // SAFETY: the page is part of the window; the advice changes no bytes that anybody relies on.
            let _ = unsafe { libc::madvise(at.cast(), 4096, advice) };
        }
    }
}

/// Whether the kernel can read a word there; where a signal would come, it says no.
pub fn readable(window: &Window, offset: u64) -> bool {
    assert!(offset + 8 <= window.len());
    let (read, write) = rustix::pipe::pipe().expect("a pipe");
    // SAFETY: the kernel checks the address, which lies in the window, and says EFAULT where nothing is to be had.
    let wrote = unsafe { libc::write(write.as_raw_fd(), window.pointer(offset).cast(), 8) };
    drop(read);
    wrote == 8
}

#[repr(C)]
struct Words<const N: usize>([u64; N]);

fn ioctl<const N: usize>(uffd: &OwnedFd, request: u64, words: &mut Words<N>) -> std::io::Result<()> {
    // SAFETY: the requests used here take so many words.
    let answer = unsafe { libc::ioctl(uffd.as_raw_fd(), request as libc::Ioctl, std::ptr::from_mut(words)) };
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// A userfaultfd that tells of mappings that go, besides faults.
pub fn talkative() -> std::io::Result<OwnedFd> {
    // SAFETY: the system call takes flags by value and returns a descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK) };
    let fd = i32::try_from(fd).ok().filter(|&fd| fd >= 0).ok_or_else(std::io::Error::last_os_error)?;
    // SAFETY: the kernel has just given us this descriptor.
    let uffd = unsafe { OwnedFd::from_raw_fd(fd) };
    const API: u64 = 0xC018_AA3F;
    const EVENT_UNMAP: u64 = 1 << 6;
    ioctl(&uffd, API, &mut Words([0xAA, EVENT_UNMAP, 0]))?;
    Ok(uffd)
}

/// Loads and stores by the kernel's hand, which says so where a page is denied; nobody gets a signal.
#[derive(Debug)]
pub struct Teller(OwnedFd);

impl Teller {
    pub fn new() -> Self {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        Teller(rustix::fs::memfd_create("mager-test-teller", flags).expect("a file"))
    }

    /// The word at `at` in a page that is mapped; `None`: it is denied.
    pub fn load(&self, arena: &Arena, page: u32, at: u64) -> Option<u64> {
        let from = arena.pointer(page).wrapping_add(usize::try_from(at).expect("within a page"));
        // SAFETY: the kernel reads eight bytes there, or says EFAULT.
        let wrote = unsafe { libc::pwrite(self.0.as_raw_fd(), from.cast(), 8, 0) };
        let mut word = [0; 8];
        let read = (wrote == 8).then(|| rustix::io::pread(&self.0, &mut word, 0));
        matches!(read, Some(Ok(8))).then(|| u64::from_ne_bytes(word))
    }

    /// Whether the word could be stored.
    pub fn store(&self, arena: &Arena, page: u32, at: u64, word: u64) -> bool {
        let to = arena.pointer(page).wrapping_add(usize::try_from(at).expect("within a page"));
        rustix::io::pwrite(&self.0, &word.to_ne_bytes(), 0).expect("eight bytes");
        // SAFETY: the kernel writes eight bytes there, to memory that nobody has a reference into, or says EFAULT.
        let read = unsafe { libc::pread(self.0.as_raw_fd(), to.cast(), 8, 0) };
        read == 8
    }
}

/// Forks, by the C library. 0 in the child.
pub fn fork() -> i32 {
    // SAFETY: the child uses what the C library keeps usable after a fork: memory, threads, system calls.
    unsafe { libc::fork() }
}

/// The process ends when the thread of `parent` that made it does; at once, if that has happened already.
pub fn die_with(parent: u32) {
    // SAFETY: the option takes a signal's number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if std::os::unix::process::parent_id() != parent {
        mager_linux_sys::exit_now(0);
    }
}

/// Waits for a child; its status as wait(2) gives it.
pub fn wait(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the status is written to a variable of that type.
    let got = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(got, pid, "waiting for {pid}: {}", std::io::Error::last_os_error());
    status
}

/// From now on SIGBUS ends the process with this status.
pub fn exit_on_bus_error(status: i32) {
    static STATUS: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);
    extern "C" fn end(_: i32) {
        mager_linux_sys::exit_now(STATUS.load(std::sync::atomic::Ordering::Relaxed));
    }
    STATUS.store(status, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: the handler does nothing but end the process.
    unsafe { libc::signal(libc::SIGBUS, end as extern "C" fn(i32) as libc::sighandler_t) };
}
