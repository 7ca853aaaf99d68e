//! Several clients, of three forked generations of eight threads each, write patterns that check themselves over eight times the memory there is,
//! while reads and writes of swap fail, bits are flipped, and clients are killed. No byte may ever be wrong: what cannot
//! be had is denied.
//!
//! `MAGER_STRESS_SECONDS` says for how long; 10 if it does not.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::process::{Ended, again, role, word};
use common::sys::{Teller, die_with, fork, wait};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Connection, OnPagerDeath, Pages};
use mager_linux_pager::{EngineKind, Faults, Limits, SwapPlace};
use std::path::Path;
use std::time::{Duration, Instant};

const FRAMES: u32 = 1024;
const CLIENTS: u32 = 3;
const THREADS: u32 = 8;
const GENERATIONS: u32 = 3;
/// Of each process, so that all of them have eight times the memory.
const PAGES: u32 = (8 * FRAMES / CLIENTS / GENERATIONS).next_multiple_of(THREADS);
const WRONG: i32 = 3;
/// Where in a page its words are.
const WORDS: [u64; 3] = [0, 2040, 4088];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 11) % u64::from(below)).expect("below a u32")
    }
}

fn pattern(page: u32, version: u64, at: u64) -> u64 {
    match version {
        0 => 0,
        _ => (u64::from(page) << 40 | version << 13 | at).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
    }
}

/// One thread's pages: every eighth.
struct Worker<'a> {
    arena: &'a Arena,
    pages: Pages,
    versions: Vec<u64>,
    teller: Teller,
    dice: Dice,
    first: u32,
}

impl Worker<'_> {
    /// What a child is to find: every page written once.
    fn begin(&mut self) {
        (0..self.versions.len()).for_each(|index| self.write(index));
    }

    fn run(&mut self) {
        loop {
            let own = self.dice.roll(u32::try_from(self.versions.len()).expect("few pages"));
            // Half of the time in a sequence, which is read ahead of.
            let run = if self.dice.roll(2) == 0 { 1 } else { 16 };
            for step in 0..run {
                let index = (own + step) as usize % self.versions.len();
                match self.dice.roll(1000) {
                    0 => self.forget(index),
                    1..=400 => self.write(index),
                    _ => self.check(index),
                }
            }
        }
    }

    fn page(&self, index: usize) -> u32 {
        self.pages.page + self.first + u32::try_from(index).expect("few pages") * THREADS
    }

    fn check(&mut self, index: usize) {
        let page = self.page(index);
        for at in WORDS {
            match self.teller.load(self.arena, page, at) {
                None => return self.forget(index),
                Some(found) => self.compare(page, at, found, pattern(page, self.versions[index], at)),
            }
        }
    }

    fn compare(&self, page: u32, at: u64, found: u64, expected: u64) {
        if found != expected {
            eprintln!("WRONG: page {page} has {found:#x} at {at} instead of {expected:#x}");
            mager_linux_sys::exit_now(WRONG);
        }
    }

    fn write(&mut self, index: usize) {
        self.check(index);
        let (page, version) = (self.page(index), self.versions[index] + 1);
        self.versions[index] = version;
        for at in WORDS {
            if !self.teller.store(self.arena, page, at, pattern(page, version, at)) {
                return self.forget(index);
            }
        }
    }

    /// What was denied, or is not wanted, is zeros again.
    fn forget(&mut self, index: usize) {
        let page = self.page(index);
        self.arena.discard(Pages { page, count: 1 }).expect("it is discarded");
        self.versions[index] = 0;
    }
}

fn work(path: &str, seed: u64) -> ! {
    let connection = Connection::to(Path::new(path), OnPagerDeath::End).expect("a pager");
    connection.follow_forks().expect("it can follow");
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(PAGES).expect("memory");
    let worker = |first| Worker {
        arena: &arena,
        pages,
        versions: vec![0; (PAGES / THREADS) as usize],
        teller: Teller::new(),
        dice: Dice((seed << 8 | u64::from(first)) * 2 + 1),
        first,
    };
    let mut workers: Vec<Worker<'_>> = (0..THREADS).map(worker).collect();
    workers.iter_mut().for_each(Worker::begin);
    let child = descend(GENERATIONS - 1, &mut workers);
    std::thread::scope(|scope| {
        workers.iter_mut().for_each(|worker| _ = scope.spawn(move || worker.run()));
        if let Some(child) = child {
            eprintln!("a forked client has ended with status {:#x}", wait(child));
            mager_linux_sys::exit_now(WRONG);
        }
    });
    unreachable!("it goes on for ever")
}

/// Forks so many generations, each of which goes on with what it has inherited. The child of this one, if it has any.
fn descend(generations: u32, workers: &mut [Worker<'_>]) -> Option<i32> {
    if generations == 0 {
        return None;
    }
    let parent = std::process::id();
    let child = fork();
    assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    if child > 0 {
        return Some(child);
    }
    die_with(parent);
    for worker in &mut *workers {
        worker.dice.0 ^= u64::from(generations) << 40;
        worker.teller = Teller::new();
        (0..worker.versions.len()).for_each(|index| worker.check(index));
    }
    descend(generations - 1, workers)
}

fn seconds() -> u64 {
    std::env::var("MAGER_STRESS_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(10)
}

#[test]
fn no_byte_is_ever_wrong() {
    let test = "no_byte_is_ever_wrong";
    if let Some(seed) = role() {
        work(&word(), seed.parse().expect("a seed"));
    }
    if !possible() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let faults = Faults { seed: 4, failed_reads: 1, flipped_reads: 1, failed_writes: 3, ..Faults::default() };
    let pager = Standing::start(mager_linux_pager::Options {
        swap: SwapPlace::Unnamed(dir.path().to_owned()),
        compressed: 256 << 10,
        engine: EngineKind::Auto,
        faults: Some(faults),
        // Half of the time it is the client's own quota that a page has to leave for.
        limits: Limits { frames: FRAMES / 2, ..Limits::default() },
        ..options(FRAMES, 4 * 8 * FRAMES)
    });
    let path = pager.path.to_str().expect("a plain name");
    let mut seed = 0;
    let mut start = || {
        seed += 1;
        Ended(again(test, &seed.to_string(), path).spawn().expect("a client"))
    };
    let mut clients: Vec<Ended> = (0..CLIENTS).map(|_| start()).collect();
    let (mut dice, mut kills, begun) = (Dice(99), 0, Instant::now());
    while begun.elapsed() < Duration::from_secs(seconds()) {
        std::thread::sleep(Duration::from_millis(u64::from(100 + dice.roll(1500))));
        for client in &mut clients {
            let ended = client.0.try_wait().expect("a child");
            assert!(ended.is_none(), "a client has ended by itself: {ended:?}");
        }
        clients.swap_remove(dice.roll(CLIENTS) as usize);
        kills += 1;
        clients.push(start());
    }
    println!("{kills} clients were killed; {}", pager.figures());
    for client in &mut clients {
        assert!(client.0.try_wait().expect("a child").is_none(), "a client has ended by itself");
    }
    drop(clients);
    pager.holds_nothing();
    for figure in ["swap_reserved", "swap_assigned", "expelled"] {
        pager.reaches(figure, 0);
    }
}
