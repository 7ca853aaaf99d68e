//! Joins Mager's core to a machine: the two traits a machine implements, the loop, and the event log.
//!
//! ```text
//!   machine --- Event / Control ---> Pager --- Effects ---> Hardware (at once)
//!      ^                                              \---> Paging   (started; answered by an Event)
//!      +----------------- Event::Read, Event::Written -----------/
//! ```
//! The driver decides nothing. Whatever goes in and comes out can be recorded ([`Recorder`]); a record is the run.
//! [`scenario`] is a small language for telling runs by hand.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

mod control;
mod driver;
mod log;
mod log_parse;
mod log_read;
mod log_words;
mod log_write;
mod machine;
mod replay;
pub mod scenario;

pub use control::{Control, Outcome, apply};
pub use driver::{Driver, Recorder};
pub use log::{BadLine, Expected, Header, LOG_VERSION, Line, MAX_LOG_LINE, Step};
pub use log_read::LogReader;
pub use log_words::Spelled;
pub use log_write::LogWriter;
pub use machine::{Hardware, Io, Paging};
pub use replay::{BadHeader, Difference, Diverged, Replay};
