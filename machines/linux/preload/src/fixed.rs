//! What a program maps over a part of the arena (MAP_FIXED of mmap(2)): it stays the arena's, with other bytes and rights.

use crate::address::Owner;
use crate::mappings::system;
use crate::start::{Managed, Zones};
use crate::sys;
use mager_linux_client::Error;
use std::ops::Range;

impl Zones {
    /// These bytes, which are all in the zone of `owner`, are mapped, zeros, and can be read and written.
    pub(crate) fn clear(
        &mut self,
        managed: &Managed,
        owner: Owner,
        bytes: &Range<usize>,
    ) -> Result<(), Error> {
        if owner == Owner::Heap {
            return self.heap.clear(managed, bytes);
        }
        let filled = self.or_from_what_is_idle(managed, |mappings| mappings.fill(managed, bytes))?;
        let cleared = self.mappings.guard(bytes, sys::READ_WRITE).map_err(system);
        let cleared = cleared.and_then(|()| self.mappings.discard(managed, bytes));
        if cleared.is_err() {
            filled.iter().try_for_each(|hole| self.mappings.unmap(managed, hole))?;
        }
        cleared
    }

    /// What may be done with them from now on.
    pub(crate) fn guard(&mut self, owner: Owner, bytes: &Range<usize>, rights: i32) -> Result<(), i32> {
        if owner == Owner::Heap { self.heap.guard(bytes, rights) } else { self.mappings.guard(bytes, rights) }
    }
}
