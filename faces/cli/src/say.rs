//! Printing, with the failures that `println!` would turn into panics.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::Write;

/// Prints one thing and a line end.
pub fn line(what: impl Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Prints a value for programs.
pub fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.into()))?;
    line(text)
}
