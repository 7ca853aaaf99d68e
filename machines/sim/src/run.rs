//! Runs: a world from a seed to its end, and what went wrong if it did.

use crate::op::Op;
use crate::program::Program;
use crate::setup::Setup;
use crate::world::{Stats, Watch, World};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A world that went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What was broken, by its name.
    pub message: String,
    /// Operations that had happened before, the one that failed included.
    pub operations: usize,
}

impl Failure {
    /// Whether another failure is of the same kind: the same words, whatever the numbers in them.
    #[must_use]
    pub fn is_like(&self, other: &Failure) -> bool {
        let words = |message: &str| -> String { message.chars().filter(|c| !c.is_ascii_digit()).collect() };
        words(&self.message).split(':').next() == words(&other.message).split(':').next()
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static WHERE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Panics of a run are caught and told by us; those of everybody else are told as ever.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                WHERE.set(info.location().map(|at| format!("{}:{}", at.file(), at.line())));
            } else {
                others(info);
            }
        }));
    });
}

/// Runs `work`; a panic in it is its failure.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    hush();
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let at = WHERE.take().unwrap_or_default();
        format!("{} ({at})", text.unwrap_or_else(|| "panic".into()))
    })
}

/// Runs the world of `seed` for `steps` operations and to its end.
pub fn run_seed(setup: Setup, seed: u64, steps: u64, watch: Watch) -> Result<Stats, Failure> {
    let mut done = 0;
    let work = || {
        let mut world = World::new(setup, watch);
        let mut program = Program::new(seed, setup.cpus);
        for _ in 0..steps {
            let op = program.next(&world);
            done += 1;
            world.apply(op);
        }
        world.finish()
    };
    caught(work).map_err(|message| Failure { message, operations: done })
}

/// The operations of the world of `seed` up to where it fails, or all of them.
#[must_use]
pub fn operations(setup: Setup, seed: u64, steps: u64, watch: Watch) -> Vec<Op> {
    let mut ops = Vec::new();
    let work = || {
        let mut world = World::new(setup, watch);
        let mut program = Program::new(seed, setup.cpus);
        for _ in 0..steps {
            let op = program.next(&world);
            ops.push(op);
            world.apply(op);
        }
    };
    // How it fails is found again by whoever runs the operations.
    drop(caught(work));
    ops
}

/// Runs these operations and the world to its end.
pub fn run_ops(setup: Setup, ops: &[Op], watch: Watch) -> Result<Stats, Failure> {
    let mut done = 0;
    let work = || {
        let mut world = World::new(setup, watch);
        for &op in ops {
            done += 1;
            world.apply(op);
        }
        world.finish()
    };
    caught(work).map_err(|message| Failure { message, operations: done })
}

/// Runs these operations and tells every step; the story ends where the run does.
pub fn tell(setup: Setup, ops: &[Op]) -> (Vec<String>, Result<Stats, Failure>) {
    let mut world = World::new(setup, Watch { story: true, ..Watch::CLOSELY });
    let mut done = 0;
    let work = || {
        for &op in ops {
            done += 1;
            world.apply(op);
        }
        world.finish()
    };
    let result = caught(work).map_err(|message| Failure { message, operations: done });
    (world.story().to_vec(), result)
}
