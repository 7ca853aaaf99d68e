//! mmap(2), munmap(2), mprotect(2), mlock(2): large anonymous private mappings are the arena's.

use super::{answer, no_memory, pointer, refused};
use crate::address::{self, Owner, owner};
use crate::start::{Managed, Server, managed, server};
use crate::sys;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Smaller mappings are left alone: they are many, and little. Python takes 256 KiB and more at once for small objects.
const LEAST: usize = 128 << 10;
/// Reservations that are worth a word.
const LARGE: usize = 32 << 20;
pub(super) const PAGE: usize = 4096;
/// No program's addresses reach so far.
const HIGHEST: usize = 1 << 56;

/// What is mapped somewhere for a reason of its own.
const SPECIAL: c_int = libc::MAP_FIXED
    | libc::MAP_FIXED_NOREPLACE
    | libc::MAP_GROWSDOWN
    | libc::MAP_STACK
    | libc::MAP_HUGETLB
    | libc::MAP_LOCKED
    | MAP_32BIT;
#[cfg(target_arch = "x86_64")]
const MAP_32BIT: c_int = libc::MAP_32BIT;
#[cfg(not(target_arch = "x86_64"))]
const MAP_32BIT: c_int = 0;

const PRIVATE_ZEROS: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

/// What mmap is called with.
#[derive(Clone, Copy)]
struct Call {
    address: usize,
    len: usize,
    rights: c_int,
    flags: c_int,
    fd: c_int,
    at: i64,
}

/// Whole pages, of which these bytes are the most; none where no addresses do for them.
pub(super) fn whole(start: usize, len: usize) -> Option<usize> {
    let len = len.checked_next_multiple_of(PAGE)?;
    start.checked_add(len).filter(|&end| end <= HIGHEST).map(|_| len)
}

pub(super) fn failed(errno: c_int) -> *mut c_void {
    sys::set_errno(errno);
    libc::MAP_FAILED
}

/// The part of these addresses that is the mapping zone's, as bytes of the arena.
fn in_zone(managed: &Managed, start: usize, len: usize) -> Option<Range<usize>> {
    let (base, size) = managed.arena.addresses();
    let (base, size) = (sys::word(base), sys::word(size));
    let from = start.max(base + size / 2);
    let to = start.saturating_add(len).min(base + size);
    (from < to).then(|| from - base..to - base)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut c_void,
    len: usize,
    rights: c_int,
    flags: c_int,
    fd: c_int,
    at: i64,
) -> *mut c_void {
    let call = Call { address: address.addr(), len, rights, flags, fd, at };
    // It may be the first that is asked for memory.
    if call.is_ours() && server() == Server::System {
        return call.by_system();
    }
    let Some(managed) = managed() else { return call.by_system() };
    if call.is_over_the_arena() {
        return call.over(managed).map_or_else(failed, |()| address);
    }
    if !call.is_ours() {
        call.tell_if_large();
        return call.by_system();
    }
    match managed.zones(|zones| zones.map(managed, len, 1)) {
        Ok(at) => pointer(sys::word(managed.arena.addresses().0) + at),
        // Reserved without a need for memory: it may be.
        Err(_) if flags & libc::MAP_NORESERVE != 0 => sys::map(call.address, len, rights, flags, fd, 0),
        Err(why) => failed(no_memory(why)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap64(
    address: *mut c_void,
    len: usize,
    rights: c_int,
    flags: c_int,
    fd: c_int,
    at: i64,
) -> *mut c_void {
    // SAFETY: the same function, where offsets have 64 bits.
    unsafe { mmap(address, len, rights, flags, fd, at) }
}

impl Call {
    fn by_system(&self) -> *mut c_void {
        sys::map(self.address, self.len, self.rights, self.flags, self.fd, self.at)
    }

    fn is_ours(&self) -> bool {
        self.len >= LEAST
            && self.rights == sys::READ_WRITE
            && self.flags & (PRIVATE_ZEROS | libc::MAP_SHARED) == PRIVATE_ZEROS
            && self.flags & SPECIAL == 0
    }

    /// Whoever reserves a lot without rights wants to give them piece by piece, some of them to run code: a runtime with a
    /// heap of its own.
    fn tell_if_large(&self) {
        static TOLD: AtomicBool = AtomicBool::new(false);
        let reserves = self.rights == libc::PROT_NONE && self.flags & PRIVATE_ZEROS == PRIVATE_ZEROS;
        if reserves && self.len >= LARGE && !TOLD.swap(true, Ordering::Relaxed) {
            crate::tell::say(&format!(
                "this program reserves {} MiB for a heap of its own making (node, Java and Go do): what it uses of that is \
                 outside the budget",
                self.len >> 20
            ));
        }
    }

    /// What the kernel would map over a part of the arena; where something is there already it may not do so anyway.
    fn is_over_the_arena(&self) -> bool {
        self.flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) == libc::MAP_FIXED
            && self.len > 0
            && address::meets(self.address, self.len)
    }

    /// The pages stay the arena's, and their bytes are changed.
    fn over(&self, managed: &Managed) -> Result<(), c_int> {
        let file = self.flags & libc::MAP_ANONYMOUS == 0;
        if !self.address.is_multiple_of(PAGE)
            || file && !sys::word(self.at.cast_unsigned()).is_multiple_of(PAGE)
        {
            return Err(libc::EINVAL);
        }
        let len = whole(self.address, self.len).ok_or(libc::ENOMEM)?;
        let (owner, bytes) = address::zone(self.address, len).ok_or(libc::ENOMEM)?;
        if self.flags & libc::MAP_TYPE != libc::MAP_PRIVATE {
            return Err(libc::ENOMEM);
        }
        if file {
            sys::can_be_mapped(self.fd)?;
        }
        managed.zones(|zones| zones.clear(managed, owner, &bytes)).map_err(no_memory)?;
        if file {
            sys::read_all(self.fd, self.address, len, self.at)?;
        }
        managed.zones(|zones| zones.guard(owner, &bytes, self.rights))
    }
}

/// Does `zone` with what is the mapping zone's, and `rest` with what lies before and behind it.
pub(super) fn split(
    start: usize,
    len: usize,
    zone: impl FnOnce(&'static Managed, &Range<usize>) -> Result<(), c_int>,
    rest: impl Fn(usize, usize) -> Result<(), c_int>,
) -> c_int {
    let Some((managed, bytes)) = managed().and_then(|managed| Some((managed, in_zone(managed, start, len)?)))
    else {
        return answer(rest(start, len));
    };
    let base = sys::word(managed.arena.addresses().0);
    let parts = [(start, base + bytes.start), (base + bytes.end, start.saturating_add(len))];
    let outside =
        || parts.iter().filter(|(from, to)| from < to).try_for_each(|&(from, to)| rest(from, to - from));
    answer(zone(managed, &bytes).and_then(|()| outside()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(start: *mut c_void, len: usize) -> c_int {
    let Some(len) = whole(start.addr(), len).filter(|&len| len > 0) else { return refused(libc::EINVAL) };
    if !start.addr().is_multiple_of(PAGE) || owner(start.addr()) == Owner::Heap {
        return refused(libc::EINVAL);
    }
    split(
        start.addr(),
        len,
        |managed, bytes| managed.zones(|zones| zones.mappings.unmap(managed, bytes)).map_err(no_memory),
        sys::unmap,
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mprotect(start: *mut c_void, len: usize, rights: c_int) -> c_int {
    let address = start.addr();
    if !address.is_multiple_of(PAGE) {
        return refused(libc::EINVAL);
    }
    let Some(len) = whole(address, len) else { return refused(libc::ENOMEM) };
    if owner(address) == Owner::Heap
        && let Some(managed) = managed()
    {
        return answer(protect_heap(managed, address, len, rights));
    }
    split(
        address,
        len,
        |managed, bytes| managed.zones(|zones| zones.mappings.guard(bytes, rights)),
        |start, len| sys::protect(start, len, rights),
    )
}

/// mimalloc commits so; a program may also guard parts of what it has from malloc.
fn protect_heap(managed: &Managed, address: usize, len: usize, rights: c_int) -> Result<(), c_int> {
    if len == 0 {
        return Ok(());
    }
    let (_, bytes) = address::zone(address, len).ok_or(libc::ENOMEM)?;
    managed.zones(|zones| {
        if rights == sys::READ_WRITE {
            zones.heap.commit(managed, bytes.clone()).map_err(no_memory)?;
        }
        zones.heap.guard(&bytes, rights)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mlock(start: *const c_void, len: usize) -> c_int {
    if owner(start.addr()) != Owner::Elsewhere {
        // What the arena holds may be swapped out, whatever anyone promises.
        return refused(libc::ENOMEM);
    }
    answer(sys::lock(start.addr(), len))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mlockall(flags: c_int) -> c_int {
    if managed().is_some() {
        return refused(libc::ENOMEM);
    }
    super::next!(c"mlockall" as fn(flags: c_int) -> c_int)
}
