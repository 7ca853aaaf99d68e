//! Rewrites what golden tests hold as recorded: the scenarios and the cell tables. Read the difference before it is
//! committed: a change nobody meant is what they are there to show.

use std::io;
use std::path::Path;
use std::process::Command;

/// Runs the tests that rewrite their own files.
pub fn rewrite(root: &Path) -> io::Result<Vec<String>> {
    let done = Command::new("cargo")
        .args(["test", "--quiet", "-p", "mager-driver", "--test", "golden", "--test", "cells"])
        .env("MAGER_GOLDEN", "write")
        .current_dir(root)
        .status()?;
    if done.success() {
        Ok(Vec::new())
    } else {
        Ok(vec!["golden: the tests fail while they rewrite".to_owned()])
    }
}
