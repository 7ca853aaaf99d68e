//! The one place with unsafe code besides the C functions themselves: what is asked of the kernel, of the C library as it
//! is without us, and of mimalloc.
//!
//! Sources: syscall(2), dlsym(3) (RTLD_NEXT), the C library's `__libc_malloc` family, mimalloc's mimalloc.h.

use libmimalloc_sys as mi;
use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

pub(crate) const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(old: *mut c_void);
    static environ: *const *mut c_char;
}

/// This library's own memory: the C library's, which no arena holds.
struct Own;

#[global_allocator]
static OWN: Own = Own;

// SAFETY: the C library's allocator keeps what it gives until it is given back, and aligns it as it is asked to.
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        if align <= 16 { own_malloc(size).cast() } else { own_memalign(align, size).cast() }
    }

    unsafe fn dealloc(&self, old: *mut u8, _: Layout) {
        // SAFETY: the caller has it from `alloc`.
        unsafe { own_free(old.cast()) };
    }
}

pub(crate) fn own_malloc(size: usize) -> *mut c_void {
    // SAFETY: it takes any size.
    unsafe { __libc_malloc(size) }
}

pub(crate) fn own_calloc(count: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { __libc_calloc(count, size) }
}

pub(crate) fn own_memalign(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above; what is no alignment is refused.
    unsafe { __libc_memalign(align, size) }
}

/// # Safety
/// `old` is the C library's own, or null.
pub(crate) unsafe fn own_realloc(old: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's word.
    unsafe { __libc_realloc(old, size) }
}

/// # Safety
/// `old` is the C library's own, or null.
pub(crate) unsafe fn own_free(old: *mut c_void) {
    // SAFETY: the caller's word.
    unsafe { __libc_free(old) };
}

/// A function of the next library that has one of this name.
pub(crate) struct Next {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Next {
    pub(crate) const fn new(name: &'static CStr) -> Self {
        Next { name, found: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Calls it, if it is there: a function that takes and gives nothing.
    fn call(&self) {
        let found = self.get();
        if !found.is_null() {
            // SAFETY: whoever names it knows that it is of this type.
            let found: extern "C" fn() = unsafe { std::mem::transmute(found) };
            found();
        }
    }

    /// Its address. It is there: the C library has all that are asked for.
    pub(crate) fn get(&self) -> *mut c_void {
        let mut found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            // SAFETY: a name that ends, looked for behind this library.
            found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            self.found.store(found, Ordering::Relaxed);
        }
        found
    }
}

/// Whether the C library knows the environment already.
pub(crate) fn has_environment() -> bool {
    // SAFETY: a pointer that the C library sets once, before constructors run; no program changes it from another thread.
    !unsafe { environ }.is_null()
}

/// The environment of whoever does not say one.
pub(crate) fn environment() -> *const *mut c_char {
    // SAFETY: as above.
    unsafe { environ }
}

pub(crate) fn word(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(crate) fn set_errno(number: i32) {
    // SAFETY: it gives the address of the thread's own errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the address is valid for as long as the thread lives.
    unsafe { place.write(number) };
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)
}

pub(crate) fn thread() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { libc::gettid() }
}

pub(crate) fn process() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { libc::getpid() }
}

pub(crate) fn write_error(text: &str) {
    // SAFETY: the bytes are there, and as many as it says.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// mprotect(2) by the kernel.
pub(crate) fn protect(start: usize, len: usize, rights: i32) -> Result<(), i32> {
    // SAFETY: the range is the arena's, and who changes its rights owns it.
    match unsafe { libc::syscall(libc::SYS_mprotect, start, len, rights) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// fork(3) by the C library.
pub(crate) fn fork() -> c_int {
    static NEXT: Next = Next::new(c"fork");
    // SAFETY: the C library's fork is of this type.
    let fork: extern "C" fn() -> c_int = unsafe { std::mem::transmute(NEXT.get()) };
    fork()
}

/// Where the C library keeps what it knows of the calling thread.
pub(crate) fn words_of_thread() -> usize {
    // SAFETY: it gives the address of the thread's own errno.
    unsafe { libc::__errno_location() }.addr()
}

/// Locks the list of open streams, as the C library does in a fork: but that is when stores are held already, and whoever has
/// the lock may be storing. The one who has it can have it again.
pub(crate) fn lock_streams() {
    static NEXT: Next = Next::new(c"_IO_list_lock");
    NEXT.call();
}

/// The C library makes the lock anew in a child that had other threads.
pub(crate) fn unlock_streams(is_child: bool) {
    static UNLOCK: Next = Next::new(c"_IO_list_unlock");
    static RESET: Next = Next::new(c"_IO_list_resetlock");
    if is_child { RESET.call() } else { UNLOCK.call() }
}

/// `after` runs in both processes.
pub(crate) fn at_fork(before: extern "C" fn(), after: extern "C" fn()) {
    // SAFETY: functions of a library that is never unloaded.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}

/// Numbers of mimalloc's options that its bindings do not name.
const EAGER_COMMIT: mi::mi_option_t = 3;
const PURGE_DELAY: mi::mi_option_t = 15;
/// What it would take from the system at a time once its own is used up, whatever `limit_os_alloc` says.
const ARENA_RESERVE: mi::mi_option_t = 23;

/// `len` bytes from `base` on are all that mimalloc has. Committing them is asked of `mprotect`, and giving them back of
/// `madvise`: of ours.
pub(crate) fn give_to_allocator(base: usize, len: usize) {
    let choices =
        [(mi::mi_option_limit_os_alloc, 1), (ARENA_RESERVE, 0), (EAGER_COMMIT, 0), (PURGE_DELAY, 10)];
    for (option, value) in choices {
        // SAFETY: an option and its value.
        unsafe { mi::mi_option_set(option, value) };
    }
    let start = std::ptr::with_exposed_provenance_mut(base);
    // SAFETY: the range is the arena's, for mimalloc alone; it is not committed, and zeros once it is.
    let taken = unsafe {
        mi::mi_manage_os_memory_ex(start, len, false, false, true, -1, false, std::ptr::null_mut())
    };
    if !taken {
        crate::tell::give_up("the arena is too small for a heap");
    }
}

fn done(answer: libc::c_long) -> Result<(), i32> {
    if answer == 0 { Ok(()) } else { Err(errno()) }
}

fn mapped(answer: libc::c_long) -> *mut c_void {
    // The C library's syscall(2) has set errno, and -1 is MAP_FAILED.
    std::ptr::with_exposed_provenance_mut(word(answer.cast_unsigned()))
}

/// mmap(2) by the kernel.
pub(crate) fn map(address: usize, len: usize, rights: i32, flags: i32, fd: i32, at: i64) -> *mut c_void {
    // SAFETY: the caller of mmap has chosen them; what is ours is not among the addresses.
    mapped(unsafe { libc::syscall(libc::SYS_mmap, address, len, rights, flags, fd, at) })
}

/// mremap(2) by the kernel.
pub(crate) fn remap(old: usize, old_len: usize, new_len: usize, flags: i32, place: usize) -> *mut c_void {
    // SAFETY: as above.
    mapped(unsafe { libc::syscall(libc::SYS_mremap, old, old_len, new_len, flags, place) })
}

/// munmap(2) by the kernel.
pub(crate) fn unmap(start: usize, len: usize) -> Result<(), i32> {
    // SAFETY: as above.
    done(unsafe { libc::syscall(libc::SYS_munmap, start, len) })
}

/// madvise(2) by the kernel.
pub(crate) fn advise(start: usize, len: usize, advice: i32) -> Result<(), i32> {
    // SAFETY: as above.
    done(unsafe { libc::syscall(libc::SYS_madvise, start, len, advice) })
}

/// mlock(2) by the kernel.
pub(crate) fn lock(start: usize, len: usize) -> Result<(), i32> {
    // SAFETY: as above.
    done(unsafe { libc::syscall(libc::SYS_mlock, start, len) })
}

/// close_range(2) by the kernel.
pub(crate) fn close_range(first: u32, last: u32, flags: i32) -> Result<(), i32> {
    // SAFETY: the caller of close_range has chosen them; ours are not among them.
    done(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) })
}

/// Whether a file can be mapped: why not. It is a file that can be read, and that has places.
pub(crate) fn can_be_mapped(fd: i32) -> Result<(), i32> {
    // SAFETY: it asks about a number, of whatever.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    if flags < 0 || flags & libc::O_PATH != 0 {
        return Err(libc::EBADF);
    }
    if flags & libc::O_ACCMODE == libc::O_WRONLY {
        return Err(libc::EACCES);
    }
    let mut byte = 0_u8;
    read_all(fd, (&raw mut byte).expose_provenance(), 1, 0).map_err(|_| libc::ENODEV)
}

/// Reads `len` bytes of a file, from `at` on, to `address`; what lies behind its end stays as it is.
pub(crate) fn read_all(fd: i32, address: usize, len: usize, at: i64) -> Result<(), i32> {
    let mut got = 0;
    while got < len {
        let place = std::ptr::with_exposed_provenance_mut(address + got);
        let from = at.saturating_add(i64::try_from(got).unwrap_or(i64::MAX));
        // SAFETY: the bytes are the mapping's that the caller of mmap has asked for.
        match usize::try_from(unsafe { libc::pread(fd, place, len - got, from) }) {
            Ok(0) => return Ok(()),
            Ok(more) => got += more,
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return Err(errno()),
        }
    }
    Ok(())
}
