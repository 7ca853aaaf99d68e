//! A simulated machine: everything from one seed, and an oracle that knows what every load must return.
//!
//! ```text
//!   Program --Op--> World --Event/Control--> Pager --Effects--> Machine (MMU, memory, disk)
//!                     |                                            |
//!                     +-------- every word loaded ------> Oracle <-+
//! ```
//! The whole run is a list of operations ([`Op`]), the disk's answers among them; a seed draws them
//! ([`Program`]), and when something is wrong they are shortened ([`shrink`]) to a scenario that people can read.
//!
//! What is decided stays in the core; nothing here decides, and nothing here knows how the core decides.
#![forbid(unsafe_code)]

mod audit;
mod calls;
mod cpu;
mod disk;
mod exhaust;
mod fingerprint;
mod log;
mod machine;
mod op;
mod oracle;
mod program;
mod random;
mod run;
mod setup;
mod shrink;
mod side;
pub mod story;
mod text;
mod world;

pub use disk::{Disk, JUNK};
pub use exhaust::{Reached, Small};
pub use log::Log;
pub use machine::Machine;
pub use op::{CpuNo, Direction, How, Mapped, Name, Op};
pub use program::Program;
pub use random::{Random, scramble};
pub use run::{Failure, operations, run_ops, run_seed, tell};
pub use setup::{Contents, NAMES, Setup, WORDS, policies};
pub use shrink::shrink;
pub use text::{BadScenario, Scenario};
pub use world::{Stats, Watch, World};
