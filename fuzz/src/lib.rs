//! Fuzz targets: everything that takes bytes from outside, as plain functions, so that they are tests too.
//!
//! `cargo test` runs the corpora and some thousands of their mutations on the stable compiler;
//! `cargo xtask fuzz --time 10m` lets libFuzzer look for new ones.

mod bytes;
mod core_events;
mod texts;
mod worlds;

pub use core_events::core_events;
pub use texts::{event_log, protocol, scenarios};
pub use worlds::worlds;
