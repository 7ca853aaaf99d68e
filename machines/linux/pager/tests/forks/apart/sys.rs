//! What forking tests ask of the system.

use std::io;

/// Forks, by the C library. 0 in the child.
pub fn fork() -> i32 {
    // SAFETY: the child uses what the C library keeps usable after a fork: memory, threads, system calls.
    unsafe { libc::fork() }
}

/// Registers a function that runs in every child.
pub fn in_children(run: extern "C" fn()) {
    // SAFETY: the function is part of the program.
    assert_eq!(unsafe { libc::pthread_atfork(None, None, Some(run)) }, 0);
}

/// Registers a function that runs in this process after every fork.
pub fn in_parents(run: extern "C" fn()) {
    // SAFETY: the function is part of the program.
    assert_eq!(unsafe { libc::pthread_atfork(None, Some(run), None) }, 0);
}

/// The process ends when the thread that made it does.
pub fn die_with_parent() {
    // SAFETY: the option takes a signal's number.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Orphans below this process become its children.
pub fn adopt_orphans() {
    // SAFETY: the option takes a flag.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }, 0);
}

/// Waits for a child; its status as wait(2) gives it.
pub fn wait(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the status is written to a variable of that type.
    let got = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(got, pid, "waiting for {pid}: {}", io::Error::last_os_error());
    status
}

/// Ends a process or a group (negative) by force.
pub fn kill(pid: i32) {
    // SAFETY: takes numbers only.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// How a word of anybody's memory is read: if need be with a signal.
pub fn peek(address: *const u8) -> u8 {
    // SAFETY: the tests that do this want to see what the kernel makes of it.
    unsafe { address.read_volatile() }
}

/// As [`peek`], for stores.
pub fn poke(address: *mut u8, byte: u8) {
    // SAFETY: as above.
    unsafe { address.write_volatile(byte) };
}

/// Unmaps a part of an arena behind the back of everybody.
pub fn unmap(start: *mut u8, len: usize) {
    // SAFETY: the range is an arena's, about whose bytes the compiler assumes nothing.
    assert_eq!(unsafe { libc::munmap(start.cast(), len) }, 0);
}

/// A second mapping of the file that is mapped here, of which no userfaultfd knows.
pub fn second_mapping(start: *mut u8, len: usize) -> *mut u8 {
    // SAFETY: with an old length of 0 the call makes a new mapping and leaves the old one alone.
    let second = unsafe { libc::mremap(start.cast(), 0, len, libc::MREMAP_MAYMOVE) };
    assert_ne!(second, libc::MAP_FAILED, "mremap: {}", io::Error::last_os_error());
    second.cast()
}

/// Maps memory of the program's own at an address that is free.
pub fn map_over(start: *mut u8, len: usize) {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: nothing is replaced.
    let got = unsafe { libc::mmap(start.cast(), len, rights, flags, -1, 0) };
    assert_ne!(got, libc::MAP_FAILED, "mmap: {}", io::Error::last_os_error());
}

/// Has the kernel read a byte.
pub fn pass_through_a_pipe(byte: *const u8) -> io::Result<()> {
    let (_read, write) = io::pipe()?;
    // SAFETY: the kernel reads the byte, or says that it cannot.
    let written = unsafe { libc::write(std::os::fd::AsRawFd::as_raw_fd(&write), byte.cast(), 1) };
    if written == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A userfaultfd as this crate opens none: it tells of madvise too, and while it has not been read, COPY is answered with
/// EAGAIN.
pub fn talkative_userfault() -> std::os::fd::OwnedFd {
    const EVENT_REMOVE: u64 = 1 << 3;
    const NEEDED: u64 = 1 << 5 | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 14;
    const UFFDIO_API: libc::Ioctl = 0xC018_AA3F_u32 as libc::Ioctl;
    // SAFETY: the call takes flags and gives a descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK) };
    let fd = i32::try_from(fd).expect("a descriptor");
    assert!(fd >= 0, "userfaultfd: {}", io::Error::last_os_error());
    let mut api = [0xAA_u64, EVENT_REMOVE | NEEDED, 0];
    // SAFETY: the request takes a pointer to three words.
    assert_eq!(unsafe { libc::ioctl(fd, UFFDIO_API, api.as_mut_ptr()) }, 0);
    // SAFETY: it was opened here, and nobody else has it.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) }
}

/// The error number, if the kernel does not unmap it.
pub fn try_unmap(start: *mut u8, len: usize) -> Result<(), i32> {
    // SAFETY: nobody has references into the tests' arenas.
    answer(unsafe { libc::munmap(start.cast(), len) })
}

/// The error number, if the kernel does not make it read-only.
pub fn try_protect(start: *mut u8, len: usize) -> Result<(), i32> {
    // SAFETY: as above.
    answer(unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ) })
}

fn answer(answer: i32) -> Result<(), i32> {
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) }
}
