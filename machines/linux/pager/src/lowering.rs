//! Pages whose stores are to fault, protected together: each call interrupts whoever runs with the arena, and takes a lock
//! that faults take. A fork protects everything an arena holds.

use crate::arenas::Arenas;
use mager_linux_sys::{Failed, Userfault};
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

    /// Protects all of them. Where the kernel could not, if anywhere.
    pub(crate) fn carry_out(&mut self, arenas: &Arenas, page_size: u64) -> Vec<Site> {
        let mut refused = Vec::new();
        self.0.sort_unstable();
        self.0.dedup();
        let mut rest = &self.0[..];
        while let Some(&first) = rest.first() {
            let count = rest.iter().zip(0..).take_while(|&(&at, by)| at == after(first, by)).count();
            if let Some((uffd, address)) = arenas.address(first, page_size)
                && !protect(uffd, address, count as u64, page_size)
            {
                refused.push(first);
            }
            rest = &rest[count..];
        }
        self.0.clear();
        refused
    }
}

/// It fails where something else is mapped that the client has put there, or nothing is; but what lies behind it in the run
/// has to be protected, too. Whether no page is open that has to be protected.
fn protect(uffd: &Userfault, address: u64, pages: u64, page_size: u64) -> bool {
    match uffd.protect(address, pages * page_size) {
        Ok(()) => true,
        Err(_) if pages > 1 => {
            let half = pages / 2;
            let first = protect(uffd, address, half, page_size);
            protect(uffd, address + half * page_size, pages - half, page_size) && first
        }
        Err(why) => matches!(why, Failed::Gone | Failed::Dead),
    }
}

fn after(first: Site, by: u32) -> Site {
    Site { page: VirtPage(first.page.0.saturating_add(by)), ..first }
}
