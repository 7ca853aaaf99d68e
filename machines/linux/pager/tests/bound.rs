//! What arenas and mapped files hold is never more than the frames: looked at from outside, and attacked.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::Honest;
use common::raw::Handmade;
use common::sys::{fill, peek, poke, populate};
use common::{Standing, options, possible};
use mager_linux_pager::{Limits, MemoryKind};
use mager_linux_sys::{MemoryFs, Window};
use mager_linux_wire::Request;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FallocateFlags;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const PAGE: u64 = 4096;

/// Whether quotas are possible here; says loudly if not.
fn quotas() -> bool {
    let fs = MemoryFs::new();
    if let Err(why) = &fs {
        eprintln!("SKIPPED: no tmpfs of one's own here: {why}");
    }
    possible() && fs.is_ok()
}

fn held(file: &impl AsFd) -> u64 {
    let blocks = rustix::fs::fstat(file).expect("a file's status").st_blocks;
    u64::try_from(blocks).expect("a count") * 512
}

/// Asks what the files hold, again and again, until told to stop: the most at any moment.
fn sample(files: Vec<OwnedFd>, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(u64, u64)> {
    std::thread::spawn(move || {
        let (mut most, mut samples) = (0, 0);
        while !stop.load(Ordering::Acquire) {
            // One after the other: a page that moves from one file to the next in between would be counted twice. So
            // the sum of two clients is looked at only where each has its own bound.
            most = most.max(files.iter().map(held).sum());
            samples += 1;
        }
        (most, samples)
    })
}

fn kinds() -> Vec<MemoryKind> {
    if quotas() { vec![MemoryKind::Quota, MemoryKind::Audit] } else { vec![MemoryKind::Audit] }
}

#[test]
fn arenas_and_files_never_hold_more_than_the_frames_under_load() {
    if !possible() {
        return;
    }
    for memory in kinds() {
        let frames = 256;
        let limits = Limits { memory, ..Limits::default() };
        let pager = Standing::start(mager_linux_pager::Options { limits, ..options(frames, 4096) });
        let client = Handmade::new(&pager.path, 2048, 2048);
        let stop = Arc::new(AtomicBool::new(false));
        let sampler = sample(vec![client.memory.try_clone().expect("a duplicate")], Arc::clone(&stop));
        for round in 0..6 {
            for page in 0..2048 {
                let at = (page * 37 + round * 11) % 2048 * PAGE;
                poke(&client.window, at, peek(&client.window, at) + 1);
            }
        }
        stop.store(true, Ordering::Release);
        let (most, samples) = sampler.join().expect("samples");
        println!("{memory:?}: {samples} samples, at most {} of {frames} frames", most / PAGE);
        assert!(samples > 100, "{samples} samples");
        assert!(most > 0 && most <= u64::from(frames) * PAGE, "{most} bytes are held");
        assert_eq!(pager.figures()["bound_by"], if memory == MemoryKind::Quota { "quota" } else { "audit" });
    }
}

/// A client with every way to its own memory that there is.
fn attack(client: &Handmade, way: &str) {
    let len = 2048 * PAGE;
    match way {
        "write" => (0..2048).for_each(|page| _ = rustix::io::pwrite(&client.memory, &[7; 4096], page * PAGE)),
        "allocate" => {
            // All at once is refused as a whole, so page by page comes further.
            let allocate =
                |at, len| _ = rustix::fs::fallocate(&client.memory, FallocateFlags::empty(), at, len);
            allocate(0, len);
            (0..2048).for_each(|page| allocate(page * PAGE, PAGE));
        }
        "other mapping" => {
            let other = Window::reserve(len, PAGE, 0).expect("room");
            other.map(0, len, &client.memory, 0, true).expect("a mapping");
            populate(&other, len);
        }
        "read" => {
            // Reading a hole through another mapping puts a page there too.
            let other = Window::reserve(len, PAGE, 0).expect("room");
            other.map(0, len, &client.memory, 0, false).expect("a mapping");
            populate(&other, len);
        }
        _ => unreachable!("no such way"),
    }
}

#[test]
fn no_path_to_its_memory_lets_a_client_exceed_its_allowance() {
    if !quotas() {
        return;
    }
    for way in ["write", "allocate", "other mapping", "read"] {
        let frames = 512;
        let pager = Standing::start(options(frames, 8192));
        let honest = Honest::start(&pager, 1024);
        let client = Handmade::new(&pager.path, 4096, 64);
        let stop = Arc::new(AtomicBool::new(false));
        let sampler = sample(vec![client.memory.try_clone().expect("a duplicate")], Arc::clone(&stop));
        fill(&client.window, 0, 64);
        attack(&client, way);
        assert!(client.raw.ends(), "{way}: it is expelled");
        attack(&client, way);
        stop.store(true, Ordering::Release);
        let (most, _) = sampler.join().expect("samples");
        println!("{way}: at most {} pages", most / PAGE);
        assert!(most <= u64::from(frames) * PAGE, "{way}: {most} bytes");
        drop(client);
        honest.finish();
        pager.reaches("expelled", 1);
    }
}

#[test]
fn a_client_that_fills_its_sealed_memory_is_found_and_expelled() {
    if !possible() {
        return;
    }
    let limits = Limits { memory: MemoryKind::Audit, ..Limits::default() };
    let pager = Standing::start(mager_linux_pager::Options { limits, ..options(256, 4096) });
    let honest = Honest::start(&pager, 512);
    let client = Handmade::new(&pager.path, 1024, 64);
    poke(&client.window, 3 * PAGE, 1);
    rustix::io::pwrite(&client.memory, &[7; 4096], 700 * PAGE).expect("a page in a hole");
    assert!(client.raw.ends(), "it is expelled");
    assert_eq!(held(&client.memory), 0, "what it had is taken away");
    honest.finish();
}

#[test]
fn what_is_given_up_is_taken_away_even_if_it_is_still_mapped() {
    if !possible() {
        return;
    }
    let pager = Standing::start(options(256, 4096));
    let client = Handmade::new(&pager.path, 1024, 64);
    fill(&client.window, 0, 64);
    assert!(held(&client.memory) >= 32 * PAGE);
    client.raw.done(&Request::Destroy(client.id), &[]);
    assert_eq!(held(&client.memory), 0);
}

#[test]
fn frames_go_where_they_are_needed() {
    if !possible() {
        return;
    }
    let pager = Standing::start(options(256, 8192));
    let honest = [Honest::start(&pager, 400), Honest::start(&pager, 300), Honest::start(&pager, 20)];
    honest.into_iter().for_each(Honest::finish);
    pager.reaches("free_frames", 256);
    assert_eq!(pager.figure("expelled"), 0);
}
