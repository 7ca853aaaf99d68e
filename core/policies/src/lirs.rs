//! LIRS: keep the pages whose last two touches lie close together.
//!
//! Source: S. Jiang and X. Zhang, "LIRS: An Efficient Low Inter-reference Recency Set Replacement Policy to Improve
//! Buffer Cache Performance", SIGMETRICS 2002. Nearly all frames hold LIR pages (short reuse distance); the rest
//! (`hir`, a hundredth) hold HIR pages, from which all victims come. The stack orders pages by recency and remembers
//! HIR pages that left (ghosts); one that is touched while it is in the stack has a shorter reuse distance than the
//! LIR page at the bottom, and takes its place. The paper leaves the length of the stack open: here at most `stack`
//! times the frames (2), the ghost that left first going first.
//!
//! Observes every access: simulator only. O(1) amortised; 23 bytes a frame, twice that in ghosts, 4 a page ever
//! evicted. Shines on loops and scans, where LRU fails; slow to follow a sudden change.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options, part},
    queues::Queues,
};
use alloc::{boxed::Box, vec};

/// Queues beside the stack: resident HIR frames, and ghosts in the order they left.
const HIR: usize = 0;
const LEFT: usize = 1;

/// Low inter-reference recency set.
#[derive(Clone, Debug)]
pub struct Lirs {
    /// The tail is the top; the head, the bottom, is a LIR frame.
    stack: Queues<1>,
    beside: Queues<2>,
    lir: Box<[bool]>,
    lirs: u32,
    most_lirs: u32,
    most_stack: u32,
}

impl Lirs {
    /// Over frames `0..frames`: a hundredth for HIR pages, a stack of twice the frames.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Lirs::with(frames, part(frames, 0.01), frames.saturating_mul(2))
    }

    /// Over frames `0..frames`, `hirs` of them for HIR pages, with at most `most_stack` nodes in the stack.
    #[must_use]
    pub fn with(frames: u32, hirs: u32, most_stack: u32) -> Self {
        let ghosts = most_stack.max(frames).saturating_add(1);
        Lirs {
            stack: Queues::new(frames, ghosts),
            beside: Queues::new(frames.saturating_add(ghosts), 0),
            lir: vec![false; frames as usize].into_boxed_slice(),
            lirs: 0,
            most_lirs: frames.saturating_sub(hirs.max(1)),
            most_stack: most_stack.max(frames),
        }
    }

    fn in_stack(&self, frame: FrameNo) -> bool {
        self.stack.queue_of(frame.0).is_some()
    }

    fn drop_ghost(&mut self, ghost: u32) {
        self.beside.unlink(ghost);
        self.stack.exhume(ghost);
    }

    /// The bottom of the stack is a LIR page, or the stack is empty.
    fn prune(&mut self) {
        while let Some(bottom) = self.stack.head(0) {
            if !self.stack.is_frame(bottom) {
                self.drop_ghost(bottom);
            } else if self.lir[bottom as usize] {
                return;
            } else {
                self.stack.unlink(bottom);
            }
        }
    }

    /// `frame`, at the top of the stack, becomes LIR; the bottom LIR pages make room.
    fn promote(&mut self, frame: FrameNo) {
        self.lir[frame.index()] = true;
        self.lirs += 1;
        while self.lirs > self.most_lirs {
            let bottom = self.stack.head(0).expect("lirs: LIR pages are in the stack");
            self.stack.unlink(bottom);
            self.lir[bottom as usize] = false;
            self.lirs -= 1;
            self.beside.push(HIR, bottom);
            self.prune();
        }
    }

    fn limit(&mut self) {
        while self.stack.len(0) > self.most_stack {
            let Some(oldest) = self.beside.head(LEFT) else { return };
            self.drop_ghost(oldest);
        }
    }
}

impl Configured for Lirs {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(Lirs::with(frames, options.share("hir", 0.01, frames)?, options.share("stack", 2.0, frames)?))
    }
}

impl Policy for Lirs {
    fn needs(&self) -> Observes {
        Observes::EveryAccess
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let ghost = self.stack.ghost(page);
        if let Some(ghost) = ghost {
            self.drop_ghost(ghost);
        }
        self.stack.set_page(frame, page);
        self.stack.push(0, frame.0);
        if ghost.is_some() || self.lirs < self.most_lirs {
            self.promote(frame);
        } else {
            self.beside.push(HIR, frame.0);
        }
        self.prune();
        self.limit();
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        if core::mem::take(&mut self.lir[frame.index()]) {
            self.stack.unlink(frame.0);
            self.lirs -= 1;
            return self.prune();
        }
        self.beside.unlink(frame.0);
        match (self.in_stack(frame), why) {
            (true, Gone::Evicted) => {
                let ghost = self.stack.bury_in_place(frame);
                self.beside.push(LEFT, ghost);
            }
            (true, Gone::Freed) => drop(self.stack.unlink(frame.0)),
            (false, _) => {}
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.stack.ghost(page) {
            self.drop_ghost(ghost);
        }
    }

    fn touched(&mut self, frame: FrameNo) {
        if self.lir[frame.index()] {
            let was_bottom = self.stack.before(frame.0).is_none();
            self.stack.pass(frame.0);
            if was_bottom {
                self.prune();
            }
        } else if self.in_stack(frame) {
            self.stack.pass(frame.0);
            self.beside.unlink(frame.0);
            self.promote(frame);
        } else {
            self.stack.push(0, frame.0);
            self.beside.pass(frame.0);
            self.prune();
            self.limit();
        }
    }

    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        if let Some(found) = self.beside.evictable(HIR, frames) {
            self.beside.pass(found);
            return Some(FrameNo(found));
        }
        self.stack.evictable(0, frames).map(FrameNo)
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.beside.visit(HIR, visit);
        self.stack.visit(0, &mut |frame| {
            if self.lir[frame.index()] {
                visit(frame);
            }
        });
    }
}
