//! Each store against a plain model, and what is its own: the budget, the end of a file, a disk that is full.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod buffers;
mod lying;
mod model;
mod swap_file;
