//! The course contract, rule by rule: each test is named after the rule it holds the core to.
//!
//! The machine under it (`machine`, `world`) is synchronous and has real bytes: every load and store goes through
//! a page table that only effects can change, every page that leaves its frame comes back from a disk. After each
//! step the core checks its own invariants, and the world checks contract rule 19 for itself.
//!
//! Some rules speak of things the core has never heard of: names of files, process ids, the base register. Those
//! belong to the course machine; what the core has of them is tested here, and the test says what it leaves out.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod clock;
mod faults;
mod files;
mod machine;
mod map;
mod processes;
mod state;
mod world;
