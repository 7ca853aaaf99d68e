//! All of the library's unsafe: descriptors by number, mappings in the arena, signals, fork, bytes of pages.

use crate::trap::{Verdict, trapped};
use mager_course_abi::{ARENA_BASE, ARENA_PAGES, PAGE_SIZE, arena_page};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// The connection to the host, and physical memory; owned by this process until it ends.
static SOCKET: AtomicI32 = AtomicI32::new(-1);
static MEMORY: AtomicI32 = AtomicI32::new(-1);
/// What handled SIGSEGV before: a leaked `sigaction`.
static FORMER: AtomicUsize = AtomicUsize::new(0);

/// Keeps the connection and physical memory for the rest of the process's life.
pub(crate) fn keep(socket: OwnedFd, memory: OwnedFd) {
    SOCKET.store(socket.as_raw_fd(), Ordering::Relaxed);
    MEMORY.store(memory.as_raw_fd(), Ordering::Relaxed);
    std::mem::forget((socket, memory));
}

/// The connection. After `keep`; else every use fails with EBADF.
pub(crate) fn socket() -> BorrowedFd<'static> {
    let number = SOCKET.load(Ordering::Relaxed).max(0);
    // SAFETY: `keep` took the descriptor for ever. If the program closes it, calls fail with EBADF.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Replaces the connection by another one, under the same number.
pub(crate) fn replace_socket(by: &OwnedFd) -> bool {
    let number = SOCKET.load(Ordering::Relaxed);
    // SAFETY: the number is the connection's, which nobody else in this process uses.
    let result = unsafe { libc::dup3(by.as_raw_fd(), number, libc::O_CLOEXEC) };
    result == number
}

pub(crate) fn standard_error() -> BorrowedFd<'static> {
    // SAFETY: the number 2 is standard error's by convention; if it is closed, calls fail with EBADF.
    unsafe { BorrowedFd::borrow_raw(2) }
}

/// Takes the arena's addresses; fails if something is there.
///
/// AddressSanitizer is: with the options this library asks of it, it lays the shadow of its shadow gap over them.
/// That part of it would describe other addresses of the gap, which nobody uses, so the arena may replace it.
pub(crate) fn reserve_arena() -> io::Result<()> {
    let place = if sanitized() { MapFlags::FIXED } else { MapFlags::FIXED_NOREPLACE };
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | place;
    let (start, bytes) = (at(0), ARENA_PAGES * PAGE_SIZE);
    // Readable for a moment: valgrind takes what never was for out of bounds, and would tell of every first access.
    // SAFETY: FIXED_NOREPLACE disturbs no mapping that exists; what FIXED replaces is unused, as said above.
    unsafe { mmap_anonymous(start, bytes, ProtFlags::READ, flags) }?;
    // SAFETY: these are the addresses just taken.
    unsafe { mprotect(start, bytes, MprotectFlags::empty()) }?;
    Ok(())
}

/// Is this program built with AddressSanitizer?
fn sanitized() -> bool {
    // SAFETY: looks a name up among those loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__asan_init".as_ptr()) };
    !found.is_null()
}

/// Shows `frame` of physical memory at a page of the arena.
pub(crate) fn map_frame(page: u32, frame: u32, write: bool) -> rustix::io::Result<()> {
    let access = if write { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
    let flags = MapFlags::SHARED | MapFlags::FIXED;
    // SAFETY: `keep` took the descriptor for ever.
    let memory = unsafe { BorrowedFd::borrow_raw(MEMORY.load(Ordering::Relaxed).max(0)) };
    let offset = u64::from(frame) * PAGE_SIZE as u64;
    // SAFETY: the page lies in the arena, which `reserve_arena` took for this purpose.
    unsafe { mmap(at(page), PAGE_SIZE, access, flags, memory, offset) }?;
    Ok(())
}

/// Changes the rights to a page of the arena.
pub(crate) fn protect(page: u32, access: MprotectFlags) -> rustix::io::Result<()> {
    // SAFETY: the page lies in the arena, which is this library's.
    unsafe { mprotect(at(page), PAGE_SIZE, access) }
}

fn at(page: u32) -> *mut c_void {
    assert!((page as usize) < ARENA_PAGES, "a page lies outside the arena");
    ptr::with_exposed_provenance_mut(ARENA_BASE + page as usize * PAGE_SIZE)
}

/// Reads a byte of the arena; `address` must lie in it.
pub(crate) fn read_byte(address: usize) -> u8 {
    assert!(arena_page(address).is_some(), "an address lies outside the arena");
    // SAFETY: the arena is mapped; an access without the right traps, and is then granted or ends the process.
    unsafe { ptr::read_volatile(ptr::with_exposed_provenance(address)) }
}

/// Writes a byte of the arena; `address` must lie in it.
pub(crate) fn write_byte(address: usize, byte: u8) {
    assert!(arena_page(address).is_some(), "an address lies outside the arena");
    // SAFETY: as for `read_byte`; no reference to arena bytes exists anywhere in this crate.
    unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut(address), byte) }
}

/// Installs the trap handler, on a stack of its own.
pub(crate) fn catch_traps() -> io::Result<()> {
    alternate_stack()?;
    let mut action = default_action();
    action.sa_sigaction = segv as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // Everything else waits: nothing of this program runs while another one has its turn.
    action.sa_mask = all_signals();
    let former: &'static mut libc::sigaction = Box::leak(Box::new(default_action()));
    FORMER.store((&raw mut *former).expose_provenance(), Ordering::Relaxed);
    // SAFETY: `segv` does only what a signal handler may: system calls and reads of atomics.
    match unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, former) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn default_action() -> libc::sigaction {
    // SAFETY: all zeros is a valid sigaction: the default handler, no flags, an empty mask.
    unsafe { std::mem::zeroed() }
}

fn all_signals() -> libc::sigset_t {
    // SAFETY: all zeros is a valid signal set, the empty one.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a valid set.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}

/// The handler's stack, since the ordinary one may be used up, or be where the access failed.
#[repr(align(4096))]
struct HandlerStack(UnsafeCell<[u8; HANDLER_STACK_BYTES]>);

const HANDLER_STACK_BYTES: usize = 64 * 1024;

// SAFETY: Rust code never looks at these bytes; only the kernel and the handlers it starts use them as a stack.
unsafe impl Sync for HandlerStack {}

static HANDLER_STACK: HandlerStack = HandlerStack(UnsafeCell::new([0; HANDLER_STACK_BYTES]));

fn alternate_stack() -> io::Result<()> {
    let bottom = HANDLER_STACK.0.get().cast();
    let stack = libc::stack_t { ss_sp: bottom, ss_flags: 0, ss_size: HANDLER_STACK_BYTES };
    // SAFETY: the stack is a static, so it outlives every handler that may run on it.
    match unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// SIGSEGV: an access to the arena is the pager's business, any other is none of ours.
extern "C" fn segv(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let info = unsafe { &*info };
    // SAFETY: the field is only a number here, whatever the signal.
    let address = unsafe { info.si_addr() }.addr();
    if info.si_code <= 0 || arena_page(address).is_none() {
        return pass_on(signal, info.si_code <= 0);
    }
    match trapped(address, is_write(context)) {
        Verdict::Retry => {}
        Verdict::Die => {
            mager_bad_access();
            restore(signal, &default_action());
        }
    }
}

/// Does nothing, before an access that nobody can grant is repeated for the last time: a place for a breakpoint, since
/// debuggers let the SIGSEGV of other accesses pass.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn mager_bad_access() {
    std::hint::black_box(());
}

/// Bit 1 of the page-fault error code: the access was a write.
fn is_write(context: *mut c_void) -> bool {
    // SAFETY: the kernel passes a valid ucontext to an SA_SIGINFO handler.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    context.uc_mcontext.gregs[libc::REG_ERR as usize] & 2 != 0
}

/// Gives SIGSEGV back to whoever had it before; returning repeats the access, unless somebody `sent` the signal.
fn pass_on(signal: i32, sent: bool) {
    // SAFETY: `catch_traps` leaked the sigaction at this address before it installed the handler.
    let former = unsafe { &*ptr::with_exposed_provenance::<libc::sigaction>(FORMER.load(Ordering::Relaxed)) };
    mager_bad_access();
    restore(signal, former);
    if sent {
        // SAFETY: raise may be called in a handler; the signal is blocked until the handler returns.
        unsafe { libc::raise(signal) };
    }
}

fn restore(signal: i32, action: &libc::sigaction) {
    // SAFETY: `action` is the default or what sigaction gave for this signal.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

/// Runs `body` with all signals held back that can be, so that no handler runs out of turn.
pub(crate) fn undisturbed<R>(body: impl FnOnce() -> R) -> R {
    let (all, mut former) = (all_signals(), all_signals());
    // SAFETY: both sets are valid.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut former) };
    let result = body();
    // SAFETY: `former` is what pthread_sigmask gave.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const former, ptr::null_mut()) };
    result
}

unsafe extern "C" {
    /// The C library's own fork, by the name that a program's `fork` does not hide.
    fn __fork() -> libc::pid_t;
}

/// Forks as the C library does: 0 in the child.
pub(crate) fn fork() -> io::Result<i32> {
    // SAFETY: the child goes on with this thread alone, as after every fork; this crate holds no locks.
    match unsafe { __fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid),
    }
}

/// Ends the process without running anything of the program's.
pub(crate) fn exit_at_once(status: i32) -> ! {
    // SAFETY: _exit may be called at any time.
    unsafe { libc::_exit(status) }
}

/// Tells programs this one will become, or start, where the host is.
pub(crate) fn set_environment(name: &str, value: &std::path::Path) {
    // SAFETY: called once, while the process starts and has one thread.
    unsafe { std::env::set_var(name, value) }
}
