//! What an arena consists of: addresses, a userfaultfd, memory. A forked child keeps the addresses; the rest comes to
//! mean its own, under the same descriptors.

use mager_linux_sys::{Userfault, Window};
use mager_linux_wire::ArenaId;
use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Body {
    id: AtomicU64,
    pub(crate) window: Window,
    /// Kept open: when the last descriptor of a userfaultfd is closed, missing pages become zeros.
    pub(crate) uffd: Userfault,
    /// The arena's memory, to show again where a file was.
    pub(crate) memory: OwnedFd,
    /// The arena has been given up: a child does not inherit it.
    gone: AtomicBool,
    /// The addresses stay what they are until the process ends.
    sealed: AtomicBool,
}

impl Body {
    pub(crate) fn new(id: ArenaId, window: Window, uffd: Userfault, memory: OwnedFd) -> Self {
        let (gone, sealed) = (AtomicBool::new(false), AtomicBool::new(false));
        Body { id: AtomicU64::new(word(id)), window, uffd, memory, gone, sealed }
    }

    pub(crate) fn id(&self) -> ArenaId {
        let [a, b, c, d, e, f, g, h] = self.id.load(Ordering::Relaxed).to_le_bytes();
        let (slot, generation) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        ArenaId { slot, generation }
    }

    /// In a child: it is this arena now.
    pub(crate) fn becomes(&self, id: ArenaId) {
        self.id.store(word(id), Ordering::Relaxed);
    }

    pub(crate) fn give_up(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn seal(&self) -> std::io::Result<()> {
        self.window.seal()?;
        self.sealed.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

fn word(id: ArenaId) -> u64 {
    u64::from(id.slot) | u64::from(id.generation) << 32
}
