//! mremap(2): a mapping of the arena gets longer or shorter where it is, or its bytes are copied to where there is room.

use super::mapping::{PAGE, failed, whole};
use super::{no_memory, pointer};
use crate::address::{self, Owner, owner};
use crate::mappings::Mappings;
use crate::start::{Managed, Zones, managed};
use crate::sys;
use std::ffi::{c_int, c_void};
use std::ops::Range;

#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    old: *mut c_void,
    old_len: usize,
    new_len: usize,
    flags: c_int,
    place: *mut c_void,
) -> *mut c_void {
    let address = old.addr();
    if flags & libc::MREMAP_FIXED != 0 && address::meets(place.addr(), new_len) {
        return failed(libc::ENOMEM);
    }
    let Some(managed) = managed().filter(|_| owner(address) != Owner::Elsewhere) else {
        return sys::remap(address, old_len, new_len, flags, place.addr());
    };
    let (Some(old_len), Some(new_len)) = (whole(address, old_len), whole(address, new_len)) else {
        return failed(libc::EINVAL);
    };
    let strange = owner(address) == Owner::Heap || !address.is_multiple_of(PAGE);
    if strange || flags & !libc::MREMAP_MAYMOVE != 0 || old_len == 0 || new_len == 0 {
        return failed(libc::EINVAL);
    }
    match resized(managed, address, old_len, new_len) {
        Ok(true) => old,
        Ok(false) if flags & libc::MREMAP_MAYMOVE == 0 => failed(libc::ENOMEM),
        // SAFETY: the caller has it, and gives it up; all of it is mapped.
        Ok(false) => unsafe { moved(managed, old, old_len, new_len) },
        Err(errno) => failed(errno),
    }
}

/// Whether it is so long now, where it is.
fn resized(managed: &Managed, address: usize, old_len: usize, new_len: usize) -> Result<bool, c_int> {
    let (_, bytes) = address::zone(address, old_len).ok_or(libc::EFAULT)?;
    let stays = bytes.start..bytes.start + old_len.min(new_len);
    managed.zones(|zones| {
        if !zones.mappings.has(&stays) {
            return Err(libc::EFAULT);
        }
        let resize = |mappings: &mut Mappings| mappings.resize(managed, bytes.start, old_len, new_len);
        zones.or_from_what_is_idle(managed, resize).map_err(no_memory)
    })
}

/// # Safety
/// `old` is a mapping of `old_len` bytes in the arena, less than `new_len`.
unsafe fn moved(managed: &Managed, old: *mut c_void, old_len: usize, new_len: usize) -> *mut c_void {
    let from = address::offset(old.addr());
    let moving = match Move::begin(managed, from..from + old_len, new_len) {
        Ok(moving) => moving,
        Err(errno) => return failed(errno),
    };
    let new = pointer(sys::word(managed.arena.addresses().0) + moving.to.start);
    // SAFETY: the old one is the caller's and can be read, the new one nobody else's, both are at least that long.
    unsafe { new.cast::<u8>().copy_from_nonoverlapping(old.cast(), old_len) };
    moving.end(managed).map_or_else(failed, |()| new)
}

/// A mapping on its way to where it has more room. What is not readable is that meanwhile.
struct Move {
    from: Range<usize>,
    to: Range<usize>,
    /// What of it is not readable and writable.
    rights: Vec<(Range<usize>, c_int)>,
}

impl Move {
    fn begin(managed: &Managed, from: Range<usize>, len: usize) -> Result<Self, c_int> {
        managed.zones(|zones| {
            let at = zones.map(managed, len, 1).map_err(no_memory)?;
            let moving = Move { rights: zones.mappings.rights(&from), from, to: at..at + len };
            let closed = moving.rights.iter().filter(|(_, rights)| rights & libc::PROT_READ == 0);
            let opened =
                closed.map(|(part, _)| part).try_for_each(|part| zones.mappings.guard(part, libc::PROT_READ));
            opened.inspect_err(|_| moving.give_up(managed, zones)).map(|()| moving)
        })
    }

    /// The bytes are there: they get the rights they had.
    fn end(self, managed: &Managed) -> Result<(), c_int> {
        managed.zones(|zones| {
            let mut all = self.rights.iter();
            let guarded = all.try_for_each(|(part, rights)| zones.mappings.guard(&self.there(part), *rights));
            guarded.inspect_err(|_| self.give_up(managed, zones))?;
            // The bytes are in their new place, whatever becomes of the old one.
            let _ = zones.mappings.unmap(managed, &self.from);
            Ok(())
        })
    }

    /// Where a part of it comes to be. What is new behind it goes with the last.
    fn there(&self, part: &Range<usize>) -> Range<usize> {
        let start = self.to.start + (part.start - self.from.start);
        if part.end == self.from.end { start..self.to.end } else { start..start + part.len() }
    }

    /// Everything is as it was.
    fn give_up(&self, managed: &Managed, zones: &mut Zones) {
        for (part, rights) in &self.rights {
            let _ = zones.mappings.guard(part, *rights);
        }
        let _ = zones.mappings.unmap(managed, &self.to);
    }
}
