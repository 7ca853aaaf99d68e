//! Runs the command.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What the command printed, and how it ended.
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mager"));
    command.stdin(Stdio::null()).env_remove("MAGER_LIB");
    command
}

pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

pub fn mager<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    finish(command().args(arguments))
}

/// A directory of its own, with one file in it.
pub fn with_file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("the file is written");
    (dir, path)
}
