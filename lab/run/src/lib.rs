//! The policy lab: policies run over reference traces, counted, drawn.
//!
//! Owns the fast table of frames the policies run over, exact and sampled miss-ratio curves, statistics of traces
//! and the pictures of both. Reading traces is `mager-trace`'s, the policies are the core's own, and talking to the
//! user is the command's.
#![forbid(unsafe_code)]

mod chart;
mod curve;
mod future;
mod html;
mod intern;
mod jobs;
mod memory;
mod shards;
mod simulation;
mod stack;
mod stats;
mod trace;

pub use chart::{Chart, Line, Scale};
pub use curve::{Curve, Curves, Plan, Point, curves, is_steep, spread};
pub use future::next_accesses;
pub use html::page;
pub use intern::{Access, Interner};
pub use jobs::parallel;
pub use memory::{Memory, NoMemory, bytes_text};
pub use shards::Sample;
pub use simulation::{Counts, Mode, Simulation, simulation};
pub use stack::{Distances, StackDistances};
pub use stats::{Observer, Stats, Window};
pub use trace::{Trace, stream};
