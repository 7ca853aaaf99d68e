//! The library for C, as `include/mager.h` shows it: a pager of one's own or a standing one, arenas, memory, files.
//!
//! Calls that fail return a null pointer or -1, set `errno`, and leave a sentence for `mager_last_error`. Every pointer
//! that C hands in is used in `sys` only.

mod mappings;
mod sys;

pub use sys::*;
