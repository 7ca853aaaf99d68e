//! The quick rows of the matrix of real programs: under `mager run` their output is what it is without.
//!
//! `cargo xtask matrix` owns the programs; this is the same with this build of the command.

use std::path::Path;
use std::process::{Command, Stdio};

const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// Cargo on this workspace, into the target directory that these tests come from.
fn cargo(words: &[&str]) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("below the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(words).args(["--quiet", "--profile", PROFILE, "--target-dir"]).arg(target);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    cargo
}

/// The rows of these programs, swap file alone and with compressed pages; each must be right, or say what it lacks.
#[track_caller]
fn rows_are_right(programs: &[&str]) {
    if !mager::possible() {
        eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here");
        return;
    }
    let built = cargo(&["build", "-p", "mager-preload"]).status().expect("cargo runs");
    assert!(built.success(), "the library does not build");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut matrix = cargo(&["run", "-p", "xtask"]);
    matrix.args(["--", "matrix", "--scale", "small", "--ways", "mager,compressed", "--limit", "600"]);
    matrix.args(["--only", &programs.join(","), "--mager", env!("CARGO_BIN_EXE_mager"), "--dir"]);
    let ran = matrix.arg(dir.path()).output().expect("it starts");
    let (table, said) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{table}{said}");
    for program in programs {
        let row = table.lines().find(|line| line.starts_with(&format!("| {program} |"))).expect("a row");
        if row.contains("not run: ") {
            eprintln!("SKIPPED: {row}");
        } else {
            assert!(row.contains("| yes |"), "{row}\n{said}");
        }
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("the directory").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn one_process_puts_out_the_same() {
    rows_are_right(&["sort", "python-lists", "numpy", "sqlite", "cpp-sort"]);
}

#[test]
fn many_processes_put_out_the_same() {
    rows_are_right(&["python-fork", "python-spawn", "bash", "git"]);
}
