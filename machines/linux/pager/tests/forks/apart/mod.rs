//! Tests that fork: each in a process of its own, with a pager in a process of its own.

pub mod sys;

use mager_linux_client::{Connection, OnPagerDeath};
use mager_linux_pager::{Options, Server};
use rustix::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Says which test a process is for.
const ALONE: &str = "MAGER_TEST_ALONE";
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `case`, of the test called `name`, in a process of its own: only there is every fork one of this test.
pub fn alone(name: &str, case: fn()) {
    if std::env::var(ALONE).is_ok_and(|test| test == name) {
        return case();
    }
    if !crate::common::possible() {
        return;
    }
    let mut test = Command::new(std::env::current_exe().expect("the test knows itself"))
        .args(["--exact", name, "--nocapture", "--test-threads=1", "--include-ignored"])
        .env(ALONE, name)
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a process for the test");
    let until = Instant::now() + PATIENCE;
    loop {
        match test.try_wait().expect("it is our child") {
            Some(status) => {
                // What a failed test leaves behind; a good one leaves nothing.
                sys::kill(-i32::try_from(test.id()).expect("a process"));
                return assert!(status.success(), "{name}: {status}");
            }
            None if Instant::now() > until => {
                sys::kill(-i32::try_from(test.id()).expect("a process"));
                let _ = test.wait();
                panic!("{name}: not done after {PATIENCE:?}");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// A process that was forked.
#[must_use]
pub struct Child(pub i32);

impl Child {
    /// It came to its end without a complaint.
    pub fn succeeded(self) {
        let status = sys::wait(self.0);
        assert_eq!(status, 0, "a child ended with wait status {status:#x}");
    }

    /// The signal it died by.
    pub fn died_by(self) -> i32 {
        libc::WTERMSIG(sys::wait(self.0))
    }
}

/// Forks; the child does `what` and ends.
pub fn fork(what: impl FnOnce()) -> Child {
    match sys::fork() {
        0 => {
            let done = std::panic::catch_unwind(AssertUnwindSafe(what));
            mager_linux_sys::exit_now(if done.is_ok() { 0 } else { 101 })
        }
        pid => {
            assert!(pid > 0, "fork: {}", std::io::Error::last_os_error());
            Child(pid)
        }
    }
}

/// A pager in a process of its own, which ends with its last client. To be called before there are connections.
pub fn pager(options: Options) -> (Arc<Connection>, Child) {
    let (socket, process) = pager_and_socket(options);
    (Connection::over(socket, OnPagerDeath::End).expect("a connection"), process)
}

/// The same, for a client that speaks for itself.
pub fn pager_and_socket(options: Options) -> (OwnedFd, Child) {
    let (ours, theirs) = mager_linux_sys::pair().expect("a pair of sockets");
    let mut ends = Some((ours, theirs));
    let process = fork(|| {
        sys::die_with_parent();
        let (ours, theirs) = ends.take().expect("nobody else takes them");
        drop(ours);
        let mut server = Server::new(options).expect("a pager");
        server.adopt(theirs).expect("a client");
        server.run(None).expect("it serves");
    });
    let (ours, theirs) = ends.take().expect("the child has taken a copy");
    drop(theirs);
    (ours, process)
}

/// One of the pager's figures.
pub fn figure(connection: &Connection, name: &str) -> u64 {
    let figures: serde_json::Value =
        serde_json::from_str(&connection.figures().expect("it is told")).expect("it is JSON");
    figures[name].as_u64().unwrap_or_else(|| panic!("no figure {name} in {figures}"))
}

/// Waits until one of the pager's figures is as it should be.
pub fn figure_becomes(connection: &Connection, name: &str, wanted: u64) {
    let until = Instant::now() + Duration::from_secs(10);
    while figure(connection, name) != wanted {
        assert!(Instant::now() < until, "{name} stays at {}, not {wanted}", figure(connection, name));
        std::thread::sleep(Duration::from_millis(2));
    }
}
