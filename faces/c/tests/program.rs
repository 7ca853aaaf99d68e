//! The C example, compiled against the libraries and run.

use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the libraries as `cargo build` would have done; where they are.
fn libraries() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("below the target directory");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--offline", "--package", "mager-capi", "--target-dir"]).arg(target);
    assert!(build.status().expect("cargo runs").success(), "the libraries are built");
    target.join("debug")
}

fn compile(dir: &Path, link: &[&str], libraries: &Path) -> PathBuf {
    let program = dir.join("sum");
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-std=c11", "-o"]).arg(&program);
    cc.arg(here().join("examples/sum.c")).arg("-I").arg(here().join("include"));
    cc.arg("-L").arg(libraries).args(link);
    assert!(cc.status().expect("a C compiler").success(), "the example compiles");
    program
}

/// Whether there is userfaultfd here; says loudly if not.
fn possible() -> bool {
    let open = mager_linux_sys::Userfault::open();
    if let Err(why) = &open {
        eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here: {why}");
    }
    open.is_ok()
}

#[test]
fn the_example_compiles_and_is_right_with_either_library() {
    let libraries = libraries();
    let dir = tempfile::tempdir().expect("a directory");
    let kinds: [&[&str]; 2] = [
        &["-lmagerc"],
        &["-Wl,-Bstatic", "-lmagerc", "-Wl,-Bdynamic", "-lpthread", "-ldl", "-lm", "-lgcc_s"],
    ];
    for link in kinds {
        let program = compile(dir.path(), link, &libraries);
        if !possible() {
            return;
        }
        let ran = Command::new(program).env("LD_LIBRARY_PATH", &libraries).output().expect("it starts");
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{}: {out}{err}", ran.status);
        assert!(out.starts_with("sum 35184367894528, ") && !out.contains(" 0 page-ins"), "{out}");
    }
}
