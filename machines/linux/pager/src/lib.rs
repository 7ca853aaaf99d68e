//! The pager process of the Linux machine: the memory of other processes, held in a fixed number of frames.
//!
//! Clients hand over a userfaultfd for each arena; their threads stop at pages that are not there, and this process
//! answers. Every decision is the core's; here it becomes system calls. All unsafe code is in `mager-linux-sys`.
#![forbid(unsafe_code)]

mod ahead;
mod arenas;
mod around;
mod budget;
mod clients;
mod cure;
mod elastic;
mod expel;
mod faulting;
mod figures;
mod files;
mod fills;
mod forks;
mod frames;
mod hardware;
mod harvest;
mod heirs;
mod holes;
mod home;
mod interrupts;
mod latency;
mod log;
mod lowering;
mod machine;
mod names;
mod objects;
mod offences;
mod options;
mod paging;
mod pays;
mod placing;
mod quotas;
mod requests;
mod returns;
mod rewrites;
mod server;
mod share;
mod showing;
mod sizes;
mod start;
mod talk;
mod thread;
mod threads;
mod tickets;

pub use mager_stores::{EngineKind, Existing, Faults, SwapPlace};
pub use options::{DEFAULT_POLICY, DEFAULT_READ_AHEAD, Limits, MemoryKind, NotStarted, Options, References};
pub use server::Server;
pub use sizes::{BadSizes, Sizes};
pub use start::{NotServing, start};
