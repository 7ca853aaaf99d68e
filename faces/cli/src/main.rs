//! The `mager` command.
fn main() {}
