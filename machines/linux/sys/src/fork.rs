//! Forks of a client: what runs around them, descriptors that come to mean something else in the child, and the first
//! touch of memory that the child has not been given yet.
//!
//! Sources: pthread_atfork(3), sigaction(2) (SA_SIGINFO, SA_ONSTACK, SA_NODEFER, SA_RESETHAND), dup(2), signal-safety(7).

use crate::signals::{block, none, with};
use rustix::fd::{AsFd, AsRawFd};
use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// What a process does around its forks.
#[derive(Clone, Copy, Debug)]
pub struct AtFork {
    /// In the thread that is about to fork.
    pub before: fn(),
    /// There, when it has forked or failed to.
    pub parent: fn(),
    /// In the child.
    pub child: fn(),
}

static AT_FORK: OnceLock<AtFork> = OnceLock::new();

extern "C" fn before() {
    AT_FORK.get().inspect(|forks| (forks.before)());
}

extern "C" fn parent() {
    AT_FORK.get().inspect(|forks| (forks.parent)());
}

extern "C" fn child() {
    AT_FORK.get().inspect(|forks| (forks.child)());
}

/// Has every fork by the C library run these. The first who asks is obeyed, for good.
pub fn at_fork(forks: AtFork) -> io::Result<()> {
    if AT_FORK.set(forks).is_err() {
        return Ok(());
    }
    // SAFETY: the three are functions of the program, and never unloaded before it.
    match unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) } {
        0 => Ok(()),
        why => Err(io::Error::from_raw_os_error(why)),
    }
}

/// `old` means from now on what `new` means; its number stays the same. Safe in a signal handler.
pub fn replace(old: &impl AsFd, new: &impl AsFd) -> io::Result<()> {
    let (old, new) = (old.as_fd().as_raw_fd(), new.as_fd().as_raw_fd());
    // Past the C library's dup3, in whose place another may stand that keeps the program from doing just this.
    // SAFETY: both are open, and whoever owns `old` goes on owning a descriptor of that number.
    let answer = unsafe { libc::syscall(libc::SYS_dup3, new, old, libc::O_CLOEXEC) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Looks at the address of a bad touch. Whether the touch is worth trying again. Must be safe in a signal handler.
pub type Judge = fn(u64) -> bool;

static JUDGE: OnceLock<Judge> = OnceLock::new();
/// What is done with the others. Actions are never freed: a handler may be reading one.
static FORMER: AtomicPtr<libc::sigaction> = AtomicPtr::new(std::ptr::null_mut());
/// What is done once a handler has been called that was to be called once.
static DEFAULT: libc::sigaction =
    // SAFETY: an action of zeros is one: what the system does by default.
    unsafe { MaybeUninit::zeroed().assume_init() };
/// The thread that is setting the kernel's action for SIGSEGV itself.
static SETTING: AtomicI32 = AtomicI32::new(0);

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// Asks `judge` at every SIGSEGV first; whoever handled it before is called where he says no. The first who asks is
/// obeyed, for good. See [`crate::SignalStack`] for the room he has.
pub fn on_bad_touch(judge: Judge) -> io::Result<()> {
    if JUDGE.set(judge).is_err() {
        return Ok(());
    }
    crate::stack::make_room();
    let mut ours = action(None);
    FORMER.store(Box::into_raw(Box::new(ours)), Ordering::Release);
    ours.sa_sigaction = touched as Handler as libc::sighandler_t;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    ours.sa_mask = none();
    action(Some(&ours));
    Ok(())
}

/// What is done with a SIGSEGV that is not ours, and something new to do with it: for who stands before sigaction(2) of a
/// program that handles SIGSEGV itself. `None`: nobody asked to see bad touches, or the caller is this module, which asks
/// the kernel.
#[must_use]
pub fn handed_on(new: Option<libc::sigaction>) -> Option<libc::sigaction> {
    let former = FORMER.load(Ordering::Acquire);
    if former.is_null() || SETTING.load(Ordering::Relaxed) == thread() {
        return None;
    }
    let former = match new {
        None => former,
        Some(new) => FORMER.swap(Box::into_raw(Box::new(new)), Ordering::AcqRel),
    };
    // SAFETY: what is stored there is never freed.
    Some(unsafe { *former })
}

/// What is to be done with the SIGSEGV that is there now. A handler that is to be called once is for nobody after that.
fn due() -> Option<&'static libc::sigaction> {
    loop {
        let former = FORMER.load(Ordering::Acquire);
        // SAFETY: what is stored there is never freed.
        let action = unsafe { former.as_ref() }?;
        let once = action.sa_flags & libc::SA_RESETHAND != 0 && action.sa_sigaction != libc::SIG_IGN;
        let default = (&raw const DEFAULT).cast_mut();
        if !once || FORMER.compare_exchange(former, default, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return Some(action);
        }
    }
}

fn thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// The present action for SIGSEGV, and a new one in its place.
fn action(new: Option<&libc::sigaction>) -> libc::sigaction {
    let mut old = MaybeUninit::zeroed();
    let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
    SETTING.store(thread(), Ordering::Relaxed);
    // SAFETY: both point to an action or to nothing; the new handler is a function of the program.
    unsafe { libc::sigaction(libc::SIGSEGV, new, old.as_mut_ptr()) };
    SETTING.store(0, Ordering::Relaxed);
    // SAFETY: an action of zeros is one, if the call should not have filled it.
    unsafe { old.assume_init() }
}

extern "C" fn touched(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives a handler with SA_SIGINFO a valid siginfo.
    let info_ref = unsafe { &*info };
    // SAFETY: the union holds an address, as it does for every SIGSEGV.
    let address = unsafe { info_ref.si_addr() } as u64;
    let before = errno();
    let again = JUDGE.get().is_some_and(|judge| judge(address));
    set_errno(before);
    if !again {
        hand_on(signal, info, context);
    }
}

/// Whoever was there before us gets the signal; with nobody there the touch is repeated, and ends the process. What was
/// sent by somebody does not come again by itself.
fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(former) = due() else { return };
    match former.sa_sigaction {
        libc::SIG_IGN if sent(info) => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            let mut plain = *former;
            plain.sa_sigaction = libc::SIG_DFL;
            action(Some(&plain));
            if sent(info) {
                // SAFETY: it takes a number, and the action for it is not ours any more.
                unsafe { libc::raise(signal) };
            }
        }
        _ => call(former, signal, info, context),
    }
}

/// Calls the handler of an action as the kernel would have. What it has blocked meanwhile the kernel opens again when our
/// own handler ends, to what `context` says; who leaves it by siglongjmp restores what was saved before, as ever.
fn call(
    former: &libc::sigaction,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let itself = former.sa_flags & libc::SA_NODEFER == 0;
    block(&if itself { with(signal, former.sa_mask) } else { former.sa_mask });
    if former.sa_flags & libc::SA_SIGINFO != 0 {
        // SAFETY: the flag says that this is the type of the handler that was installed.
        let handler: Handler = unsafe { std::mem::transmute(former.sa_sigaction) };
        handler(signal, info, context);
    } else {
        // SAFETY: without the flag it takes the signal's number only.
        let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(former.sa_sigaction) };
        handler(signal);
    }
}

/// By kill(2) or the like; not by the hardware.
fn sent(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the kernel gave it to the handler.
    unsafe { (*info).si_code <= 0 }
}

fn errno() -> libc::c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn set_errno(number: libc::c_int) {
    // SAFETY: it gives the address of the thread's own errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the address is valid for as long as the thread lives.
    unsafe { place.write(number) };
}
