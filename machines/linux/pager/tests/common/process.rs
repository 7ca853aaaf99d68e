//! Test programs that run themselves again, as a pager or as a client of their own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROLE: &str = "MAGER_TEST_ROLE";

/// What this process is to be, if a test has started it.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// This test program again, running one test only, in a role and with a word to go with it.
pub fn again(test: &str, role: &str, word: &str) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]);
    command.env(ROLE, role).env("MAGER_TEST_WORD", word).stdout(Stdio::null());
    command
}

pub fn word() -> String {
    std::env::var("MAGER_TEST_WORD").unwrap_or_default()
}

/// A child that is ended with its owner.
#[derive(Debug)]
pub struct Ended(pub Child);

impl Ended {
    /// Waits until it ends by itself.
    pub fn within(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
