//! Commands that run meanwhile, and waiting for what they come to.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// No step of a test takes as long as this.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A program that runs meanwhile; killed if a test gives up on it.
pub struct Running {
    child: Child,
    out: NamedTempFile,
    err: NamedTempFile,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let file = || NamedTempFile::new().expect("a temporary file");
        let (out, err) = (file(), file());
        let end = |of: &NamedTempFile| -> File { of.reopen().expect("the file is there") };
        let child = command.stdout(end(&out)).stderr(end(&err)).spawn().expect("it starts");
        Running { child, out, err }
    }

    pub fn out(&self) -> String {
        fs::read_to_string(self.out.path()).expect("it prints text")
    }

    pub fn err(&self) -> String {
        fs::read_to_string(self.err.path()).expect("it prints text")
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        pid.expect("a process id")
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("it is there");
    }

    /// Waits for its end.
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
