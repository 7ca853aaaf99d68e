//! What came of a replay, in one sentence or as data.

use mager_driver::{Diverged, Header, Replay};
use serde::Serialize;
use std::fmt;

/// How far the replay went.
#[derive(Debug)]
pub(super) enum Verdict {
    /// To the end, and everything was equal.
    Equal,
    /// To where it was asked to stop.
    Stopped,
    /// To the end of the file, which is not the end of the log.
    CutOff,
    /// To the first difference, which came of this step.
    Different { how: Diverged, step: Option<String> },
}

/// A verdict with its figures.
#[derive(Serialize, Debug)]
pub(super) struct Report {
    equal: bool,
    complete: bool,
    steps: u64,
    effects: u64,
    policy: String,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
}

#[derive(Serialize, Debug)]
struct Difference {
    line: u64,
    step: u64,
    cause: Option<String>,
    how: String,
}

impl Verdict {
    pub(super) fn with(self, replay: &Replay, header: &Header) -> Report {
        let complete = matches!(self, Verdict::Equal);
        let difference = match self {
            Verdict::Equal | Verdict::Stopped | Verdict::CutOff => None,
            Verdict::Different { how, step } => {
                Some(Difference { line: how.line, step: how.step, cause: step, how: how.how.to_string() })
            }
        };
        Report {
            equal: difference.is_none(),
            complete,
            steps: replay.steps(),
            effects: replay.total_effects(),
            policy: header.policy.clone(),
            seed: header.seed,
            difference,
        }
    }
}

impl Report {
    /// The whole run was there and gave the same effects.
    pub(super) fn equal(&self) -> bool {
        self.equal && self.complete
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { steps, effects, .. } = self;
        match &self.difference {
            None if self.complete => {
                write!(f, "equal: {steps} steps gave the same {effects} effects")?;
                write!(f, " (policy {}, seed {})", self.policy, self.seed)
            }
            None => {
                write!(f, "equal as far as it goes, but the log was cut off: it has no last line.")?;
                write!(f, " {steps} steps were replayed; effects of the last one may be missing")
            }
            Some(Difference { line, step, cause, how }) => {
                write!(f, "different at line {line}, step {step}: {how}")?;
                cause.as_ref().map_or(Ok(()), |cause| write!(f, "\n  the step is \"{cause}\""))
            }
        }
    }
}
