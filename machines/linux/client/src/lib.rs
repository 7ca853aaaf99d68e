//! A client of the Linux machine: arenas whose pages the pager holds, and the agent that serves it.
//!
//! ```text
//!   program's threads --- touch ---> arena (kernel: userfaultfd) ---> pager
//!   program ------------- Request --------------------------------->
//!   agent thread <------- Order -----------------------------------
//! ```
//! The memory in an arena is used like any other. This crate hands out ranges of pages, never references to them: who
//! may touch what and when is for the layer above. All unsafe code is in `mager-linux-sys`.
#![forbid(unsafe_code)]

mod agent;
mod arena;
mod body;
mod connection;
mod error;
mod fork;
mod forked;
mod gate;
mod room;

pub use agent::{OnPagerDeath, PAGER_DIED};
pub use arena::{Arena, Pages};
pub use connection::Connection;
pub use error::Error;
pub use fork::{Forking, fork_or_refuse};
pub use gate::{Gate, Passage};
pub use mager_linux_wire::Facts;
pub use room::Room;
