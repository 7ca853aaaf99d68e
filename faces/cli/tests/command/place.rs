//! Programs compiled by the command itself, and places of their own to run them in.

use crate::run::{Ran, command, finish};
pub use crate::running::{Running, until};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// Builds the real libraries beside the command that is tested, as `cargo build` would have done.
pub fn real_libraries() {
    static BUILT: std::sync::Once = std::sync::Once::new();
    BUILT.call_once(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("below the target directory");
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--profile", profile, "-p", "mager-course-link-host"]);
        build.args(["-p", "mager-course-link-app"]).arg("--target-dir").arg(target);
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.expect("cargo runs").success(), "the libraries do not build");
    });
}

/// A file of the course machine.
pub fn course(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../machines/course").join(path)
}

/// One of the six examples, compiled.
pub fn example(name: &str) -> PathBuf {
    compiled(&course(&format!("examples/{name}.cpp")), &[])
}

/// One of these tests' own programs, compiled.
pub fn program(name: &str) -> PathBuf {
    compiled(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.cpp")), &[])
}

/// The program from `source`, compiled by the command once for all tests, with `more` arguments.
pub fn compiled(source: &Path, more: &[&str]) -> PathBuf {
    static DONE: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::new(BTreeMap::new());
    real_libraries();
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    done.entry(source.to_owned())
        .or_insert_with(|| {
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-programs");
            fs::create_dir_all(&dir).expect("a directory for programs");
            let program = dir.join(source.file_stem().expect("a source has a name"));
            let mut compile = command();
            compile.args(["course", "cxx"]).args(more).args(["-Wall", "-Wextra", "-Werror", "-O1", "-o"]);
            let made = finish(compile.arg(&program).arg(source).env_remove("CXX"));
            assert_eq!((made.err.as_str(), made.code), ("", Some(0)));
            program
        })
        .clone()
}

/// A directory to work in, and beside it the places of sockets and temporary files.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Place(tempfile::tempdir().expect("a directory for temporary files"));
        for dir in [place.work(), place.temporary()] {
            fs::create_dir(dir).expect("a new directory");
        }
        place
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.0.path().join("work")
    }

    /// A file in the working directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// What `TMPDIR` says to everything that runs here.
    pub fn temporary(&self) -> PathBuf {
        self.0.path().join("temporary")
    }

    /// The directory of sockets: there while a pager is.
    pub fn sockets(&self) -> PathBuf {
        self.0.path().join("sockets")
    }

    pub fn sockets_left(&self) -> usize {
        fs::read_dir(self.sockets()).map_or(0, Iterator::count)
    }

    /// Neither a socket nor a temporary file is left.
    #[track_caller]
    pub fn is_clean(&self) {
        assert!(!self.sockets().exists(), "sockets are left");
        assert_eq!(fs::read_dir(self.temporary()).map_or(0, Iterator::count), 0, "temporary files are left");
    }

    /// A program to be run here.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Command {
        self.settle(Command::new(program))
    }

    /// `mager` with these arguments.
    pub fn mager<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut mager = self.settle(command());
        mager.args(arguments);
        mager
    }

    /// `mager course run` with these options, to its end.
    pub fn course_run(&self, options: &[&str], application: &Path, arguments: &[&str]) -> Ran {
        let mut mager = self.mager(["course", "run"]);
        finish(mager.args(options).arg("--").arg(application).args(arguments))
    }

    /// `mager course pager` with these options, listening.
    pub fn pager(&self, options: &[&str]) -> Running {
        let mut mager = self.mager(["course", "pager"]);
        mager.args(options);
        let pager = Running::start(mager);
        until("the pager serves", || pager.err().contains("mager: serving at ").then_some(()));
        pager
    }

    fn settle(&self, mut command: Command) -> Command {
        command.current_dir(self.work()).env("MAGER_RUNTIME_DIR", self.sockets());
        command.env("TMPDIR", self.temporary()).env_remove("MAGER_COURSE_SOCKET");
        command
    }
}
