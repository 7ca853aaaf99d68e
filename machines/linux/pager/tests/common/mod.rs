//! A pager in a thread of the test, and a client of it.

pub mod sys;

use mager_linux_client::{Connection, OnPagerDeath};
use mager_linux_pager::{EngineKind, Options, References, Server, SwapPlace};
use std::sync::Arc;
use std::thread::JoinHandle;

/// A small pager: swap in memory, everything done at once.
pub fn options(frames: u32, swap_blocks: u32) -> Options {
    Options {
        page_size: 4096,
        frames,
        arena_pages: 1 << 20,
        swap: SwapPlace::Memory,
        swap_blocks,
        compressed: 0,
        engine: EngineKind::Inline,
        policy: "clock".into(),
        references: References::Agent,
        socket: None,
        pull: false,
        read_ahead: 32,
        events: None,
        faults: None,
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
