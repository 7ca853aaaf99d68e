//! The laws every policy obeys, as one check that any policy can be put through.
//!
//! A small world of frames with random admissions, removals, touches and pins drives the policy; each proposal is
//! held against the laws of [`Policy`]. A new policy's test is one line: `laws::obeyed(16, seed, || New::new(16))`.

use crate::{FrameNo, Frames, Gone, Observes, PageNo, Policy};
use alloc::{vec, vec::Vec};

#[derive(Clone, Copy, PartialEq)]
struct Slot {
    admitted: bool,
    page: u32,
    evictable: bool,
    referenced: bool,
    dirty: bool,
}

const EMPTY: Slot = Slot { admitted: false, page: 0, evictable: false, referenced: false, dirty: false };

struct World {
    slots: Vec<Slot>,
}

impl World {
    fn holds(&self, page: PageNo) -> bool {
        self.slots.iter().any(|slot| slot.admitted && slot.page == page.0)
    }

    /// A page of a small set, so that pages come back; none if the page drawn is resident.
    fn absent_page(&self, random: &mut Random) -> Option<PageNo> {
        let frames = u32::try_from(self.slots.len()).expect("frames are u32");
        Some(PageNo(random.below(4 * frames))).filter(|&page| !self.holds(page))
    }
}

impl Frames for World {
    fn evictable(&self, frame: FrameNo) -> bool {
        let slot = self.slots[frame.index()];
        assert!(slot.admitted, "law: asked about frame {frame}, which is not the policy's");
        slot.evictable
    }
    fn dirty(&self, frame: FrameNo) -> bool {
        self.slots[frame.index()].dirty
    }
    fn referenced(&self, frame: FrameNo) -> bool {
        self.slots[frame.index()].referenced
    }
    fn unreference(&mut self, frame: FrameNo) {
        self.slots[frame.index()].referenced = false;
    }
}

/// A small generator (Marsaglia's xorshift64*), so that the laws need no dependency.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        u32::try_from(high % u64::from(n)).expect("a remainder below a u32 is a u32")
    }
}

/// Puts two policies made by `new` through the same `2000` random steps over `frames` frames, and panics with the
/// law that was broken.
pub fn obeyed<P: Policy>(frames: u32, seed: u64, new: impl Fn() -> P) {
    let (mut policy, mut twin) = (new(), new());
    let mut world = World { slots: vec![EMPTY; frames as usize] };
    let mut twin_world = World { slots: world.slots.clone() };
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    for step in 0..if cfg!(miri) { 120 } else { 2000 } {
        one_step(&mut policy, &mut world, &mut Random(random.0), step);
        one_step(&mut twin, &mut twin_world, &mut random, step);
        assert!(world.slots == twin_world.slots, "law: the same calls give the same victims");
        order_is_what_was_admitted(&policy, &world);
    }
}

fn one_step<P: Policy>(policy: &mut P, world: &mut World, random: &mut Random, step: u32) {
    let frames = u32::try_from(world.slots.len()).expect("frames are u32");
    let frame = FrameNo(random.below(frames));
    let page = world.absent_page(random);
    let slot = &mut world.slots[frame.index()];
    match (random.below(10), page) {
        (0..3, Some(page)) if !slot.admitted => {
            let dirty = step.is_multiple_of(3);
            *slot = Slot { admitted: true, page: page.0, evictable: true, referenced: true, dirty };
            policy.admit(frame, page);
            foretell(policy, frame, step);
        }
        (3, _) if slot.admitted => {
            *slot = EMPTY;
            policy.remove(frame, if step.is_multiple_of(2) { Gone::Freed } else { Gone::Evicted });
        }
        (4, _) if slot.admitted => slot.evictable = !slot.evictable,
        (5, _) if slot.admitted => {
            slot.referenced = true;
            touch(policy, frame, step);
        }
        (6, Some(page)) => policy.forget(page),
        (7, _) => policy.tick(),
        (8, _) => propose(policy, world, page, step),
        (9, _) => policy.resize(1 + random.below(frames)),
        _ => {}
    }
}

fn touch<P: Policy>(policy: &mut P, frame: FrameNo, step: u32) {
    if policy.needs() >= Observes::EveryAccess {
        policy.touched(frame);
        foretell(policy, frame, step);
    }
}

/// Some future: that it is not what comes does not release a policy from the laws.
fn foretell<P: Policy>(policy: &mut P, frame: FrameNo, step: u32) {
    if policy.needs() == Observes::Future {
        policy.foretold(frame, u64::from(step) + u64::from(frame.0 % 7) * 10);
    }
}

fn propose<P: Policy>(policy: &mut P, world: &mut World, incoming: Option<PageNo>, step: u32) {
    let any = world.slots.iter().any(|slot| slot.admitted && slot.evictable);
    let Some(victim) = policy.victim(incoming, world) else {
        assert!(!any, "law: None only if no frame is evictable");
        return;
    };
    let slot = &mut world.slots[victim.index()];
    assert!(slot.admitted && slot.evictable, "law: a victim is admitted and evictable");
    if !step.is_multiple_of(5) {
        *slot = EMPTY;
        policy.remove(victim, Gone::Evicted);
    }
}

fn order_is_what_was_admitted<P: Policy>(policy: &P, world: &World) {
    let mut seen = vec![false; world.slots.len()];
    policy.order(&mut |frame| {
        assert!(!seen[frame.index()], "law: order shows frame {frame} twice");
        seen[frame.index()] = true;
    });
    for (slot, seen) in world.slots.iter().zip(seen) {
        assert!(slot.admitted == seen, "law: order shows exactly the admitted frames");
    }
}
