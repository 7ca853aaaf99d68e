//! All of the host's unsafe: the mapping of physical memory, and signal handlers.

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// A shared mapping of a file, at an address of the kernel's choice.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: *mut c_void,
    bytes: usize,
}

impl Mapping {
    pub(crate) fn shared(file: BorrowedFd<'_>, bytes: usize) -> io::Result<Mapping> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice disturbs no other memory.
        let base = unsafe { mmap(ptr::null_mut(), bytes, access, MapFlags::SHARED, file, 0) }?;
        Ok(Mapping { base, bytes })
    }

    pub(crate) fn address(&self) -> usize {
        self.base.expose_provenance()
    }

    pub(crate) fn fill(&mut self, at: usize, bytes: usize, with: u8) {
        let start = self.at(at, bytes);
        // SAFETY: `at` has checked that these bytes lie in the mapping, which is writable.
        unsafe { ptr::write_bytes(start, with, bytes) }
    }

    pub(crate) fn copy(&mut self, from: usize, to: usize, bytes: usize) {
        let (from, to) = (self.at(from, bytes), self.at(to, bytes));
        // SAFETY: `at` has checked both; `copy` allows any overlap.
        unsafe { ptr::copy(from, to, bytes) }
    }

    pub(crate) fn byte(&self, at: usize) -> u8 {
        let byte = self.at(at, 1);
        // SAFETY: `at` has checked the place; volatile, since other processes write here while they run.
        unsafe { ptr::read_volatile(byte) }
    }

    pub(crate) fn slice_mut(&mut self, at: usize, bytes: usize) -> &mut [u8] {
        let start = self.at(at, bytes);
        // SAFETY: `at` has checked the place; `&mut self` excludes others here, and no application runs during a
        // call to the pager, so nobody else writes while the slice lives.
        unsafe { std::slice::from_raw_parts_mut(start, bytes) }
    }

    fn at(&self, at: usize, bytes: usize) -> *mut u8 {
        assert!(at <= self.bytes && bytes <= self.bytes - at, "an access lies outside physical memory");
        self.base.cast::<u8>().wrapping_add(at)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and, with its last handle, unused.
        let _ = unsafe { munmap(self.base, self.bytes) };
    }
}

/// The write end of the pipe into which the handler for wanted signals writes.
static WANTED: AtomicI32 = AtomicI32::new(-1);
/// The write end of the pipe into which the handler for crashes writes.
static CRASHED: AtomicI32 = AtomicI32::new(-1);
/// The read end of the pipe at which a crashed thread waits until it may go on dying.
static BURIED: AtomicI32 = AtomicI32::new(-1);
/// The address whose access crashed.
static CRASH_ADDRESS: AtomicUsize = AtomicUsize::new(0);

const CRASHES: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

/// Signal handlers; the former ones return with the drop.
pub(crate) struct Handlers {
    former: Vec<(i32, libc::sigaction)>,
}

impl Handlers {
    /// Has the number of every one of `signals` written into `pipe`, as a byte.
    pub(crate) fn report(signals: &[i32], pipe: &OwnedFd) -> io::Result<Handlers> {
        WANTED.store(pipe.as_raw_fd(), Ordering::Relaxed);
        let action = new_action(wanted as *const () as usize, libc::SA_RESTART);
        install(signals, &action)
    }

    /// Has a crash reported into `pipe` and the crashed thread wait for a byte from `burial`, then die of it.
    pub(crate) fn hold_crashes(pipe: &OwnedFd, burial: &OwnedFd) -> io::Result<Handlers> {
        CRASHED.store(pipe.as_raw_fd(), Ordering::Relaxed);
        BURIED.store(burial.as_raw_fd(), Ordering::Relaxed);
        alternate_stack()?;
        let flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
        let action = new_action(crashed as *const () as usize, flags);
        let handlers = install(&CRASHES, &action)?;
        remember_former(&handlers);
        Ok(handlers)
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, former) in &self.former {
            // SAFETY: `former` is what sigaction gave for this signal.
            unsafe { libc::sigaction(*signal, former, ptr::null_mut()) };
        }
    }
}

/// The address of the last crash.
pub(crate) fn crash_address() -> usize {
    CRASH_ADDRESS.load(Ordering::Relaxed)
}

/// Ends the process at once: no destructors of a pager that may hold its locks for ever.
pub(crate) fn end_process(status: i32) -> ! {
    // SAFETY: _exit may be called at any time.
    unsafe { libc::_exit(status) }
}

fn new_action(handler: usize, flags: i32) -> libc::sigaction {
    // SAFETY: all zeros is a valid sigaction: default handler, no flags, empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    action
}

fn install(signals: &[i32], action: &libc::sigaction) -> io::Result<Handlers> {
    let mut handlers = Handlers { former: Vec::new() };
    for &signal in signals {
        let mut former = new_action(libc::SIG_DFL, 0);
        // SAFETY: `action` names a handler of this file that does only what a signal handler may.
        if unsafe { libc::sigaction(signal, action, &raw mut former) } != 0 {
            return Err(io::Error::last_os_error());
        }
        handlers.former.push((signal, former));
    }
    Ok(handlers)
}

/// The handler's stack, since an endless recursion has used up the ordinary one.
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

/// A signal the host obeys: passed on as a byte.
extern "C" fn wanted(signal: i32) {
    write_byte(WANTED.load(Ordering::Relaxed), signal);
}

/// What handled crashes before (AddressSanitizer, say): it has the last word.
static FORMER: [AtomicUsize; CRASHES.len()] = [const { AtomicUsize::new(0) }; CRASHES.len()];

fn remember_former(handlers: &Handlers) {
    for (slot, (_, former)) in FORMER.iter().zip(&handlers.former) {
        let former: &'static mut libc::sigaction = Box::leak(Box::new(*former));
        slot.store((&raw mut *former).expose_provenance(), Ordering::Relaxed);
    }
}

/// A crash: the watch tells the story and cleans up, then the signal takes its course.
extern "C" fn crashed(signal: i32, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let info = unsafe { &*info };
    // SAFETY: the field is only a number here, whatever the signal.
    let address = unsafe { info.si_addr() };
    CRASH_ADDRESS.store(address.addr(), Ordering::Relaxed);
    write_byte(CRASHED.load(Ordering::Relaxed), signal);
    let mut byte = 0_u8;
    // SAFETY: reads one byte into a local variable.
    unsafe { libc::read(BURIED.load(Ordering::Relaxed), (&raw mut byte).cast(), 1) };
    let Some(at) = CRASHES.iter().position(|&crash| crash == signal) else { return };
    let former = ptr::with_exposed_provenance::<libc::sigaction>(FORMER[at].load(Ordering::Relaxed));
    // SAFETY: `former` was leaked by `remember_former` and holds what sigaction gave for this signal. Returning
    // from here repeats the crash, which then is the former handler's.
    unsafe { libc::sigaction(signal, former, ptr::null_mut()) };
}

fn write_byte(pipe: i32, byte: i32) {
    let byte = u8::try_from(byte).unwrap_or(0);
    // SAFETY: writes one byte from a local variable; write may be called in a signal handler.
    unsafe { libc::write(pipe, (&raw const byte).cast(), 1) };
}
