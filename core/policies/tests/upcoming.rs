//! Policies that look ahead ask about whatever decides, before it does.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mager_policies::{Any, FrameNo, Frames, Gone, PageNo, Policy};
use std::collections::BTreeSet;

const FRAMES: u32 = 64;

/// Reference bits as the core has them, and as they would be if somebody looked.
struct Bits {
    known: Vec<bool>,
    touched: Vec<bool>,
    /// Bits that were taken away, and are not looked for before this is over.
    late: BTreeSet<FrameNo>,
}

impl Frames for Bits {
    fn evictable(&self, _: FrameNo) -> bool {
        true
    }
    fn dirty(&self, _: FrameNo) -> bool {
        false
    }
    fn referenced(&self, frame: FrameNo) -> bool {
        self.known[frame.index()]
    }
    fn unreference(&mut self, frame: FrameNo) {
        (self.known[frame.index()], self.touched[frame.index()]) = (false, false);
        self.late.insert(frame);
    }
}

/// Marsaglia's xorshift64*.
fn below(state: &mut u64, n: u32) -> u32 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    u32::try_from((state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % u64::from(n)).unwrap()
}

/// Victims are taken in lots, as if by a machine that looks just before. How many victims had been touched, and were
/// asked about.
fn run(name: &str, seed: u64) -> (u32, u32) {
    let (mut policy, mut state) = (Any::new(name, FRAMES).unwrap(), seed.wrapping_mul(0x9E37_79B9) + 1);
    let (mut wrong, mut asked) = (0, 0);
    let mut bits = Bits {
        known: vec![true; FRAMES as usize],
        touched: vec![true; FRAMES as usize],
        late: BTreeSet::new(),
    };
    (0..FRAMES).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    for _ in 0..200 {
        (0..below(&mut state, 40)).for_each(|_| bits.touched[below(&mut state, FRAMES) as usize] = true);
        let victims = 1 + below(&mut state, 8);
        let mut found = Vec::new();
        assert!(policy.upcoming(victims, &mut |frame| {
            asked += 1;
            let spared = bits.known[frame.index()] || bits.touched[frame.index()];
            found.extend(spared.then_some(frame));
            spared
        }));
        found.into_iter().for_each(|frame| bits.known[frame.index()] = true);
        bits.late.clear();
        let mut taken = Vec::new();
        for _ in 0..victims {
            let victim = policy.victim(None, &mut bits).unwrap();
            wrong += u32::from(bits.touched[victim.index()] && !bits.known[victim.index()]);
            policy.remove(victim, Gone::Evicted);
            taken.push(victim);
        }
        for frame in taken {
            policy.admit(frame, PageNo(below(&mut state, 300)));
            (bits.known[frame.index()], bits.touched[frame.index()]) = (true, true);
        }
    }
    (wrong, asked)
}

#[test]
fn no_victim_was_touched_unless_it_was_known() {
    for name in ["clock", "sieve", "s3-fifo"] {
        for seed in 0..100 {
            let (wrong, asked) = run(name, seed);
            assert_eq!(wrong, 0, "{name}, seed {seed}");
            assert!(asked < 200 * 8 * 12, "{name} asks about {asked} frames");
        }
    }
}

/// Nobody has told that they were touched, and that is not to count once they are watched.
#[test]
fn newcomers_are_asked_about_before_they_are_watched() {
    let mut policy = Any::new("s3-fifo", FRAMES).unwrap();
    (0..FRAMES).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    let mut asked = BTreeSet::new();
    policy.upcoming(2, &mut |frame| {
        asked.insert(frame);
        true
    });
    assert_eq!(asked, (0..16).map(FrameNo).collect());
}

#[test]
fn a_policy_that_cannot_tell_asks_nothing() {
    let mut policy = Any::new("nru", FRAMES).unwrap();
    (0..FRAMES).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    assert!(!policy.upcoming(3, &mut |_| panic!("it was not to ask")));
}
