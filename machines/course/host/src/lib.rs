//! The course machine's host: what calls a pager object and keeps real processes in order.
//!
//! Owns physical memory, swap, file blocks, the meeting with applications, their schedule, the log, the watch over
//! the pager object, and the end of it all. What a page is and which one goes is the pager object's; trapping and
//! mapping in an application's address space is the application library's.
//!
//! An access travels: an application's touch traps, its library asks here (`talk`), `schedule` calls the object
//! through `pager` (logged, watched, judged), and the entries that changed go back in the answer.

mod arrivals;
mod close;
mod disk;
mod error;
mod host;
mod kin;
mod log;
mod meeting;
mod memory;
mod options;
mod orders;
mod pager;
mod process;
mod report;
mod schedule;
mod services;
mod sys;
mod talk;
mod watch;

pub use error::HostError;
pub use host::Host;
pub use options::{LogPids, Options, Sink, Swap};
pub use report::{Report, Transfers};
pub use watch::{STATUS_PAGER_LOST, Watch};
