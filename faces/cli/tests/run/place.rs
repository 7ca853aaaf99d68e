//! A place of its own for each run: where its socket and its swap are, and whether anything is left of it.

use crate::running::LIMIT;
pub use crate::running::{Running, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Place(TempDir);

impl Place {
    /// None where there is no userfaultfd; says so loudly.
    pub fn new() -> Option<Self> {
        if !mager::possible() {
            eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here");
            return None;
        }
        library();
        Some(Place::bare())
    }

    /// For what is refused before anything is started.
    pub fn bare() -> Self {
        let place = Place(tempfile::tempdir().expect("a directory"));
        fs::create_dir(place.sockets()).expect("a new directory");
        fs::create_dir(place.swap()).expect("a new directory");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes one of the programs of these tests, as `./name` here.
    pub fn compile(&self, name: &str, flags: &[&str]) {
        let source = format!("{}/tests/run/programs/{name}.c", env!("CARGO_MANIFEST_DIR"));
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-pthread", "-o"]).arg(self.path(name)).args(flags).arg(source);
        assert!(cc.status().expect("a C compiler").success());
    }

    pub fn sockets(&self) -> PathBuf {
        self.path("sockets")
    }

    pub fn swap(&self) -> PathBuf {
        self.path("swap")
    }

    /// `mager run` with 8 MiB of memory, 128 MiB of swap in a file with a name, these options, and this program.
    pub fn run(&self, options: &[&str], program: &[&str]) -> Command {
        let mut run = self.mager(&["run", "--memory", "8M", "--swap", "128M", "--swap-file"]);
        run.arg(self.swap().join("file")).args(options).arg("--").args(program);
        run
    }

    /// Every signal does what it does by default, whatever the tests were started to ignore (by nohup, or by a shell
    /// that put them in the background): what `mager run` ignores, its program does.
    pub fn mager(&self, words: &[&str]) -> Command {
        let mut mager = Command::new("env");
        mager.args(["--default-signal", env!("CARGO_BIN_EXE_mager")]);
        mager.args(words).env("XDG_RUNTIME_DIR", self.sockets()).env_remove("MAGER_LIB");
        mager.stdin(Stdio::null()).current_dir(self.0.path());
        mager
    }

    /// A shell script, run under `mager run` to its end.
    pub fn script(&self, text: &str) -> Output {
        self.run(&[], &["sh", "-c", text]).output().expect("it starts")
    }

    /// Processes that have this place in their command line, but for `mager run` itself.
    pub fn processes(&self) -> Vec<i32> {
        let place = self.0.path().as_os_str().as_encoded_bytes();
        let ours = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let begins = |word: &[u8]| line.split(|&byte| byte == 0).nth(1) == Some(word);
            !begins(b"run") && line.windows(place.len()).any(|part| part == place)
        };
        let entries = fs::read_dir("/proc").expect("there is /proc");
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(ours).collect()
    }

    /// The pager that serves here.
    pub fn pager(&self) -> Pid {
        let serves = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|&byte| byte == 0).nth(1) == Some(b"serve")
        };
        let pager = until("a pager serves", || self.processes().into_iter().find(serves));
        Pid::from_raw(pager).expect("a process id")
    }

    /// Neither a socket, nor swap, nor a process stays.
    #[track_caller]
    pub fn becomes_clean(&self) {
        let start = Instant::now();
        while self.left() != (0, 0, vec![]) {
            let what = self.left();
            assert!(start.elapsed() < LIMIT, "sockets, swap files and processes stay: {what:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// At once.
    #[track_caller]
    pub fn is_clean(&self) {
        assert_eq!(self.left(), (0, 0, vec![]));
    }

    /// Sockets, swap files, processes.
    fn left(&self) -> (usize, usize, Vec<i32>) {
        let count = |dir: PathBuf| fs::read_dir(dir).map_or(0, Iterator::count);
        (count(self.sockets()), count(self.swap()), self.processes())
    }
}

/// What a test that failed has left behind: a command that is killed leaves its program and the pager.
impl Drop for Place {
    fn drop(&mut self) {
        // One may be making another meanwhile.
        let mut tries = if std::thread::panicking() { 100 } else { 0 };
        while tries > 0 && !self.processes().is_empty() {
            for process in self.processes().into_iter().filter_map(Pid::from_raw) {
                let _ = kill_process(process, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(5));
            tries -= 1;
        }
    }
}

/// Builds the agent's library beside the command, as `cargo build` would have done.
fn library() {
    static BUILT: std::sync::Once = std::sync::Once::new();
    BUILT.call_once(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("below the target directory");
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--profile", profile, "-p", "mager-preload", "--target-dir"])
            .arg(target);
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.expect("cargo runs").success(), "the library does not build");
    });
}

/// Waits until the program has said this.
#[track_caller]
pub fn says(run: &Running, what: &str) {
    until(what, || run.out().contains(what).then_some(()));
}

/// As `ps` shows it: R, S, T, ...
pub fn state(run: &Running) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", run.pid().as_raw_nonzero())).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
