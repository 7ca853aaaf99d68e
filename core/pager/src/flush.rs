//! Flush: dirty file pages are written home, and whoever asked is told when all of them are there.

use crate::state::State;
use crate::wait::{Flush, Waiter};
use crate::{Effects, ObjectNo, Pager, Ticket};
use alloc::vec::Vec;
use mager_policies::{PageNo, Policy};

/// What to flush.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Every file page.
    All,
    /// The pages of one object.
    Object(ObjectNo),
}

impl<P: Policy> Pager<P> {
    /// Writes every page of `what` home that is dirty now, in the order of blocks, and resumes `who` when the last
    /// write is answered: with an error if one failed (its page stays dirty), at once if there is nothing to do.
    pub fn flush(&mut self, what: What, who: Ticket, out: &mut Effects) {
        let object = match what {
            What::All => None,
            What::Object(object) => Some(object),
        };
        let dirty: Vec<PageNo> =
            self.memory.objects.iter(object).filter(|&page| self.unwritten(page)).collect();
        let Ok(pending) = u32::try_from(dirty.len()) else { unreachable!("page numbers are u32") };
        if pending == 0 {
            return self.memory.resume(who, Ok(()), out);
        }
        let slot = self.memory.flushes.add(Flush { who, pending, outcome: Ok(()) });
        for page in dirty {
            if let State::Resident { frame, dirty: true } = self.memory.pages[page].state() {
                self.write_back(page, frame, false, out);
            }
            self.memory.wait(page, Waiter::Flush(slot));
        }
    }

    fn unwritten(&self, page: PageNo) -> bool {
        matches!(
            self.memory.pages[page].state(),
            State::Resident { dirty: true, .. } | State::WritingBack { .. }
        )
    }
}
