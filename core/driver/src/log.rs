//! The event log: a run as text, one control call, event or effect a line.
//!
//! ```text
//! mager-events 3
//! config page-size=65536 arena-pages=256 arena-base=0x600000000 frames=4 swap-blocks=16 references=trap sharing=frame low-water=0
//! policy clock
//! seed 0
//! call create -> arena 0.0
//! call map-swap 0.0 -> page 0
//!   map 0.0:0 frame 0 read
//! event fault 0.0:0 write by 7
//!   zero frame 1 for 0.0:0
//!   map 0.0:0 frame 1 write
//!   resume 7 ok
//! end 3
//! ```
//! Owns what a log is made of: its header, its steps (a call or an event, counted from 1), its lines. `log_write`
//! writes one, `log_read` reads one back, `log_words` and `log_parse` know how values are spelled; [`Replay`](crate::Replay) runs
//! one. `docs/event-log.md` has the grammar for other tools. Files and time stay outside: text goes in and out.

use crate::{Control, Outcome};
use alloc::string::String;
use core::fmt;
use mager_pager::{Config, Effect, Event};

/// The version of the format that this crate writes and reads.
pub const LOG_VERSION: u32 = 3;

/// No line of a log is longer, in bytes, without its line end.
pub const MAX_LOG_LINE: usize = 4096;

/// What has to be known before the first step: with it, the steps decide everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The pager's fixed facts.
    pub config: Config,
    /// The policy's name, as [`Any::new`](mager_policies::Any::new) knows it.
    pub policy: String,
    /// What the run's chances came from; 0 where nothing was left to chance.
    pub seed: u64,
}

/// One thing that went into the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A control call and what it returned.
    Call(Control, Outcome),
    /// An event.
    Event(Event),
}

/// What one line of a log says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// Nothing yet: an empty line, or one of the first lines of the header.
    Nothing,
    /// A note for people.
    Note(&'a str),
    /// The header is complete.
    Header(Header),
    /// Something went into the core.
    Step(Step),
    /// The core decided something because of the last step.
    Effect(Effect),
    /// The log is complete, and had so many steps.
    End(u64),
}

/// What was expected at a place of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Exactly this word.
    Word(&'static str),
    /// Something of this kind.
    Kind(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Word(word) => write!(f, "`{word}`"),
            Expected::Kind(kind) => f.write_str(kind),
        }
    }
}

/// A line that is not part of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// Which line, counted from 1.
    pub line: u64,
    /// What would have been right.
    pub expected: Expected,
    /// What stood there, shortened; `None`: the line was over.
    pub found: Option<String>,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, found ", self.line, self.expected)?;
        match &self.found {
            Some(found) => write!(f, "{found:?}"),
            None => f.write_str("the end of the line"),
        }
    }
}

impl core::error::Error for BadLine {}
