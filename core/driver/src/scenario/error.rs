//! What can be wrong with a scenario, and where.

use super::Direction;
use alloc::string::String;
use core::fmt;
use mager_pager::BadConfig;
use mager_policies::UnknownPolicy;

/// A scenario that cannot be read, or cannot be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    /// The line of the text, counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The text has no `pager` line.
    NoPager,
    /// A word that is not what has to stand there.
    Expected {
        /// What has to stand there.
        what: &'static str,
        /// What stands there; `None` at the end of the line.
        found: Option<String>,
    },
    /// A number beyond what a scenario may ask for.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most there may be.
        most: u32,
    },
    /// A pager that cannot work.
    BadConfig(BadConfig),
    /// No policy has this name.
    UnknownPolicy(UnknownPolicy),
    /// No arena has this name.
    NoArena(String),
    /// A living arena has this name.
    NameTaken(String),
    /// No such I/O is in flight.
    NotInFlight(Direction, u32),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoPager => f.write_str("expected a line `pager frames=N`, found the end of the text"),
            Problem::Expected { what, found: Some(word) } => write!(f, "expected {what}, found `{word}`"),
            Problem::Expected { what, found: None } => {
                write!(f, "expected {what}, found the end of the line")
            }
            Problem::TooMany { what, most } => write!(f, "expected at most {most} {what}"),
            Problem::BadConfig(why) => why.fmt(f),
            Problem::UnknownPolicy(why) => why.fmt(f),
            Problem::NoArena(name) => write!(f, "no arena has the name `{name}`"),
            Problem::NameTaken(name) => write!(f, "arena `{name}` lives already"),
            Problem::NotInFlight(io, frame) => write!(f, "no {io} is in flight on frame {frame}"),
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl core::error::Error for ScenarioError {}
