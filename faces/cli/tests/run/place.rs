//! A place of its own for each run: where its socket and its swap are, and whether anything is left of it.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No step of a test takes as long as this.
const LIMIT: Duration = Duration::from_secs(120);

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

    pub fn mager(&self, words: &[&str]) -> Command {
        let mut mager = Command::new(env!("CARGO_BIN_EXE_mager"));
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
        let left = |dir: PathBuf| fs::read_dir(dir).map_or(0, Iterator::count);
        until("everything is gone", || {
            let all = left(self.sockets()) + left(self.swap()) + self.processes().len();
            (all == 0).then_some(())
        });
    }

    /// At once.
    #[track_caller]
    pub fn is_clean(&self) {
        let left = |dir: PathBuf| fs::read_dir(dir).map_or(0, Iterator::count);
        assert_eq!((left(self.sockets()), left(self.swap()), self.processes()), (0, 0, vec![]));
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

/// A command that runs meanwhile, its output in files; killed if a test gives up on it.
pub struct Running {
    child: Child,
    out: tempfile::NamedTempFile,
    err: tempfile::NamedTempFile,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let file = || tempfile::NamedTempFile::new().expect("a temporary file");
        let (out, err) = (file(), file());
        let end = |of: &tempfile::NamedTempFile| -> File { of.reopen().expect("the file is there") };
        let child = command.stdout(end(&out)).stderr(end(&err)).spawn().expect("it starts");
        Running { child, out, err }
    }

    pub fn out(&self) -> String {
        fs::read_to_string(self.out.path()).expect("it prints text")
    }

    pub fn err(&self) -> String {
        fs::read_to_string(self.err.path()).expect("it prints text")
    }

    /// Waits until the program has said this.
    #[track_caller]
    pub fn says(&self, what: &str) {
        until(what, || self.out().contains(what).then_some(()));
    }

    pub fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is there");
    }

    /// As `ps` shows it: R, S, T, ...
    pub fn state(&self) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        stat.rsplit(')').next()?.trim_start().chars().next()
    }

    pub fn end(mut self) -> (ExitStatus, String, String) {
        let status = until("it ends", || self.child.try_wait().expect("it is a child"));
        (status, self.out(), self.err())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn until<R>(what: &str, mut ask: impl FnMut() -> Option<R>) -> R {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
