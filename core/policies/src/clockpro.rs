//! CLOCK-Pro: LIRS on reference bits.
//!
//! Source: S. Jiang, F. Chen and X. Zhang, "CLOCK-Pro: An Effective Improvement of the CLOCK Replacement", USENIX
//! 2005. Hot pages have a short reuse distance, cold pages give the victims. A cold page is in its test period from
//! when it comes until the hot hand passes it; evicted meanwhile, it leaves a ghost. Touched again during the test,
//! it becomes hot, and cold pages get one more frame; a test that ends untouched takes one away from them.
//!
//! The paper describes one circle with three hands, in words. Here the circle is cut at the hot hand: hot pages and
//! pages in test are a queue whose head the hot hand looks at next; resident cold pages are a queue in the order
//! they became cold, which is the order the cold hand meets them in unless the hot hand overtakes it; and the ghost
//! that left first ends its test first when there are more ghosts than frames. So no hand ever walks over pages it
//! has no business with, and the hot hand does its work when the next victim is wanted.
//!
//! Observes reference bits, so it runs on every machine. O(1) amortised; 23 bytes a frame, twice that in ghosts, 4
//! a page ever evicted. Shines on loops and scans.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy, queues::Queues};
use alloc::{boxed::Box, vec};

/// Queues beside the circle: resident cold frames, and ghosts in the order they left.
const COLD: usize = 0;
const LEFT: usize = 1;

/// Hot and cold pages, and cold pages in test.
#[derive(Clone, Debug)]
pub struct ClockPro {
    /// Hot frames and what is in test; the head is where the hot hand stands.
    circle: Queues<1>,
    beside: Queues<2>,
    hot: Box<[bool]>,
    hots: u32,
    /// Those in circulation.
    frames: u32,
    /// How many frames cold pages should have.
    cold_target: u32,
    /// Nothing was ever evicted: newcomers are hot while there is room for hot pages.
    filling: bool,
}

impl ClockPro {
    /// Over frames `0..frames`.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        let ghosts = frames.saturating_mul(2).saturating_add(1);
        ClockPro {
            circle: Queues::new(frames, ghosts),
            beside: Queues::new(frames.saturating_add(ghosts), 0),
            hot: vec![false; frames as usize].into_boxed_slice(),
            hots: 0,
            frames,
            cold_target: 1,
            filling: true,
        }
    }

    fn most_hots(&self) -> u32 {
        self.frames.saturating_sub(self.cold_target)
    }

    fn test_succeeded(&mut self) {
        self.cold_target = (self.cold_target + 1).min(self.frames);
    }

    fn test_failed(&mut self) {
        self.cold_target = (self.cold_target - 1).max(1);
    }

    fn drop_ghost(&mut self, ghost: u32) {
        self.beside.unlink(ghost);
        self.circle.exhume(ghost);
    }

    fn heat(&mut self, frame: FrameNo) {
        self.hot[frame.index()] = true;
        self.hots += 1;
    }

    /// The hot hand takes one step: tests end, touched hot pages go round, an untouched one turns cold.
    fn hot_hand(&mut self, frames: &mut impl Frames) {
        let Some(node) = self.circle.head(0) else { return };
        if !self.circle.is_frame(node) {
            self.drop_ghost(node);
            self.test_failed();
        } else if !self.hot[node as usize] {
            self.circle.unlink(node);
            self.test_failed();
        } else if frames.referenced(FrameNo(node)) {
            frames.unreference(FrameNo(node));
            self.circle.pass(node);
        } else {
            self.circle.unlink(node);
            self.hot[node as usize] = false;
            self.hots -= 1;
            self.beside.push(COLD, node);
        }
    }

    fn balance(&mut self, frames: &mut impl Frames) {
        while self.hots > self.most_hots() {
            self.hot_hand(frames);
        }
    }

    /// The cold hand looks at a touched page: it becomes hot, or a new test begins.
    fn retest(&mut self, frame: FrameNo, frames: &mut impl Frames) {
        frames.unreference(frame);
        if self.circle.queue_of(frame.0).is_some() {
            self.test_succeeded();
            self.beside.unlink(frame.0);
            self.circle.pass(frame.0);
            self.heat(frame);
            self.balance(frames);
        } else {
            self.circle.push(0, frame.0);
            self.beside.pass(frame.0);
        }
    }

    /// Cold frames first, then hot ones.
    fn any_evictable(&self, frames: &impl Frames) -> Option<u32> {
        self.beside.evictable(COLD, frames).or_else(|| self.circle.evictable(0, frames))
    }
}

impl Policy for ClockPro {
    fn needs(&self) -> Observes {
        Observes::ReferenceBits
    }

    fn admit(&mut self, frame: FrameNo, page: PageNo) {
        let ghost = self.circle.ghost(page);
        if let Some(ghost) = ghost {
            self.drop_ghost(ghost);
            self.test_succeeded();
        }
        while self.beside.len(LEFT) > self.frames {
            let oldest = self.beside.head(LEFT).expect("more than none");
            self.drop_ghost(oldest);
            self.test_failed();
        }
        self.circle.set_page(frame, page);
        self.circle.push(0, frame.0);
        if ghost.is_some() || (self.filling && self.hots < self.most_hots()) {
            self.heat(frame);
        } else {
            self.beside.push(COLD, frame.0);
        }
    }

    fn remove(&mut self, frame: FrameNo, why: Gone) {
        if core::mem::take(&mut self.hot[frame.index()]) {
            self.circle.unlink(frame.0);
            self.hots -= 1;
            return;
        }
        self.beside.unlink(frame.0);
        match (self.circle.queue_of(frame.0), why) {
            (Some(_), Gone::Evicted) => {
                let ghost = self.circle.bury_in_place(frame);
                self.beside.push(LEFT, ghost);
            }
            (Some(_), Gone::Freed) => drop(self.circle.unlink(frame.0)),
            (None, _) => {}
        }
    }

    fn forget(&mut self, page: PageNo) {
        if let Some(ghost) = self.circle.ghost(page) {
            self.drop_ghost(ghost);
        }
    }

    /// What there is too much of leaves as newcomers come in and victims are asked for.
    fn resize(&mut self, frames: u32) {
        self.frames = frames;
        self.cold_target = self.cold_target.min(frames).max(1);
    }

    /// Each step undoes a reference or finds the victim; frames that cannot go are passed.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        self.filling = false;
        self.balance(frames);
        for _ in 0..4 * u64::from(self.circle.frames()) {
            let Some(node) = self.beside.head(COLD) else {
                if self.hots == 0 {
                    break;
                }
                self.hot_hand(frames);
                continue;
            };
            let frame = FrameNo(node);
            if !frames.evictable(frame) {
                self.beside.pass(node);
            } else if frames.referenced(frame) {
                self.retest(frame, frames);
            } else {
                self.beside.pass(node);
                return Some(frame);
            }
        }
        self.any_evictable(frames).map(FrameNo)
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.beside.visit(COLD, visit);
        self.circle.visit(0, &mut |frame| {
            if self.hot[frame.index()] {
                visit(frame);
            }
        });
    }
}
