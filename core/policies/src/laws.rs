//! The laws every policy obeys, as one check that any policy can be put through.
//!
//! A small world of frames with random admissions, removals, touches and pins drives the policy; each proposal is
//! held against the laws of [`Policy`]. A new policy's test is one line: `laws::obeyed(16, seed, || New::new(16))`.

use crate::{FrameNo, Frames, Gone, PageNo, Policy};
use alloc::{vec, vec::Vec};

#[derive(Clone, Copy, PartialEq)]
struct Slot {
    admitted: bool,
    evictable: bool,
    referenced: bool,
    dirty: bool,
}

struct World {
    slots: Vec<Slot>,
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
    let idle = Slot { admitted: false, evictable: false, referenced: false, dirty: false };
    let mut world = World { slots: vec![idle; frames as usize] };
    let mut twin_world = World { slots: world.slots.clone() };
    let mut random = Random(seed.wrapping_mul(2).wrapping_add(1));
    for step in 0..2000 {
        one_step(&mut policy, &mut world, &mut Random(random.0), step);
        one_step(&mut twin, &mut twin_world, &mut random, step);
        assert!(world.slots == twin_world.slots, "law: the same calls give the same victims");
        order_is_what_was_admitted(&policy, &world);
    }
}

fn one_step<P: Policy>(policy: &mut P, world: &mut World, random: &mut Random, step: u32) {
    let frames = u32::try_from(world.slots.len()).expect("frames are u32");
    let frame = FrameNo(random.below(frames));
    let slot = &mut world.slots[frame.index()];
    match random.below(8) {
        0..3 if !slot.admitted => {
            *slot = Slot { admitted: true, evictable: true, referenced: true, dirty: random.below(2) == 0 };
            policy.admit(frame, PageNo(step));
        }
        3 if slot.admitted => {
            *slot = Slot { admitted: false, evictable: false, referenced: false, dirty: false };
            policy.remove(frame, Gone::Freed);
        }
        4 if slot.admitted => slot.evictable = !slot.evictable,
        5 if slot.admitted => slot.referenced = true,
        6 => policy.tick(),
        7 => propose(policy, world, step),
        _ => {}
    }
}

fn propose<P: Policy>(policy: &mut P, world: &mut World, step: u32) {
    let any = world.slots.iter().any(|slot| slot.admitted && slot.evictable);
    let Some(victim) = policy.victim(Some(PageNo(step)), world) else {
        assert!(!any, "law: None only if no frame is evictable");
        return;
    };
    let slot = &mut world.slots[victim.index()];
    assert!(slot.admitted && slot.evictable, "law: a victim is admitted and evictable");
    if !step.is_multiple_of(5) {
        *slot = Slot { admitted: false, evictable: false, referenced: false, dirty: false };
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
