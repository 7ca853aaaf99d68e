//! `mager run` as a user meets it: what reaches the program and comes from it, what is refused, what is left behind.

mod binaries;
mod doors;
mod figures;
mod forked;
mod killed;
mod mappings;
mod place;
mod promises;
mod refused;
#[path = "../command/running.rs"]
mod running;
mod signals;
mod status;
mod without;
