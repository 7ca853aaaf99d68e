//! Runs an event log again, through a new core, and compares whatever comes out.

use crate::log::{Header, Line, Step};
use crate::log_words::Spelled;
use crate::{Outcome, apply};
use alloc::collections::BTreeMap;
use core::fmt;
use mager_pager::{BadConfig, Effect, Effects, Event, FrameNo, Pager, View};
use mager_policies::{Any, UnknownPolicy};

/// A header that no pager can be made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadHeader {
    /// The configuration cannot work.
    Config(BadConfig),
    /// The policy has no such name.
    Policy(UnknownPolicy),
}

impl fmt::Display for BadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadHeader::Config(why) => why.fmt(f),
            BadHeader::Policy(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for BadHeader {}

/// How a replay differs from what was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Difference {
    /// A control call returned something else.
    Outcome {
        /// What the log says.
        recorded: Outcome,
        /// What came out now.
        replayed: Outcome,
    },
    /// An effect is another one.
    Effect {
        /// What the log says; `None`: it has no further effect for this step.
        recorded: Option<Effect>,
        /// What came out now; `None`: there is no further effect.
        replayed: Option<Effect>,
    },
    /// An I/O is answered that is not under way.
    Answer(FrameNo),
    /// The log's last line counts other steps than there are.
    Steps {
        /// What the log says.
        recorded: u64,
        /// What there is.
        counted: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Difference::Outcome { recorded, replayed } => {
                write!(f, "recorded \"{}\", replayed \"{}\"", Spelled(recorded), Spelled(replayed))
            }
            Difference::Effect { recorded, replayed } => {
                write!(f, "recorded {}, replayed {}", Perhaps(recorded), Perhaps(replayed))
            }
            Difference::Answer(frame) => {
                write!(
                    f,
                    "recorded the answer to an I/O of frame {frame}, but replayed there is none under way"
                )
            }
            Difference::Steps { recorded, counted } => {
                write!(f, "recorded {recorded} steps, but the log has {counted}")
            }
        }
    }
}

struct Perhaps(Option<Effect>);

impl fmt::Display for Perhaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(effect) => write!(f, "\"{}\"", Spelled(effect)),
            None => f.write_str("no further effect"),
        }
    }
}

/// Where a replay differs for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Diverged {
    /// The line of the log.
    pub line: u64,
    /// The step whose outcome or effects differ, counted from 1.
    pub step: u64,
    /// How.
    pub how: Difference,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, step {}: {}", self.line, self.step, self.how)
    }
}

impl core::error::Error for Diverged {}

/// Which I/O a frame has under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Under {
    Read,
    Write,
}

/// A run that is being replayed.
#[derive(Debug)]
pub struct Replay {
    pager: Pager<Any>,
    effects: Effects,
    /// How many of the last step's effects were compared.
    compared: usize,
    under_way: BTreeMap<FrameNo, Under>,
    steps: u64,
    total: u64,
}

impl Replay {
    /// A replay that begins where the recorded run began.
    pub fn new(header: &Header) -> Result<Self, BadHeader> {
        let config = header.config.checked().map_err(BadHeader::Config)?;
        let policy = Any::new(&header.policy, config.frames).map_err(BadHeader::Policy)?;
        let pager = Pager::new(config, policy).map_err(BadHeader::Config)?;
        Ok(Replay {
            pager,
            effects: Effects::new(),
            compared: 0,
            under_way: BTreeMap::new(),
            steps: 0,
            total: 0,
        })
    }

    /// Takes in line `number` of the log.
    pub fn line(&mut self, number: u64, line: &Line<'_>) -> Result<(), Diverged> {
        match *line {
            Line::Nothing | Line::Note(_) | Line::Header(_) => Ok(()),
            Line::Step(step) => self.step(number, step),
            Line::Effect(effect) => self.effect(number, effect),
            Line::End(recorded) => self.end(number, recorded),
        }
    }

    /// How many steps were replayed.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many effects came out so far, in all.
    #[must_use]
    pub fn total_effects(&self) -> u64 {
        self.total
    }

    /// What came out of the last step.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Everything there is to see of the core after the last step.
    #[must_use]
    pub fn view(&self) -> View<'_, Any> {
        self.pager.view()
    }

    /// Every invariant of the core; panics with the name of the one that is broken.
    pub fn check(&self) {
        self.pager.check();
    }

    fn step(&mut self, line: u64, step: Step) -> Result<(), Diverged> {
        self.all_compared(line)?;
        self.steps += 1;
        self.effects.clear();
        self.compared = 0;
        match step {
            Step::Call(call, recorded) => {
                let replayed = apply(&mut self.pager, call, &mut self.effects);
                self.expect(line, recorded == replayed, Difference::Outcome { recorded, replayed })?;
            }
            Step::Event(event) => {
                self.answered(line, event)?;
                self.pager.step(event, &mut self.effects);
            }
        }
        self.total += self.effects.len() as u64;
        self.started();
        // Names are the machine's business; here they would only pile up.
        let _ = self.pager.forgotten();
        Ok(())
    }

    /// The core takes it for granted that a driver answers what is under way and nothing else; a file may not.
    fn answered(&mut self, line: u64, event: Event) -> Result<(), Diverged> {
        let (frame, which) = match event {
            Event::Read { frame, .. } => (frame, Under::Read),
            Event::Written { frame, .. } => (frame, Under::Write),
            Event::Fault(_)
            | Event::Touched { .. }
            | Event::Ahead { .. }
            | Event::Evict { .. }
            | Event::Tick => return Ok(()),
        };
        let right = self.under_way.get(&frame) == Some(&which);
        self.expect(line, right, Difference::Answer(frame))?;
        self.under_way.remove(&frame);
        Ok(())
    }

    fn started(&mut self) {
        for effect in &self.effects {
            match *effect {
                Effect::Read { frame, .. } => self.under_way.insert(frame, Under::Read),
                Effect::Write { frame, .. } => self.under_way.insert(frame, Under::Write),
                Effect::Map { .. }
                | Effect::Clear { .. }
                | Effect::Unmap { .. }
                | Effect::Zero { .. }
                | Effect::Copy { .. }
                | Effect::Empty { .. }
                | Effect::Release { .. }
                | Effect::Resume { .. } => None,
            };
        }
    }

    fn effect(&mut self, line: u64, recorded: Effect) -> Result<(), Diverged> {
        let replayed = self.effects.get(self.compared).copied();
        self.compared += 1;
        let recorded = Some(recorded);
        self.expect(line, recorded == replayed, Difference::Effect { recorded, replayed })
    }

    fn end(&mut self, line: u64, recorded: u64) -> Result<(), Diverged> {
        self.all_compared(line)?;
        let counted = self.steps;
        self.expect(line, recorded == counted, Difference::Steps { recorded, counted })
    }

    /// Before the log goes on: it must have had all effects of the last step.
    fn all_compared(&self, line: u64) -> Result<(), Diverged> {
        let replayed = self.effects.get(self.compared).copied();
        self.expect(line, replayed.is_none(), Difference::Effect { recorded: None, replayed })
    }

    fn expect(&self, line: u64, equal: bool, how: Difference) -> Result<(), Diverged> {
        if equal { Ok(()) } else { Err(Diverged { line, step: self.steps, how }) }
    }
}
