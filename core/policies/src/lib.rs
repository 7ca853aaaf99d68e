//! Page-replacement policies.
//!
//! A policy sees frames and the numbers of the pages in them; never processes, files or I/O. It *proposes* a
//! victim; the core decides what becomes of it. This crate owns the trait and the policies, and nothing of the
//! core: the pager, the simulators and the lab all run the same code.
//!
//! | policy | observes | cost of a victim | cost per frame |
//! |---|---|---|---|
//! | [`Clock`] | reference bits | O(1) amortised | 8 bytes |
//! | [`Fifo`] | faults | O(1) | 8 bytes |
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

mod any;
mod clock;
mod fifo;
pub mod laws;
mod policy;
mod ring;

pub use any::{Any, UnknownPolicy};
pub use clock::Clock;
pub use fifo::Fifo;
pub use policy::{FrameNo, Frames, Gone, Observes, PageNo, Policy};
pub use ring::Ring;
