//! What a pager sees of a backing, whatever the engine: the right bytes, or an error that says where.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod conformance;
mod faults;
mod files;
mod tiers;
mod world;
