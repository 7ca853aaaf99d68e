//! Shrinking: the smallest failing prefix, then the fewest operations.
//!
//! Leaving out chunks of operations, halving the chunks (Zeller's delta debugging), until no single one can go.

use crate::op::Op;
use crate::run::{Failure, run_ops};
use crate::setup::Setup;
use crate::world::Watch;

const WATCH: Watch = Watch { check_every: 1, replay: false, story: false };

/// The fewest operations found that still fail in the same way, with their failure.
///
/// `None` if they do not fail at all.
#[must_use]
pub fn shrink(setup: Setup, ops: &[Op], budget: u32) -> Option<(Vec<Op>, Failure)> {
    let failure = run_ops(setup, ops, WATCH).err()?;
    let mut shrinker = Shrinker { setup, ops: ops[..failure.operations].to_vec(), failure, budget };
    let mut chunk = shrinker.ops.len().div_ceil(2);
    while chunk > 0 && shrinker.budget > 0 {
        let removed = shrinker.pass(chunk);
        if !removed || chunk > 1 {
            chunk /= 2;
        }
    }
    Some((shrinker.ops, shrinker.failure))
}

struct Shrinker {
    setup: Setup,
    ops: Vec<Op>,
    failure: Failure,
    budget: u32,
}

impl Shrinker {
    /// Tries to leave out each chunk, the last first. Whether one could go.
    fn pass(&mut self, chunk: usize) -> bool {
        let mut removed = false;
        let mut end = self.ops.len();
        while end > 0 && self.budget > 0 {
            let start = end.saturating_sub(chunk);
            removed |= self.without(start, end.min(self.ops.len()));
            end = start;
        }
        removed
    }

    fn without(&mut self, start: usize, end: usize) -> bool {
        self.budget -= 1;
        let fewer = [&self.ops[..start], &self.ops[end.max(start)..]].concat();
        let Err(failure) = run_ops(self.setup, &fewer, WATCH) else { return false };
        if !failure.is_like(&self.failure) {
            return false;
        }
        self.ops = fewer[..failure.operations].to_vec();
        self.failure = failure;
        true
    }
}
