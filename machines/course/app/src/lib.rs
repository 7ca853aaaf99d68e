//! The calls of a course application: a process whose arena a pager manages.
//!
//! Owns the connection to the host, the trap handler, the arena's mappings in this process, and what fork and wait
//! must do beside the system's own. It decides nothing: it maps exactly the frames the host names, with exactly
//! those rights. The same calls for C and C++ are exported by a thin library over this crate.
//!
//! Only the first thread may touch the arena. A system call given an arena address is not faulted in: it fails with
//! `EFAULT` where the page lacks the right at that moment.
//!
//! There is no farewell to forget: the connection ends with the process, however that ends, and with `exec`.

mod arena;
mod client;
mod fork;
mod page;
mod start;
mod sys;
mod trap;
mod wait;

pub use fork::{ForkError, Forked, fork};
pub use page::{Page, map_file, map_raw, map_swap, yield_now};
pub use start::{STATUS_NO_PAGER, StartError, start, start_or_exit};
pub use wait::{Ended, let_others_run, wait};
