//! What the core names those by that wait: a fault, and a flush that a connection waits for.
//!
//! ```text
//! bit 63   62 .. 53   52 ..                                            .. 0
//! 0        thread     the arena's generation | 14 of its slot | page            a fault
//! 1        connection                                                           a flush
//! ```
//! The page has as many bits as the pages of an arena need, the generation what is left. A stale ticket wakes a thread too
//! many, which does no harm, or denies a page, which would: so it is told from the arena that has the slot now.

use mager_pager::{ArenaId, Site, Ticket, VirtPage};

const FLUSH: u64 = 1 << 63;
const THREAD_SHIFT: u32 = 53;
const SLOT_BITS: u32 = 14;
/// Arenas that tickets can tell apart.
pub(crate) const MOST_ARENAS: u32 = 1 << SLOT_BITS;

/// How the tickets of faults are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tickets {
    page_bits: u32,
}

impl Tickets {
    /// For arenas of so many pages.
    pub(crate) fn new(arena_pages: u32) -> Self {
        Tickets { page_bits: u32::BITS - arena_pages.saturating_sub(1).leading_zeros() }
    }

    /// The ticket of a fault at `at`, by the thread in this slot.
    pub(crate) fn fault(self, at: Site, thread: u16) -> Ticket {
        let page = u64::from(at.page.0) & low(self.page_bits);
        Ticket(u64::from(thread) << THREAD_SHIFT & !FLUSH | self.arena(at.arena) << self.page_bits | page)
    }

    /// Where that was, if this arena, which has its slot now, is the one.
    pub(crate) fn site(self, who: Ticket, in_slot: impl Fn(usize) -> Option<ArenaId>) -> Option<Site> {
        let bits = (who.0 & low(THREAD_SHIFT)) >> self.page_bits;
        let slot = usize::try_from(bits & low(SLOT_BITS)).ok()?;
        let page = u32::try_from(who.0 & low(self.page_bits)).ok()?;
        let arena = in_slot(slot).filter(|&arena| self.arena(arena) == bits)?;
        Some(Site { arena, page: VirtPage(page) })
    }

    fn arena(self, arena: ArenaId) -> u64 {
        let age = u64::from(arena.generation) & low(THREAD_SHIFT - SLOT_BITS - self.page_bits);
        age << SLOT_BITS | u64::from(arena.slot) & low(SLOT_BITS)
    }
}

fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The thread slot of a fault's ticket.
pub(crate) fn thread_of(who: Ticket) -> u16 {
    u16::try_from(who.0 >> THREAD_SHIFT & 0x3FF).unwrap_or(0)
}

/// The ticket of a flush that connection `client` waits for.
pub(crate) fn flush_ticket(client: u64) -> Ticket {
    Ticket(FLUSH | client)
}

/// The connection that waits for a flush.
pub(crate) fn flusher(who: Ticket) -> Option<u64> {
    (who.0 & FLUSH != 0).then_some(who.0 & !FLUSH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(slot: u32, generation: u32) -> ArenaId {
        ArenaId { slot, generation }
    }

    #[test]
    fn a_fault_is_found_again_whatever_the_size_of_an_arena() {
        for pages in [1, 2, 1 << 24, (1 << 24) + 1, 1 << 31] {
            let tickets = Tickets::new(pages);
            let at = Site { arena: arena(MOST_ARENAS - 1, 255), page: VirtPage(pages - 1) };
            let who = tickets.fault(at, 1023);
            assert_eq!(tickets.site(who, |_| Some(at.arena)), Some(at), "{pages} pages");
            assert_eq!((thread_of(who), flusher(who)), (1023, None));
        }
    }

    #[test]
    fn a_later_arena_in_the_slot_is_another() {
        // 64 GiB in pages of 4 KiB leave 15 bits.
        let (tickets, at) = (Tickets::new(1 << 24), Site { arena: arena(3, 7), page: VirtPage(9) });
        let who = tickets.fault(at, 1);
        for later in [1, 256, (1 << 15) - 1] {
            assert_eq!(tickets.site(who, |_| Some(arena(3, 7 + later))), None, "{later} arenas later");
        }
        assert_eq!(tickets.site(who, |_| None), None);
    }
}
