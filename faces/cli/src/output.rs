//! Files that a run writes beside its output: a log, a recording.
//!
//! A file is opened before anything else is done, so that what cannot be written is told at once; what it held
//! before is lost only when the run is sure to begin, so that a refused run costs no former one its log.

use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// A file that will be written.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    what: &'static str,
    file: File,
}

impl Output {
    /// Opens or makes the file; `what` it is for is told if that fails.
    pub fn open(path: &Path, what: &'static str) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| Failure::file(path, format!("{what} cannot be written: {error}")))?;
        Ok(Output { path: path.to_owned(), what, file })
    }

    /// A second handle, to write through.
    pub fn handle(&self) -> Result<File, Failure> {
        self.file.try_clone().map_err(|error| self.failure(&error))
    }

    /// Empties the file; anything but a file of the ordinary kind has nothing to lose.
    pub fn begin(&self) -> Result<(), Failure> {
        let ordinary = self.file.metadata().is_ok_and(|found| found.is_file());
        if ordinary { self.file.set_len(0).map_err(|error| self.failure(&error)) } else { Ok(()) }
    }

    fn failure(&self, error: &std::io::Error) -> Failure {
        Failure::file(&self.path, format!("{} cannot be written: {error}", self.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_was_there_stays_until_the_run_begins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "of a former run").unwrap();
        let output = Output::open(&path, "the log").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"of a former run");
        output.begin().unwrap();
        output.handle().unwrap().write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        Output::open(Path::new("/dev/null"), "the log").unwrap().begin().unwrap();
    }
}
