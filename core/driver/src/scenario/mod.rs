//! Scenarios: a tiny language for telling a pager's story by hand, readable by a person who knows paging.
//!
//! ```text
//! # One usable frame, two pages: the first has to go, and it is dirty.
//! pager frames=2 swap=4
//! create A
//! map A swap
//!     page 0
//!     map A 0 to frame 0, read
//! write A 0
//!     zero frame 1 for A 0
//!     map A 0 to frame 1, write
//!     resume A 0 write
//! ```
//! A line that begins with a blank is what came out, and is skipped when the text is read: a recorded scenario is a
//! scenario. [`transcript`] plays a text and writes the same text with what comes out now.
//!
//! | line | means |
//! |---|---|
//! | `pager frames=N [swap=N] [arena=N] [references=trap\|hardware\|sticky\|none] [sharing=frame\|place] [policy=NAME] [low-water=N]` | the first line: 16 swap blocks, arenas of 8 pages, traps, by frame, clock, 0 unless said otherwise |
//! | `create A`, `fork A B`, `destroy A` | arenas, by names; a destroyed name can be given again |
//! | `map A swap`, `map A file log 3` | the lowest free page; private, or block 3 of the file `log` |
//! | `map A swap at 4 count 2`, `map A file log 3 at 4 count 2` | a range at a given place |
//! | `unmap A 4`, `unmap A 4 count 2` | |
//! | `read A 0`, `write A 0` | an access: it faults unless the mapping lets it happen |
//! | `fault read A 0`, `fault write A 0` | a fault, whatever the mapping says |
//! | `pin A 0 read`, `pin A 0 write`, `unpin A 0` | |
//! | `withhold 2`, `restore 2` | free frames leave circulation, or come back; at most so many |
//! | `disown A 0` | a clean private page gives its swap block back, and is dirty |
//! | `flush`, `flush log` | every file, or one |
//! | `answer read 1`, `answer write 1`, `fail read 1`, `fail write 1` | the I/O in flight on frame 1 ends |
//! | `answer all` | every I/O in flight ends well, in the order it was started, until none is |
//! | `evict A 0` | the page there is to leave its frame |
//! | `tick` | time to work ahead |
//!
//! Owns the language and what a machine of nothing but a page table has to know to play it. What the pager decides
//! is the core's; a machine with bytes, delays and an oracle is the simulator's.

mod command;
mod error;
mod parse;
mod player;
mod words;

pub use command::{Command, Direction, Line, Place, Scenario, Setup, Target};
pub use error::{Problem, ScenarioError};
pub use player::{Player, transcript};
