//! Every policy against a naive one: a few lines over plain vectors, slow and plainly right, written from the
//! papers and not from the policies. On random traces both must miss at exactly the same accesses.
//!
//! Counting is as in the papers: the access that brings a page in does not reference it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod adaptive;
mod clocks;
mod queues;
mod table;

use table::{Cache, agrees};

fn check(spec: &str, naive: impl Fn(u32) -> Box<dyn Cache>) {
    for seed in 0..60 {
        for frames in [1, 2, 3, 5, 8, 13, 20, 40, 100] {
            agrees(spec, frames, seed, &mut *naive(frames));
        }
    }
}

#[test]
fn fifo() {
    check("fifo", |n| Box::new(queues::Fifo { n, q: vec![] }));
}

#[test]
fn lru() {
    check("lru", |n| Box::new(queues::Lru { n, q: vec![] }));
}

#[test]
fn lfu() {
    check("lfu", |n| Box::new(queues::Lfu { n, q: vec![] }));
}

#[test]
fn opt() {
    check("opt", |n| Box::new(queues::Opt { n, q: vec![], future: vec![], now: 0 }));
}

#[test]
fn random() {
    check("random:seed=7", |n| Box::new(queues::Random { n, q: vec![], seed: 7 }));
}

#[test]
fn two_queues() {
    check("2q", |n| Box::new(queues::TwoQ { n, a1in: vec![], a1out: vec![], am: vec![] }));
}

#[test]
fn s3_fifo_on_reference_bits() {
    check("s3-fifo", |n| Box::new(queues::S3Fifo::new(n, 1, 1, n / 10 / 2)));
}

#[test]
fn s3_fifo_watching_all_newcomers() {
    check("s3-fifo:fresh=0", |n| Box::new(queues::S3Fifo::new(n, 1, 1, 0)));
}

#[test]
fn s3_fifo_counting_touches() {
    check("s3-fifo:counts=1", |n| Box::new(queues::S3Fifo::new(n, 3, 2, 0)));
}

#[test]
fn w_tinylfu() {
    check("w-tinylfu", |n| Box::new(queues::WTinyLfu::new(n)));
}

#[test]
fn arc() {
    check("arc", |n| Box::new(adaptive::Arc { n, ..Default::default() }));
}

#[test]
fn car() {
    check("car", |n| Box::new(adaptive::Car { n, ..Default::default() }));
}

#[test]
fn lirs() {
    check("lirs", |n| Box::new(adaptive::Lirs::new(n)));
}

#[test]
fn clock_pro() {
    check("clock-pro", |n| Box::new(adaptive::ClockPro::new(n)));
}

#[test]
fn clock() {
    check("clock", |n| Box::new(clocks::Clock { n, max: 0, q: vec![] }));
}

#[test]
fn gclock() {
    check("gclock", |n| Box::new(clocks::Clock { n, max: 3, q: vec![] }));
}

#[test]
fn sieve() {
    check("sieve", |n| Box::new(clocks::Sieve { n, q: vec![], hand: 0 }));
}

#[test]
fn nru() {
    check("nru", |n| Box::new(clocks::Nru { n, q: vec![], since: 0 }));
}

#[test]
fn aging() {
    check("aging", |n| Box::new(clocks::Aging { n, q: vec![], since: 0, time: 0 }));
}

#[test]
fn wsclock() {
    check("wsclock", |n| Box::new(clocks::WsClock::new(n)));
}

#[test]
fn mglru() {
    check("mglru", |n| Box::new(clocks::Mglru::new(n)));
}
