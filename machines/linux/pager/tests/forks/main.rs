//! Forks of clients, and races of clients with their pager: each test in a process of its own.

mod answers;
mod apart;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "every test crate uses its part")]
mod common;
mod cost;
mod death;
mod fork;
mod held;
mod kin;
mod moved;
mod race;
mod seal;
mod words;
