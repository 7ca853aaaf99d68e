//! Random: any frame, with equal chance.
//!
//! Source: L. A. Belady, "A Study of Replacement Algorithms for a Virtual-Storage Computer", 1966. Observes faults
//! only; O(1) a fault, 8 bytes a frame. The same seed gives the same victims. Shines on loops a little larger than
//! memory, where LRU and its kin always miss; loses to them wherever the past says something of the future.

use crate::{
    FrameNo, Frames, Gone, Observes, PageNo, Policy,
    options::{BadSpec, Configured, Options},
};
use alloc::{boxed::Box, vec, vec::Vec};

/// Uniform choice by a seeded generator (Marsaglia's xorshift64*).
#[derive(Clone, Debug)]
pub struct Random {
    held: Vec<u32>,
    place: Box<[u32]>,
    state: u64,
}

impl Random {
    /// No frames yet of `0..frames`, and the first seed.
    #[must_use]
    pub fn new(frames: u32) -> Self {
        Random::seeded(frames, 1)
    }

    /// No frames yet of `0..frames`; the choices follow from `seed`.
    #[must_use]
    pub fn seeded(frames: u32, seed: u32) -> Self {
        let place = vec![u32::MAX; frames as usize].into_boxed_slice();
        let state = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Random { held: Vec::with_capacity(frames as usize), place, state }
    }

    /// A number below `below`: the high half of a product, so that no division is needed.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        let drawn = (high * below as u64) >> 32;
        usize::try_from(drawn).expect("smaller than a usize")
    }
}

impl Configured for Random {
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
        Ok(Random::seeded(frames, options.count("seed", 1, 0)?))
    }
}

impl Policy for Random {
    fn needs(&self) -> Observes {
        Observes::Faults
    }

    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        let place = &mut self.place[frame.index()];
        assert!(*place == u32::MAX, "random: frame {frame} admitted twice");
        *place = u32::try_from(self.held.len()).expect("no more frames than a u32 counts");
        self.held.push(frame.0);
    }

    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        let place = core::mem::replace(&mut self.place[frame.index()], u32::MAX);
        assert!(place != u32::MAX, "random: frame {frame} removed but never admitted");
        self.held.swap_remove(place as usize);
        if let Some(&moved) = self.held.get(place as usize) {
            self.place[moved as usize] = place;
        }
    }

    /// The drawn frame, or the next one held that may be evicted.
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        if self.held.is_empty() {
            return None;
        }
        let drawn = self.draw(self.held.len());
        let (before, from) = self.held.split_at(drawn);
        let found = from.iter().chain(before).find(|&&frame| frames.evictable(FrameNo(frame)));
        found.map(|&frame| FrameNo(frame))
    }

    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        self.held.iter().for_each(|&frame| visit(FrameNo(frame)));
    }
}
