//! What the tests of the link libraries share: building them, compiling programs, running pagers.
//!
//! The libraries are built here, since a test run of the workspace builds no static libraries of other crates.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// No run of a test takes as long as this.
const LIMIT: Duration = Duration::from_secs(60);

/// A file below this crate's tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A file below the course machine's directory.
pub fn course(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The directory with the three static libraries, freshly built.
pub fn libraries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile = if cfg!(debug_assertions) { ("dev", "debug") } else { ("release", "release") };
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--profile", profile.0])
            .args([
                "-p",
                "mager-course-link-host",
                "-p",
                "mager-course-link-app",
                "-p",
                "mager-course-link-pager",
            ])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "the libraries do not build");
        target.join(profile.1)
    })
}

/// Compiles a pager object into a pager program.
pub fn pager(source: &Path, program: &Path, options: &[&str]) {
    compile(source, program, "libmager_host.a", options);
}

/// Compiles an application.
pub fn application(source: &Path, program: &Path, options: &[&str]) {
    let options = [&["-fno-builtin"], options].concat();
    compile(source, program, "libmager_app.a", &options);
}

/// A small application, from its text.
pub fn application_from(text: &str, program: &Path, options: &[&str]) {
    let source = program.with_extension("cpp");
    fs::write(&source, text).unwrap();
    application(&source, program, options);
}

/// What small applications start with.
const PRELUDE: &str = r#"
#include "vm_app.h"
#include <csignal>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static char *page() {
    char *p = static_cast<char *>(vm_map(nullptr, 0));
    if (p == nullptr) { std::puts("null"); std::exit(9); }
    return p;
}
"#;

/// Compiles `body`, behind the usual headers and a function `page()`, as an application in this place.
pub fn compiled(place: &Place, name: &str, body: &str) -> PathBuf {
    let program = place.beside(name);
    application_from(&format!("{PRELUDE}{body}"), &program, &["-pthread"]);
    program
}

fn compile(source: &Path, program: &Path, library: &str, options: &[&str]) {
    let compiler = std::env::var_os("CXX").unwrap_or("c++".into());
    let done = Command::new(compiler)
        .args(["-std=c++17", "-Wall", "-Wextra", "-O1", "-I"])
        .arg(course("include"))
        .args(options)
        .arg(source)
        .arg(libraries().join(library))
        .arg("-o")
        .arg(program)
        .output()
        .expect("these tests need a C++ compiler");
    assert!(done.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&done.stderr));
}

/// A directory for the programs that a test file compiles once: in the target directory, and there for the next run.
pub fn workshop() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test.file_stem().unwrap());
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// The test pager, compiled once for a test file.
pub fn test_pager() -> &'static Path {
    static PAGER: OnceLock<PathBuf> = OnceLock::new();
    PAGER.get_or_init(|| {
        let program = workshop().join("pager");
        pager(&fixture("pager.cpp"), &program, &[]);
        program
    })
}

/// Mager's own pager, linked as an object under the host; once for a test file.
pub fn own_pager() -> &'static Path {
    static PAGER: OnceLock<PathBuf> = OnceLock::new();
    PAGER.get_or_init(|| {
        let program = workshop().join("own-pager");
        let compiler = std::env::var_os("CXX").unwrap_or("c++".into());
        let libraries = ["libmager_host.a", "libmager_pager.a"].map(|library| libraries().join(library));
        let done = Command::new(compiler).args(libraries).arg("-o").arg(&program).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        program
    })
}

/// A directory of a test's own: a pager's working directory, and apart from it the place of its socket.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Place { dir }
    }

    /// The working directory.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Where sockets are; made and removed by pagers.
    pub fn sockets(&self) -> PathBuf {
        self.dir.path().join("sockets")
    }

    /// A path in the directory above.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command to be run in the working directory.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.work())
            .env("MAGER_RUNTIME_DIR", self.sockets())
            .env_remove("MAGER_COURSE_SOCKET")
            .stdin(Stdio::null());
        command
    }

    /// The names of all files left beside the working directory's own.
    pub fn left_in_sockets(&self) -> Vec<PathBuf> {
        fs::read_dir(self.sockets())
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default()
    }
}

/// What a finished program came to.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

/// A program that runs, its output going to files; killed if a test gives up on it.
pub struct Running {
    child: Child,
    out: tempfile::NamedTempFile,
    err: tempfile::NamedTempFile,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let (out, err) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let file = |of: &tempfile::NamedTempFile| -> File { of.reopen().unwrap() };
        let child = command.stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
        Running { child, out, err }
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn out(&self) -> String {
        text(&self.out)
    }

    pub fn err(&self) -> String {
        text(&self.err)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Waits for its end; a program that takes too long fails the test.
    pub fn finish(mut self) -> Outcome {
        let status = until("the program ends", || self.child.try_wait().unwrap());
        Outcome { status, out: self.out(), err: self.err() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(file: &tempfile::NamedTempFile) -> String {
    String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned()
}

/// Runs a command to its end.
pub fn run(command: Command) -> Outcome {
    Running::start(command).finish()
}

/// Runs an application under a pager program with these options.
pub fn run_under(pager: &Path, place: &Place, options: &[&str], application: &[&OsStr]) -> Outcome {
    let mut command = place.command(pager);
    command.args(options).arg("--").args(application);
    run(command)
}

/// Asks again and again until there is an answer.
pub fn until<R>(what: &str, mut ask: impl FnMut() -> Option<R>) -> R {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}

/// A pager that serves its directory, started and ready.
pub fn serve(pager: &Path, place: &Place, options: &[&str]) -> Running {
    let mut command = place.command(pager);
    command.args(options);
    let running = Running::start(command);
    until("the pager listens", || {
        place
            .left_in_sockets()
            .iter()
            .any(|path| path.extension().is_some_and(|ext| ext == "course"))
            .then_some(())
    });
    running
}
