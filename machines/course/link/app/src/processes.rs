//! The C library's names for making processes and waiting for them.

use libc::{c_int, id_t, idtype_t, pid_t, rusage, siginfo_t};
use mager_course_app::{ForkError, Forked, let_others_run};
use std::ptr;

/// `fork`: -1 and ENOMEM when the pager has no room for the child's pages.
#[unsafe(no_mangle)]
pub extern "C" fn fork() -> pid_t {
    match mager_course_app::fork() {
        Ok(Forked::Child) => 0,
        Ok(Forked::Parent(child)) => child,
        Err(ForkError::Refused(_)) => fail(libc::ENOMEM),
        Err(ForkError::System(error)) => fail(error.raw_os_error().unwrap_or(libc::EAGAIN)),
    }
}

/// `wait`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait(status: *mut c_int) -> pid_t {
    // SAFETY: the caller keeps the C library's contract.
    unsafe { wait4(-1, status, 0, ptr::null_mut()) }
}

/// `waitpid`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t {
    // SAFETY: the caller keeps the C library's contract.
    unsafe { wait4(pid, status, options, ptr::null_mut()) }
}

/// `wait3`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait3(status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t {
    // SAFETY: the caller keeps the C library's contract.
    unsafe { wait4(-1, status, options, usage) }
}

/// `wait4`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t {
    let system = |options: c_int| {
        // SAFETY: the caller keeps the C library's contract, which is the system call's.
        let found = unsafe { libc::syscall(libc::SYS_wait4, pid, status, options, usage) };
        pid_t::try_from(found).unwrap_or(-1)
    };
    if options & libc::WNOHANG != 0 {
        return system(options);
    }
    let look = || Some(system(options | libc::WNOHANG)).filter(|&found| found != 0);
    let_others_run(Some(pid).filter(|&pid| pid > 0), look, || system(options))
}

/// `waitid`.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int {
    let mut own = std::mem::MaybeUninit::<siginfo_t>::zeroed();
    let told = if info.is_null() { own.as_mut_ptr() } else { info };
    let system = |options: c_int| {
        let none = ptr::null_mut::<rusage>();
        // SAFETY: `told` is the caller's, who keeps the C library's contract, or local.
        let result = unsafe { libc::syscall(libc::SYS_waitid, kind, id, told, options, none) };
        c_int::try_from(result).unwrap_or(-1)
    };
    if options & libc::WNOHANG != 0 {
        return system(options);
    }
    let look = || {
        // SAFETY: `told` is valid, as above; cleared so that a process id in it is news.
        unsafe { told.write_bytes(0, 1) };
        let result = system(options | libc::WNOHANG);
        // SAFETY: `told` is initialised by now.
        let found = unsafe { &*told };
        // SAFETY: the field is only a number here; it is 0 while no child has changed.
        let news = unsafe { found.si_pid() } != 0;
        (result != 0 || news).then_some(result)
    };
    let child = (kind == libc::P_PID).then(|| pid_t::try_from(id).ok()).flatten();
    let_others_run(child, look, || system(options))
}

fn fail(error: c_int) -> c_int {
    // SAFETY: the C library's errno is always there.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: it is this thread's own.
    unsafe { *errno = error };
    -1
}
