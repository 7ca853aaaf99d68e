//! Says that the pager serves: to people on the standard error, and to whoever waits on an open file.

use crate::failure::Failure;
use std::fs::File;
use std::io::Write;

#[derive(Debug)]
pub(super) struct Ready(Option<File>);

impl Ready {
    pub(super) fn new(number: Option<i32>) -> Result<Self, Failure> {
        let told = |why| Failure::Use(format!("--ready-fd: {why}"));
        let fd = number.map(mager_linux_sys::inherited).transpose().map_err(told)?;
        Ok(Ready(fd.map(File::from)))
    }

    pub(super) fn say(&self, line: &str) {
        match &self.0 {
            Some(file) => tell(file, "ready"),
            None => eprintln!("mager: {line}"),
        }
    }

    pub(super) fn not(&self, why: &Failure) {
        if let Some(file) = &self.0 {
            tell(file, &format!("failed: {why}"));
        }
    }
}

/// Whoever does not listen any more is told nothing.
fn tell(mut file: &File, line: &str) {
    let _ = writeln!(file, "{line}");
}
