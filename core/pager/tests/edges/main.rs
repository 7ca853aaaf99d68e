//! Edges: limits, what the view shows, what a policy is told, and calls that others must not stand in the way of.
//!
//! Most of these were found by looking at which changes of the code no other test would notice.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod bits;
mod calls;
mod limits;
mod places;
mod policy;
mod seen;
mod world;
