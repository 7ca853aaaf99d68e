//! The policy lab: policies run over reference traces, counted, drawn.
//!
//! Owns the fast table of frames the policies run over, exact and sampled miss-ratio curves, statistics of traces
//! and the pictures of both. Reading traces is `mager-trace`'s, the policies are the core's own, and talking to the
//! user is the command's.
#![forbid(unsafe_code)]

mod future;
mod intern;
mod simulation;
mod stack;

pub use future::next_accesses;
pub use intern::{Access, Interner};
pub use simulation::{Counts, Mode, Simulation, simulation};
pub use stack::{Distances, StackDistances};
