//! Pages whose stores are to fault, protected together: each call interrupts whoever runs with the arena, and takes a lock
//! that faults take. A fork protects everything an arena holds.

use crate::arenas::Arenas;
use mager_linux_sys::Userfault;
use mager_pager::{Site, VirtPage};

/// Sites to be protected before the step is over, and before anything that relies on it.
#[derive(Debug, Default)]
pub(crate) struct Lowering(Vec<Site>);

impl Lowering {
    #[inline]
    pub(crate) fn push(&mut self, at: Site) {
        self.0.push(at);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Protects all of them.
    pub(crate) fn carry_out(&mut self, arenas: &Arenas, page_size: u64) {
        self.0.sort_unstable();
        self.0.dedup();
        let mut rest = &self.0[..];
        while let Some(&first) = rest.first() {
            let count = rest.iter().zip(0..).take_while(|&(&at, by)| at == after(first, by)).count();
            if let Some((uffd, address)) = arenas.address(first, page_size) {
                protect(uffd, address, count as u64, page_size);
            }
            rest = &rest[count..];
        }
        self.0.clear();
    }
}

/// Fails where something else is mapped that the client has put there, or nothing is; but what lies behind it in the run has
/// to be protected, too.
fn protect(uffd: &Userfault, address: u64, pages: u64, page_size: u64) {
    if uffd.protect(address, pages * page_size).is_err() && pages > 1 {
        let half = pages / 2;
        protect(uffd, address, half, page_size);
        protect(uffd, address + half * page_size, pages - half, page_size);
    }
}

fn after(first: Site, by: u32) -> Site {
    Site { page: VirtPage(first.page.0.saturating_add(by)), ..first }
}
