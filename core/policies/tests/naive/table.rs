//! The two sides of the comparison: a policy over a table of frames, and a naive cache.

use mager_policies::{Any, FrameNo, Frames, Gone, Observes, PageNo, Policy};
use std::collections::HashMap;

/// A whole cache, naive: says of each access whether it hit.
pub trait Cache {
    fn access(&mut self, page: u32, write: bool) -> bool;
    /// The trace to come; only the clairvoyant listen.
    fn foretell(&mut self, _trace: &[(u32, bool)]) {}
}

#[derive(Default)]
struct Table {
    pages: Vec<u32>,
    referenced: Vec<bool>,
    dirty: Vec<bool>,
}

impl Frames for Table {
    fn evictable(&self, _: FrameNo) -> bool {
        true
    }
    fn dirty(&self, frame: FrameNo) -> bool {
        self.dirty[frame.index()]
    }
    fn referenced(&self, frame: FrameNo) -> bool {
        self.referenced[frame.index()]
    }
    fn unreference(&mut self, frame: FrameNo) {
        self.referenced[frame.index()] = false;
    }
}

/// A policy in the place of a cache.
struct Driven {
    policy: Any,
    table: Table,
    frames: usize,
    frame_of: HashMap<u32, usize>,
}

fn frame_no(frame: usize) -> FrameNo {
    FrameNo(u32::try_from(frame).unwrap())
}

impl Driven {
    fn access(&mut self, page: u32, write: bool, next: u64) -> bool {
        let hit = self.frame_of.get(&page).copied();
        let frame = hit.unwrap_or_else(|| self.bring_in(page));
        if hit.is_some() {
            self.table.referenced[frame] = true;
            if self.policy.needs() >= Observes::EveryAccess {
                self.policy.touched(frame_no(frame));
            }
        }
        self.table.dirty[frame] |= write;
        self.policy.foretold(frame_no(frame), next);
        hit.is_some()
    }

    fn bring_in(&mut self, page: u32) -> usize {
        let frame = if self.table.pages.len() < self.frames {
            self.table.pages.push(page);
            self.table.referenced.push(false);
            self.table.dirty.push(false);
            self.table.pages.len() - 1
        } else {
            let victim = self.policy.victim(Some(PageNo(page)), &mut self.table).unwrap();
            self.policy.remove(victim, Gone::Evicted);
            self.frame_of.remove(&self.table.pages[victim.index()]);
            victim.index()
        };
        self.table.pages[frame] = page;
        self.table.referenced[frame] = false;
        self.table.dirty[frame] = false;
        self.frame_of.insert(page, frame);
        self.policy.admit(frame_no(frame), PageNo(page));
        frame
    }
}

/// Skewed accesses with now and then a scan or a jump to other pages; some are writes.
pub fn random_trace(seed: u64, pages: u32, len: usize) -> Vec<(u32, bool)> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from((state >> 20) % u64::from(below)).unwrap()
    };
    let (mut base, mut scan) = (0, 0);
    let mut one = || {
        match draw(200) {
            0 => base = draw(pages),
            1 => scan = draw(30),
            _ => {}
        }
        let skewed = draw(pages).min(draw(pages)).min(draw(pages));
        let page = if scan > 0 { base.wrapping_add(scan) } else { base + skewed };
        scan = u32::saturating_sub(scan, 1);
        (page % (2 * pages), draw(4) == 0)
    };
    (0..len).map(|_| one()).collect()
}

fn next_accesses(trace: &[(u32, bool)]) -> Vec<u64> {
    let mut last = HashMap::new();
    let backwards = (0u64..).take(trace.len()).collect::<Vec<_>>().into_iter().zip(trace).rev();
    let mut next: Vec<u64> =
        backwards.map(|(i, &(page, _))| last.insert(page, i).unwrap_or(u64::MAX)).collect();
    next.reverse();
    next
}

/// Panics at the first access at which the policy and `naive` differ.
pub fn agrees(spec: &str, frames: u32, seed: u64, naive: &mut dyn Cache) {
    let trace = random_trace(seed, 4 + frames * 2 + u32::try_from(seed % 7).unwrap() * frames / 2, 1500);
    let policy = Any::from_spec(spec, frames).unwrap();
    let mut driven =
        Driven { policy, table: Table::default(), frames: frames as usize, frame_of: HashMap::new() };
    naive.foretell(&trace);
    let next = next_accesses(&trace);
    for (i, (&(page, write), &next)) in trace.iter().zip(&next).enumerate() {
        let (ours, theirs) = (driven.access(page, write, next), naive.access(page, write));
        assert_eq!(ours, theirs, "{spec}, {frames} frames, seed {seed}: access {i} to page {page}");
    }
}
