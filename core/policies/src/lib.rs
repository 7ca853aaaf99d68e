//! Page-replacement policies.
//!
//! A policy sees frames and the numbers of the pages in them; never processes, files or I/O. It *proposes* a
//! victim; the core decides what becomes of it. This crate owns the trait and the policies, and nothing of the
//! core: the pager, the simulators and the lab all run the same code.
//!
//! | policy | observes | cost of a victim | bytes a frame |
//! |---|---|---|---|
//! | [`Fifo`] | faults | O(1) | 8 |
//! | [`Random`] | faults | O(1) | 8 |
//! | [`Clock`] | reference bits | O(1) amortised | 8 |
//! | [`Gclock`] | reference bits | O(1) amortised | 9 |
//! | [`Nru`] | reference bits | O(1) amortised | 9 |
//! | [`Aging`] | reference bits | O(1) amortised | 9 |
//! | [`WsClock`] | reference bits | O(1) amortised | 16 |
//! | [`Mglru`] | reference bits | O(1) amortised | 9 |
//! | [`Sieve`] | reference bits | O(1) amortised | 9 |
//! | [`S3Fifo`] | reference bits, or every access | O(1) amortised | 13, and 13 a ghost |
//! | [`Car`] | reference bits | O(1) amortised | 13, and 26 in ghosts |
//! | [`ClockPro`] | reference bits | O(1) amortised | 23, and 44 in ghosts |
//! | [`Lru`] | every access | O(1) | 9 |
//! | [`Lfu`] | every access | O(1) | 25 |
//! | [`TwoQ`] | every access | O(1) | 13, and 20 in ghosts |
//! | [`Arc`] | every access | O(1) | 13, and 26 in ghosts |
//! | [`Lirs`] | every access | O(1) amortised | 23, and 44 in ghosts |
//! | [`WTinyLfu`] | every access | O(1) | 13 |
//! | [`Opt`] | the future | O(log frames) | 20 |
//!
//! Policies with ghosts also keep 4 bytes for each page number up to the highest that was ever evicted.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

mod aging;
mod any;
mod arc;
mod car;
mod clock;
mod clockpro;
mod fifo;
mod gclock;
pub mod laws;
mod lfu;
mod lirs;
mod looks;
mod lru;
mod mglru;
mod nru;
mod opt;
mod options;
mod policy;
mod queues;
mod random;
mod ring;
mod s3fifo;
mod sieve;
mod twoq;
mod wsclock;
mod wtinylfu;

pub use aging::Aging;
pub use any::{Any, UnknownPolicy, Visitor};
pub use arc::Arc;
pub use car::Car;
pub use clock::Clock;
pub use clockpro::ClockPro;
pub use fifo::Fifo;
pub use gclock::Gclock;
pub use lfu::Lfu;
pub use lirs::Lirs;
pub use lru::Lru;
pub use mglru::Mglru;
pub use nru::Nru;
pub use opt::Opt;
pub use options::BadSpec;
pub use policy::{FrameNo, Frames, Gone, Observes, PageNo, Policy};
pub use random::Random;
pub use ring::Ring;
pub use s3fifo::S3Fifo;
pub use sieve::Sieve;
pub use twoq::TwoQ;
pub use wsclock::WsClock;
pub use wtinylfu::WTinyLfu;
