//! Pages that are packed by other threads, so that whoever pages goes on meanwhile.
//!
//! Waking a thread costs as much as packing a few pages: only many at once are handed over. What is packed comes back
//! here, and is kept by the one who owns compressed memory.

use super::Backing;
use super::swap::Kept;
use crate::engine::Workers;
use crate::pack::{Compressor, Packed};
use crate::sys::{Lent, Toward};
use crate::{BufferNo, Buffers, Home, OpenError, StoreError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Pages at once from which on they are handed over.
const MANY: usize = 8;
/// Pages that can be on their way; a further one is packed here and now.
const MOST: usize = 128;
/// The owner is called when so many are packed, or all.
const LOT: usize = 16;

/// A page to be packed.
#[derive(Debug)]
pub(super) struct Piece {
    tag: u32,
    block: u32,
    span: Lent,
    packed: Packed,
}

/// The threads that pack, and what they work with.
#[derive(Debug)]
pub(super) struct Packing {
    workers: Workers<Piece>,
    spare: Vec<Packed>,
    /// Pieces that the threads have.
    away: usize,
    /// Readable when the threads or the engine have something.
    bell: OwnedFd,
}

impl Packing {
    pub(super) fn new(
        threads: usize,
        page_size: usize,
        checksums: bool,
        engine: Option<BorrowedFd<'_>>,
    ) -> Result<Self, OpenError> {
        let work = move || {
            let mut compressor = Compressor::new(page_size, checksums);
            move |piece: &mut Piece| compressor.pack(piece.span.bytes(), &mut piece.packed)
        };
        let workers = Workers::new("mager-pack", threads, LOT, work)
            .map_err(OpenError::doing("start the threads that compress"))?;
        let bell = bell(workers.wait_fd(), engine).map_err(OpenError::doing("make an epoll"))?;
        let spare = (0..MOST).map(|_| Packed::new(page_size)).collect();
        Ok(Packing { workers, spare, away: 0, bell })
    }

    pub(super) fn wait_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// One descriptor for two.
fn bell(workers: BorrowedFd<'_>, engine: Option<BorrowedFd<'_>>) -> io::Result<OwnedFd> {
    use rustix::event::epoll::{CreateFlags, EventData, EventFlags, add, create};
    let bell = create(CreateFlags::CLOEXEC)?;
    for fd in [Some(workers), engine].into_iter().flatten() {
        add(&bell, fd, EventData::new_u64(0), EventFlags::IN)?;
    }
    Ok(bell)
}

impl Backing {
    /// Whether a page can be packed later; else there are so many that it has to be now, or nobody to do it.
    pub(super) fn can_pack_later(&self) -> bool {
        self.packing.as_ref().is_some_and(|packing| !packing.spare.is_empty())
    }

    /// Has a page packed by and by.
    pub(super) fn pack_later(&mut self, tag: u32, block: u32, from: BufferNo, buffers: &mut Buffers) {
        let packing = self.packing.as_mut().expect("packing: it was there just now");
        let packed = packing.spare.pop().expect("packing: there was room just now");
        let span = buffers.lend(from, Toward::Store);
        packing.workers.start(Piece { tag, block, span, packed });
    }

    /// Hands what is to be packed over, if it is much; else packs it.
    pub(super) fn submit_packing(&mut self) {
        let Some(packing) = &mut self.packing else { return };
        if packing.workers.started().len() >= MANY || packing.away > 0 {
            packing.away += packing.workers.started().len();
            return packing.workers.submit();
        }
        while let Some(piece) = self.packing.as_mut().and_then(|packing| packing.workers.started().pop()) {
            let kept = self.swap.keep(piece.block, piece.span.bytes(), None);
            self.came_back(piece, kept);
        }
    }

    /// Keeps what was packed meanwhile.
    pub(super) fn fetch_packed(&mut self) {
        if self.packing.as_ref().is_none_or(|packing| packing.away == 0) {
            return;
        }
        while let Some(packing) = &mut self.packing
            && let Some(piece) = packing.workers.finished()
        {
            packing.away -= 1;
            let kept = self.swap.keep(piece.block, piece.span.bytes(), Some(&piece.packed));
            self.came_back(piece, kept);
        }
        // What found no room after all.
        self.start_queued();
    }

    fn came_back(&mut self, piece: Piece, kept: Result<Kept, StoreError>) {
        let Piece { tag, block, span, packed } = piece;
        if let Some(packing) = &mut self.packing {
            packing.spare.push(packed);
        }
        let result = match kept {
            Ok(Kept::Spilled(file, offset)) => {
                return self.enqueue(tag, Home::Swap(block), file, offset, self.page_size, span);
            }
            Ok(Kept::InMemory | Kept::ToPack) => Ok(()),
            Err(error) => Err(error),
        };
        self.tell(tag, result);
    }
}
