//! Every policy, through the laws; and what each one is for.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mager_policies::{Any, FrameNo, Frames, PageNo, Policy, laws};

#[test]
fn every_policy_obeys_the_laws() {
    for name in Any::NAMES {
        for seed in 0..if cfg!(miri) { 1 } else { 200 } {
            let frames = 1 + u32::try_from(seed % 17).unwrap();
            laws::obeyed(frames, seed, || Any::new(name, frames).unwrap());
        }
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let error = Any::new("lifo", 4).unwrap_err().to_string();
    assert_eq!(
        error,
        "unknown policy; expected one of: clock, fifo, random, gclock, nru, aging, wsclock, mglru, sieve, s3-fifo, car, clock-pro, lru, lfu, 2q, arc, lirs, w-tinylfu, opt"
    );
}

/// Four frames, all evictable, with the reference bits given.
struct Bits([bool; 4]);

impl Frames for Bits {
    fn evictable(&self, _: FrameNo) -> bool {
        true
    }
    fn dirty(&self, _: FrameNo) -> bool {
        false
    }
    fn referenced(&self, frame: FrameNo) -> bool {
        self.0[frame.index()]
    }
    fn unreference(&mut self, frame: FrameNo) {
        self.0[frame.index()] = false;
    }
}

fn victim_with(name: &str, bits: [bool; 4]) -> (FrameNo, [bool; 4]) {
    let mut policy = Any::new(name, 4).unwrap();
    (0..4).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    let mut bits = Bits(bits);
    (policy.victim(None, &mut bits).unwrap(), bits.0)
}

#[test]
fn clock_gives_a_second_chance() {
    assert_eq!(victim_with("clock", [true, true, false, true]), (FrameNo(2), [false, false, false, true]));
    assert_eq!(victim_with("clock", [true; 4]), (FrameNo(0), [false; 4]));
}

#[test]
fn fifo_ignores_references() {
    assert_eq!(victim_with("fifo", [true, true, false, true]), (FrameNo(0), [true, true, false, true]));
}

#[test]
#[should_panic(expected = "law: a victim is admitted and evictable")]
fn a_policy_that_proposes_a_frame_in_flight_breaks_the_law() {
    #[derive(Clone)]
    struct Blind(Vec<FrameNo>);
    impl Policy for Blind {
        fn needs(&self) -> mager_policies::Observes {
            mager_policies::Observes::Faults
        }
        fn admit(&mut self, frame: FrameNo, _: PageNo) {
            self.0.push(frame);
        }
        fn remove(&mut self, frame: FrameNo, _: mager_policies::Gone) {
            self.0.retain(|&f| f != frame);
        }
        fn victim(&mut self, _: Option<PageNo>, _: &mut impl Frames) -> Option<FrameNo> {
            self.0.first().copied()
        }
        fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
            self.0.iter().for_each(|&frame| visit(frame));
        }
    }
    (0..50).for_each(|seed| laws::obeyed(4, seed, || Blind(Vec::new())));
}
