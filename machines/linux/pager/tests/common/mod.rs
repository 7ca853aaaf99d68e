//! A pager in a thread of the test, and clients of it.

pub mod honest;
pub mod process;
pub mod raw;
pub mod sys;

use mager_linux_client::{Connection, OnPagerDeath};
use mager_linux_pager::{EngineKind, Limits, Options, References, Server, SwapPlace};
use rustix::fd::OwnedFd;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A small pager: swap in memory, everything done at once.
pub fn options(frames: u32, swap_blocks: u32) -> Options {
    Options {
        page_size: 4096,
        frames,
        arena_pages: 1 << 20,
        swap: SwapPlace::Memory,
        swap_blocks,
        compressed: 0,
        elastic: true,
        engine: EngineKind::Inline,
        policy: "clock".into(),
        references: References::Agent,
        socket: None,
        pull: false,
        read_ahead: 32,
        events: None,
        faults: None,
        limits: Limits::default(),
    }
}

/// Starts a pager that ends with its last client.
pub fn start(options: Options) -> (Arc<Connection>, JoinHandle<()>) {
    let (ours, theirs) = mager_linux_sys::pair().expect("a pair of sockets");
    let pager = std::thread::spawn(move || {
        let mut server = Server::new(options).expect("a pager");
        server.adopt(theirs).expect("a client");
        server.run(None).expect("it serves");
    });
    (Connection::over(ours, OnPagerDeath::Stall).expect("a connection"), pager)
}

/// Whether there is userfaultfd here; says loudly if not.
pub fn possible() -> bool {
    let open = mager_linux_sys::Userfault::open();
    if let Err(why) = &open {
        eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here: {why}");
    }
    open.is_ok()
}

/// A pager with a socket, in a thread, that serves until it is told to stop.
#[derive(Debug)]
pub struct Standing {
    pub path: PathBuf,
    stop: Option<OwnedFd>,
    pager: Option<JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

impl Standing {
    pub fn start(mut options: Options) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("socket");
        options.socket = Some(path.clone());
        let (stop, stopped) = mager_linux_sys::pair().expect("a pair of sockets");
        let (ready, listens) = std::sync::mpsc::channel();
        let pager = std::thread::spawn(move || {
            let outcome = std::panic::catch_unwind(|| {
                let mut server = Server::new(options).expect("a pager");
                ready.send(()).expect("somebody waits");
                server.run(Some(&stopped)).expect("it serves");
            });
            if outcome.is_err() {
                // Clients wait for a pager that is gone: nothing else would end the test.
                std::process::abort();
            }
        });
        listens.recv().expect("a pager that listens");
        Standing { path, stop: Some(stop), pager: Some(pager), _dir: dir }
    }

    pub fn connect(&self) -> Arc<Connection> {
        Connection::to(&self.path, OnPagerDeath::Stall).expect("a connection")
    }

    pub fn figures(&self) -> Value {
        let text = Connection::observe(&self.path).expect("figures");
        serde_json::from_str(&text).expect("they are JSON")
    }

    pub fn figure(&self, name: &str) -> u64 {
        self.figures()[name].as_u64().unwrap_or_else(|| panic!("no figure {name}"))
    }

    /// Waits until a figure is what it should be.
    pub fn reaches(&self, name: &str, value: u64) {
        self.comes_to(&format!("{name} is {value}"), |figures| figures[name].as_u64() == Some(value));
    }

    /// Waits until every frame is free or withheld for compressed pages.
    pub fn holds_nothing(&self) {
        self.comes_to("no frame is in use", |figures| {
            let figure = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("no figure {name}"));
            figure("free_frames") + figure("withheld_frames") == figure("frames")
        });
    }

    fn comes_to(&self, what: &str, is: impl Fn(&Value) -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        while !is(&self.figures()) {
            assert!(Instant::now() < until, "it does not come to this: {what}; {}", self.figures());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.pager.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the pager did not end well");
    }
}
