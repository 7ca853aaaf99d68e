//! Where the libraries are that programs are linked with, or are run with.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// A directory with the library that was looked for.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    /// What it holds was built together with this command.
    pub(crate) beside: bool,
}

const VARIABLE: &str = "MAGER_LIB";

/// Looks in `$MAGER_LIB` if it is set; else beside this command, where cargo keeps what it was not asked for by name
/// (`deps`), then in `../lib/mager` as seen from there.
pub(crate) fn find(library: &str) -> Result<Place, Failure> {
    if let Some(dir) = std::env::var_os(VARIABLE) {
        let dir = PathBuf::from(dir);
        return if dir.join(library).is_file() {
            Ok(Place { dir, beside: false })
        } else {
            Err(Failure::Use(format!("{library} is not in {}, which {VARIABLE} names", dir.display())))
        };
    }
    let command = std::env::current_exe().map_err(|error| {
        Failure::Use(format!("this command cannot find itself, so set {VARIABLE}: {error}"))
    })?;
    let beside = command.parent().unwrap_or(Path::new("/")).to_owned();
    let installed = beside.parent().unwrap_or(Path::new("/")).join("lib").join("mager");
    for dir in [beside.clone(), beside.join("deps")] {
        if dir.join(library).is_file() {
            return Ok(Place { dir, beside: true });
        }
    }
    if installed.join(library).is_file() {
        return Ok(Place { dir: installed, beside: false });
    }
    Err(Failure::Use(format!(
        "{library} is neither in {} nor in {}: build it with `cargo build --release` in Mager's repository, and \
         set {VARIABLE} to the target/release there unless this command is run from it",
        beside.display(),
        installed.display()
    )))
}
