//! A policy's parameters, as written by a user: `name:key=value:key=value`.
//!
//! Owns the syntax and the check that every key was understood. What the keys mean stays with each policy.

use core::fmt;

/// A policy was asked for in a way that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadSpec {
    /// No policy has this name.
    Unknown(crate::UnknownPolicy),
    /// The policy has no such parameter, or it is not written `key=value`.
    NoSuchKey,
    /// The value of the named parameter is not a number in the range given.
    BadValue(&'static str, &'static str),
}

impl fmt::Display for BadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSpec::Unknown(unknown) => unknown.fmt(f),
            BadSpec::NoSuchKey => {
                write!(f, "unknown policy parameter; expected NAME:KEY=VALUE with the keys of that policy")
            }
            BadSpec::BadValue(key, range) => write!(f, "policy parameter {key}: expected {range}"),
        }
    }
}

impl core::error::Error for BadSpec {}

/// The `key=value` pairs of one policy; each policy takes what it knows.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    pairs: &'a str,
    taken: usize,
}

impl<'a> Options<'a> {
    /// Splits `name:key=value:...` into the name and its options.
    pub(crate) fn split(spec: &'a str) -> (&'a str, Self) {
        let (name, pairs) = spec.split_once(':').unwrap_or((spec, ""));
        (name, Options { pairs, taken: 0 })
    }

    fn pairs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.pairs.split(':').filter(|pair| !pair.is_empty())
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let mut found = self.pairs().filter_map(|pair| pair.split_once('=')).filter(|(k, _)| *k == key);
        let (_, value) = found.next()?;
        self.taken += 1;
        Some(value)
    }

    /// The whole number called `key`, at least `least`.
    pub(crate) fn count(&mut self, key: &'static str, default: u32, least: u32) -> Result<u32, BadSpec> {
        let Some(text) = self.take(key) else { return Ok(default) };
        let value: Option<u32> = text.parse().ok();
        value.filter(|&v| v >= least).ok_or(BadSpec::BadValue(key, "a whole number, not too small"))
    }

    /// The part of `frames` called `key`, rounded down; a ratio between 0 and 16.
    pub(crate) fn share(&mut self, key: &'static str, default: f64, frames: u32) -> Result<u32, BadSpec> {
        let ratio = match self.take(key) {
            Some(text) => text.parse().ok().filter(|r| (0.0..=16.0).contains(r)),
            None => Some(default),
        };
        ratio.map(|r| part(frames, r)).ok_or(BadSpec::BadValue(key, "a ratio between 0 and 16"))
    }

    /// Whether every pair was taken by the policy.
    pub(crate) fn all_taken(&self) -> bool {
        self.pairs().count() == self.taken
    }
}

/// `ratio` of `frames`, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates; ratios are positive"
)]
pub(crate) fn part(frames: u32, ratio: f64) -> u32 {
    (f64::from(frames) * ratio) as u32
}

/// What `share` of `all` frames comes to where `frames` of them are in circulation.
pub(crate) fn scaled(share: u32, frames: u32, all: u32) -> u32 {
    let scaled = u64::from(share) * u64::from(frames) / u64::from(all.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

/// Made over a number of frames, with options; what [`crate::Any`] needs of a policy beside its trait.
pub(crate) trait Configured: Sized {
    /// The policy over frames `0..frames`.
    fn configured(frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec>;
}
