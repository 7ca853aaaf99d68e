//! What neither the laws nor the naive caches ask: numbers that are used again, time that passes, parameters, and
//! whether the laws themselves notice who breaks them.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use mager_policies::{Aging, Any, FrameNo, Frames, Gone, Mglru, Nru, Observes, PageNo, Policy, Ring, laws};
use std::collections::HashMap;
use std::panic::catch_unwind;

/// Frames that are all evictable, with their reference bits.
struct Bits(Vec<bool>);

impl Frames for Bits {
    fn evictable(&self, _: FrameNo) -> bool {
        true
    }
    fn dirty(&self, frame: FrameNo) -> bool {
        frame.0.is_multiple_of(3)
    }
    fn referenced(&self, frame: FrameNo) -> bool {
        self.0[frame.index()]
    }
    fn unreference(&mut self, frame: FrameNo) {
        self.0[frame.index()] = false;
    }
}

/// A policy over a table of frames, which knows pages by numbers of its own.
struct Cache {
    policy: Any,
    bits: Bits,
    number_of: HashMap<u32, u32>,
    unused: Vec<u32>,
    used: u32,
    /// Whether the number of a page that is gone is used again.
    thrifty: bool,
}

impl Cache {
    fn new(name: &str, frames: u32, thrifty: bool) -> Self {
        let bits = Bits(vec![false; frames as usize]);
        let policy = Any::new(name, frames).unwrap();
        Cache { policy, bits, number_of: HashMap::new(), unused: Vec::new(), used: 0, thrifty }
    }

    fn number(&mut self, page: u32) -> PageNo {
        let unused = &mut self.unused;
        PageNo(*self.number_of.entry(page).or_insert_with(|| {
            unused.pop().unwrap_or_else(|| {
                self.used += 1;
                self.used - 1
            })
        }))
    }

    fn touch(&mut self, frame: FrameNo, next: u64) {
        self.bits.0[frame.index()] = true;
        if self.policy.needs() >= Observes::EveryAccess {
            self.policy.touched(frame);
        }
        self.policy.foretold(frame, next);
    }

    fn bring_in(&mut self, page: u32, free: Option<FrameNo>, next: u64) -> FrameNo {
        let number = self.number(page);
        let frame = free.unwrap_or_else(|| {
            let victim = self.policy.victim(Some(number), &mut self.bits).unwrap();
            self.policy.remove(victim, Gone::Evicted);
            victim
        });
        self.policy.admit(frame, number);
        self.policy.foretold(frame, next);
        self.bits.0[frame.index()] = false;
        frame
    }

    /// The page is gone for good.
    fn end(&mut self, page: u32, frame: Option<FrameNo>) {
        if let Some(frame) = frame {
            self.policy.remove(frame, Gone::Freed);
        }
        if let Some(number) = self.number_of.remove(&page) {
            self.policy.forget(PageNo(number));
            if self.thrifty {
                self.unused.push(number);
            }
        }
    }
}

fn draw(state: &mut u64, below: u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    u32::try_from((*state >> 20) % u64::from(below)).unwrap()
}

/// Two caches see the same pages come and go; one uses the numbers of pages that are gone again, the other never.
fn forgets(name: &str, frames: u32, seed: u64) {
    let mut caches = [false, true].map(|thrifty| Cache::new(name, frames, thrifty));
    let mut state = seed * 2 + 1;
    let mut free: Vec<FrameNo> = (0..frames).map(FrameNo).collect();
    let mut frame_of: HashMap<u32, FrameNo> = HashMap::new();
    let mut first = 0;
    for step in 0..2000u64 {
        let page = first + draw(&mut state, 2 * frames).min(draw(&mut state, 3 * frames));
        let next = step + u64::from(draw(&mut state, 50));
        if draw(&mut state, 12) == 0 {
            // Every page from `first` up to `end` is never seen again.
            let end = first + 1 + draw(&mut state, frames);
            for gone in first..end {
                let frame = frame_of.remove(&gone);
                caches.iter_mut().for_each(|cache| cache.end(gone, frame));
                free.extend(frame);
            }
            first = end;
        } else if let Some(&frame) = frame_of.get(&page) {
            caches.iter_mut().for_each(|cache| cache.touch(frame, next));
        } else {
            let empty = free.pop();
            let [one, other] = caches.each_mut().map(|cache| cache.bring_in(page, empty, next));
            assert_eq!(one, other, "{name}, {frames} frames, seed {seed}, step {step}");
            frame_of.retain(|_, &mut frame| frame != one);
            frame_of.insert(page, one);
        }
    }
}

#[test]
fn a_number_that_is_used_again_says_nothing_of_the_page_before() {
    for name in Any::NAMES {
        for frames in [2, 5, 12] {
            (0..4).for_each(|seed| forgets(name, frames, seed));
        }
    }
}

/// Whether the policy looks at all its frames, the last one too, when it is next asked for a victim.
fn looks(mut policy: impl Policy, tick: bool) -> bool {
    let mut bits = Bits((0..8).map(|frame| frame == 7).collect());
    (0..8).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    if tick {
        policy.tick();
    }
    policy.victim(None, &mut bits).unwrap();
    !bits.0[7]
}

#[test]
fn time_that_passes_makes_a_policy_look() {
    let nru = || Nru::looking_every(8, 100);
    let aging = || Aging::looking_every(8, 100);
    let mglru = || Mglru::aging_every(8, 100);
    assert_eq!((looks(nru(), false), looks(nru(), true)), (false, true));
    assert_eq!((looks(aging(), false), looks(aging(), true)), (false, true));
    assert_eq!((looks(mglru(), false), looks(mglru(), true)), (false, true));
}

/// The victim among the first frames of eight, admitted just now, of which those given are referenced.
fn victim(spec: &str, admitted: u32, referenced: &[u32]) -> Option<FrameNo> {
    let mut policy = Any::from_spec(spec, 8).unwrap();
    (0..admitted).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    let mut bits = Bits((0..8).map(|frame| referenced.contains(&frame)).collect());
    policy.victim(None, &mut bits)
}

#[test]
fn gclock_that_counts_to_nothing_is_the_clock() {
    for referenced in [&[][..], &[0, 1], &[0, 1, 2, 3]] {
        assert_eq!(victim("gclock:max=0", 4, referenced), victim("clock", 4, referenced));
    }
}

/// While memory is not full every frame of CLOCK-Pro is hot; then its hot hand finds who turns cold.
#[test]
fn clock_pro_cools_a_hot_frame_when_no_frame_is_cold() {
    assert_eq!(victim("clock-pro", 4, &[0, 2]), Some(FrameNo(1)));
    assert_eq!(victim("clock-pro", 4, &[0, 1, 2, 3]), Some(FrameNo(0)));
}

/// The order in which the frames of eight stand after the page in frame 0 was dropped and another came.
fn order_after_a_drop(spec: &str) -> Vec<u32> {
    let mut policy = Any::from_spec(spec, 8).unwrap();
    (0..8).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    policy.remove(FrameNo(0), Gone::Freed);
    policy.admit(FrameNo(0), PageNo(8));
    let mut order = Vec::new();
    policy.order(&mut |frame| order.push(frame.0));
    order
}

/// The place among the pages of low inter-reference recency is free again.
#[test]
fn lirs_gives_the_place_of_a_dropped_page_to_the_next() {
    assert_eq!(order_after_a_drop("lirs"), [7, 1, 2, 3, 4, 5, 6, 0]);
}

#[test]
fn s3_fifo_fills_its_main_queue_first_if_it_is_told_to() {
    assert_eq!(order_after_a_drop("s3-fifo:small=0.25"), [1, 2, 3, 4, 5, 6, 7, 0]);
    assert_eq!(order_after_a_drop("s3-fifo:small=0.25:fill-main=1"), [1, 0, 2, 3, 4, 5, 6, 7]);
}

/// The window competes only while it is full; until then the main part gives way.
#[test]
fn w_tinylfu_lets_a_window_that_is_not_full_grow() {
    let mut policy = Any::from_spec("w-tinylfu:window=0.5", 8).unwrap();
    (0..8).for_each(|frame| policy.admit(FrameNo(frame), PageNo(frame)));
    let mut bits = Bits(vec![false; 8]);
    assert_eq!(
        policy.clone().victim(None, &mut bits),
        Some(FrameNo(4)),
        "as popular as the main part's, and newer"
    );
    policy.remove(FrameNo(7), Gone::Freed);
    assert_eq!(policy.victim(None, &mut bits), Some(FrameNo(0)));
}

#[test]
fn a_ring_is_empty_before_the_first_frame_and_after_the_last() {
    let mut ring = Ring::new(3);
    assert!(ring.is_empty());
    ring.push_tail(FrameNo(1));
    assert!(!ring.is_empty());
    ring.unlink(FrameNo(1));
    assert!(ring.is_empty());
    assert_eq!(format!("{} {}", FrameNo(1), PageNo(20)), "1 20");
}

#[test]
fn parameters_are_understood_or_refused() {
    let says = |spec: &str| Any::from_spec(spec, 16).map(|_| ()).map_err(|why| why.to_string());
    for spec in [
        "clock",
        "aging",
        "aging:period=0.5",
        "aging:period=16",
        "aging:period=0",
        "gclock:max=0",
        "s3-fifo:enough=1:counts=1",
    ] {
        assert_eq!(says(spec), Ok(()), "{spec}");
    }
    for spec in ["clock:period=1", "aging:tau=1", "aging:period=1:tau=1", "aging:period"] {
        assert!(says(spec).unwrap_err().starts_with("unknown policy parameter"), "{spec}");
    }
    for spec in ["aging:period=x", "aging:period=-1", "aging:period=16.5", "aging:period="] {
        let expected = "policy parameter period: expected a ratio between 0 and 16";
        assert_eq!(says(spec), Err(expected.to_owned()), "{spec}");
    }
    for (spec, key) in [("s3-fifo:enough=0", "enough"), ("gclock:max=-1", "max"), ("random:seed=x", "seed")] {
        assert_eq!(
            says(spec),
            Err(format!("policy parameter {key}: expected a whole number, not too small"))
        );
    }
    assert!(says("lifo:period=1").unwrap_err().starts_with("unknown policy; expected one of: clock, fifo"));
}

/// First in, first out, with one mistake.
#[derive(Clone, Default)]
struct Wrong {
    mistake: &'static str,
    frames: Vec<FrameNo>,
    /// Different for each policy made.
    own: u32,
}

impl Policy for Wrong {
    fn needs(&self) -> Observes {
        Observes::Faults
    }
    fn admit(&mut self, frame: FrameNo, _: PageNo) {
        self.frames.push(frame);
    }
    fn remove(&mut self, frame: FrameNo, why: Gone) {
        if self.mistake != "keeps what was freed" || why == Gone::Evicted {
            self.frames.retain(|&it| it != frame);
        }
    }
    fn victim(&mut self, _: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let mut can = self.frames.iter().copied().filter(|&frame| frames.evictable(frame));
        match self.mistake {
            "finds none" => None,
            "takes what is pinned" => self.frames.first().copied(),
            "takes what it never had" => Some(FrameNo(0)),
            "is not the same twice" => can.nth(self.own as usize).or(self.frames.first().copied()),
            "asks about others" => frames.evictable(FrameNo(1)).then_some(FrameNo(1)).or(can.next()),
            _ => can.next(),
        }
    }
    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        let skipped = usize::from(self.mistake == "hides one");
        self.frames.iter().skip(skipped).for_each(|&frame| visit(frame));
        if self.mistake == "shows one twice" {
            self.frames.first().iter().for_each(|&&frame| visit(frame));
        }
    }
}

/// The law that a policy with this mistake is told it broke, in most of a hundred worlds.
fn broken(mistake: &'static str) -> String {
    let mut said: Vec<String> = (0..100)
        .filter_map(|seed| {
            let own = std::cell::Cell::new(0);
            let new = || {
                own.set(own.get() + 1);
                Wrong { mistake, own: own.get(), ..Wrong::default() }
            };
            let cause = catch_unwind(std::panic::AssertUnwindSafe(|| laws::obeyed(5, seed, new))).err()?;
            let text = cause.downcast_ref::<&str>().map(|&text| text.to_owned());
            text.or_else(|| cause.downcast_ref::<String>().cloned())
        })
        .collect();
    assert!(said.len() > 90, "{mistake}: noticed in {} of 100 worlds", said.len());
    said.swap_remove(0)
}

#[test]
fn whoever_breaks_a_law_is_told_which() {
    laws::obeyed(5, 1, Wrong::default);
    for (mistake, law) in [
        ("finds none", "None only if no frame is evictable"),
        ("takes what is pinned", "a victim is admitted and evictable"),
        ("takes what it never had", "a victim is admitted and evictable"),
        ("is not the same twice", "law: "),
        ("asks about others", "asked about frame 1, which is not the policy's"),
        ("hides one", "order shows exactly the admitted frames"),
        ("shows one twice", "twice"),
        ("keeps what was freed", "order shows exactly the admitted frames"),
    ] {
        let said = broken(mistake);
        assert!(said.contains(law), "{mistake}: {said}");
    }
}
