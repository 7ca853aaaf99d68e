//! Going through seeds, several at a time, until one fails or the time is up.

use crate::args::SimArgs;
use crate::interrupt;
use mager_sim::{Failure, Stats, run_seed};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// What a hunt has come to.
#[derive(Debug)]
pub struct Hunt {
    /// The first seed.
    pub first: u64,
    /// Worlds that ran to their end.
    pub worlds: u64,
    /// What they did.
    pub stats: Stats,
    /// The first one that failed.
    pub failure: Option<(u64, Failure)>,
    /// How long it took.
    pub took: Duration,
    /// Ctrl-C ended it.
    pub interrupted: bool,
}

/// What all workers share.
struct Shared<'a> {
    args: &'a SimArgs,
    first: u64,
    next: AtomicU64,
    stop: AtomicBool,
}

impl Shared<'_> {
    fn work(&self, results: &Sender<(u64, Result<Stats, Failure>)>) {
        let count = self.args.count().unwrap_or(u64::MAX);
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let seed = self.first.wrapping_add(number);
            let result = run_seed(self.args.setup(seed), seed, self.args.steps, self.args.watch());
            if results.send((seed, result)).is_err() {
                return;
            }
        }
    }
}

/// Runs worlds as `args` say, from `first` on; `progress` hears of it every second.
pub fn hunt(args: &SimArgs, first: u64, mut progress: impl FnMut(&Hunt)) -> Hunt {
    let shared = Shared { args, first, next: AtomicU64::new(0), stop: AtomicBool::new(false) };
    let (sender, receiver) = channel();
    let mut hunt = Hunt {
        first,
        worlds: 0,
        stats: Stats::default(),
        failure: None,
        took: Duration::ZERO,
        interrupted: false,
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                shared.work(&sender);
            });
        }
        drop(sender);
        collect(&shared, &receiver, &mut hunt, &mut progress);
    });
    hunt
}

fn collect(
    shared: &Shared<'_>,
    results: &Receiver<(u64, Result<Stats, Failure>)>,
    hunt: &mut Hunt,
    progress: &mut impl FnMut(&Hunt),
) {
    let start = Instant::now();
    let mut told = start;
    loop {
        let result = results.recv_timeout(Duration::from_millis(200));
        hunt.took = start.elapsed();
        match result {
            Ok((_, Ok(stats))) => {
                hunt.worlds += 1;
                hunt.stats.add(&stats);
            }
            Ok((seed, Err(failure))) => {
                shared.stop.store(true, Ordering::Relaxed);
                hunt.failure.get_or_insert((seed, failure));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        hunt.interrupted = interrupt::stopped();
        if hunt.interrupted || shared.args.time.is_some_and(|time| hunt.took >= time) {
            shared.stop.store(true, Ordering::Relaxed);
        }
        if told.elapsed() >= Duration::from_secs(1) {
            told = Instant::now();
            progress(hunt);
        }
    }
}
