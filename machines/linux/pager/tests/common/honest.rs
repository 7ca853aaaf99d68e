//! A client that does everything right, and finds its bytes again, whatever others do meanwhile.

use super::sys::{load, store};
use super::{Standing, options, possible};
use mager_linux_client::{Arena, Connection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

#[derive(Debug)]
pub struct Honest {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

fn word(page: u32, round: u64) -> u64 {
    (round << 32 | u64::from(page)).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

impl Honest {
    /// Keeps `count` pages in use.
    pub fn start(pager: &Standing, count: u32) -> Self {
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let connection = pager.connect();
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&rounds));
        let thread = std::thread::spawn(move || work(&connection, count, &stopped, &counted));
        Honest { stop, rounds, thread: Some(thread) }
    }

    /// Goes on for some more rounds, and ends with the right bytes.
    pub fn finish(mut self) {
        let before = self.rounds.load(Ordering::Acquire);
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while self.rounds.load(Ordering::Acquire) < before + 3 {
            let alive = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
            assert!(alive, "the honest client found wrong bytes");
            assert!(std::time::Instant::now() < until, "the honest client does not get on");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        self.stop.store(true, Ordering::Release);
        self.thread.take().expect("it runs").join().expect("the honest client found its bytes");
    }
}

fn work(connection: &Arc<Connection>, count: u32, stop: &AtomicBool, rounds: &AtomicU64) {
    let arena = Arena::new(connection).expect("an arena");
    let pages = arena.map(count).expect("memory");
    for round in 0.. {
        if stop.load(Ordering::Acquire) {
            return;
        }
        for page in 0..count {
            let expected = if round == 0 { 0 } else { word(page, round) };
            assert_eq!(load(&arena, pages.page + page), expected, "page {page} in round {round}");
            store(&arena, pages.page + page, word(page, round + 1));
        }
        rounds.store(round, Ordering::Release);
    }
}

/// Runs `misbehave` beside an honest client, which must not notice.
pub fn beside(misbehave: impl FnOnce(&Standing)) {
    if !possible() {
        return;
    }
    let pager = Standing::start(options(256, 8192));
    let honest = Honest::start(&pager, 512);
    misbehave(&pager);
    honest.finish();
    pager.reaches("swap_reserved", 0);
    pager.reaches("free_frames", 256);
}
