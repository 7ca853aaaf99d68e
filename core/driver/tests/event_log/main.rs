//! The event log and its replay: what is written is read back, runs again the same, and says where it does not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fuzz;
mod replay;
mod round_trip;
mod run;
