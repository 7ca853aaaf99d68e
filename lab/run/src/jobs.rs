//! Independent jobs over a few threads, in order of a queue, until all are done or someone says stop.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    sync::mpsc,
    thread,
};

/// Runs `job(0)`, `job(1)`, .. below `count` on `threads` threads and hands each result to `done` as it comes, with
/// its number. A job gives nothing if it was stopped; none begins once `stop` is set.
pub fn parallel<T: Send>(
    count: usize,
    threads: usize,
    stop: &AtomicBool,
    job: impl Fn(usize) -> Option<T> + Sync,
    mut done: impl FnMut(usize, T),
) {
    let next = AtomicUsize::new(0);
    let (job, next) = (&job, &next);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..threads.clamp(1, count.max(1)) {
            let sender = sender.clone();
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Some(result) = job(number)
                        && sender.send((number, result)).is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(sender);
        results.into_iter().for_each(|(number, result)| done(number, result));
    });
}
