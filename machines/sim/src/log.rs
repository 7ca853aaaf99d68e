//! The log of a run: everything that went into the core, and a digest of everything that came out.
//!
//! With it every run is replayed at its end: a pager that is told the same must decide the same.

use crate::random::scramble;
use mager_driver::{Control, Outcome, Recorder, apply};
use mager_pager::{Effect, Effects, Event, Home, Pager};
use mager_policies::Policy;

#[derive(Clone, Copy, Debug)]
enum Input {
    Control(Control),
    Event(Event),
}

/// What was put in and what came out.
#[derive(Debug)]
pub struct Log {
    inputs: Vec<(Input, u64)>,
    keep: bool,
    /// The lines of the story, when somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
}

impl Log {
    pub(crate) fn new(keep: bool, story: bool) -> Self {
        Log { inputs: Vec::new(), keep, story: story.then(Vec::new) }
    }

    fn put(&mut self, input: Input, effects: &[Effect]) {
        if self.keep {
            self.inputs.push((input, digest(effects)));
        }
    }

    fn tell(&mut self, what: impl FnOnce() -> String, effects: &[Effect]) {
        if let Some(lines) = &mut self.story {
            lines.push(what());
            lines.extend(effects.iter().map(|effect| format!("        {}", crate::story::effect(effect))));
        }
    }

    /// Tells a fresh pager the same again and holds its effects against the first ones.
    pub(crate) fn replay<P: Policy>(&self, mut pager: Pager<P>) {
        let mut out = Effects::new();
        for (index, (input, expected)) in self.inputs.iter().enumerate() {
            out.clear();
            match *input {
                Input::Event(event) => pager.step(event, &mut out),
                Input::Control(call) => drop(apply(&mut pager, call, &mut out)),
            }
            assert!(digest(&out) == *expected, "replay: input {index}, {input:?}, has other effects");
        }
    }
}

impl Recorder for Log {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        if let Outcome::Refused(why) = outcome {
            assert!(effects.is_empty(), "control: {call:?} was refused ({why}), but has effects");
        }
        self.put(Input::Control(*call), effects);
        self.tell(|| format!("    {}", crate::story::control(call, outcome)), effects);
    }

    fn event(&mut self, event: &Event, effects: &[Effect]) {
        self.put(Input::Event(*event), effects);
        self.tell(|| format!("    {}", crate::story::event(event)), effects);
    }
}

/// A number that two lists of effects share only if they are equal, as good as surely.
pub(crate) fn digest(effects: &[Effect]) -> u64 {
    effects.iter().fold(0, |so_far, effect| {
        words(effect).into_iter().fold(so_far, |so_far, word| scramble(so_far.rotate_left(5) ^ word))
    })
}

fn home_word(home: Home) -> u64 {
    match home {
        Home::Swap(block) => u64::from(block.0),
        Home::Object(object, block) => 1 << 63 | u64::from(object.0) << 32 | u64::from(block.0),
    }
}

fn site_word(at: mager_pager::Site) -> u64 {
    u64::from(at.arena.slot) << 48 ^ u64::from(at.arena.generation) << 24 ^ u64::from(at.page.0)
}

fn words(effect: &Effect) -> [u64; 3] {
    match *effect {
        Effect::Map { at, frame, access } => [1 + access as u64, site_word(at), u64::from(frame.0)],
        Effect::Clear { at, frame } => [16, site_word(at), u64::from(frame.0)],
        Effect::Unmap { at, frame } => [8, site_word(at), u64::from(frame.0)],
        Effect::Zero { frame, at } => [9, site_word(at), u64::from(frame.0)],
        Effect::Copy { from, to, at } => [10, site_word(at), u64::from(from.0) << 32 | u64::from(to.0)],
        Effect::Read { frame, home, at } => [11 ^ home_word(home) << 8, site_word(at), u64::from(frame.0)],
        Effect::Write { frame, home } => [12, home_word(home), u64::from(frame.0)],
        Effect::Empty { frame } => [14, u64::from(frame.0), 0],
        Effect::Release { block } => [15, u64::from(block.0), 0],
        Effect::Resume { who, outcome } => [13, who.0, outcome.map_or_else(|why| 1 + why as u64, |()| 0)],
    }
}
