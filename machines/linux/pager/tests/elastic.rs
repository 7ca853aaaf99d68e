//! Compressed memory that takes frames: what both hold together, when it takes them, and that they come back.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::raw::Handmade;
use common::sys::{peek, poke};
use common::{Standing, options, possible};
use mager_linux_pager::{Limits, MemoryKind, Options};
use mager_linux_sys::MemoryFs;
use mager_linux_wire::Request;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};

const PAGE: u64 = 4096;

/// So many frames, and as many more that compressed pages may take.
fn elastic(frames: u32, memory: MemoryKind) -> Options {
    let limits = Limits { memory, ..Limits::default() };
    Options { compressed: frames as usize * 4096, limits, ..options(frames, 8192) }
}

fn kinds() -> Vec<MemoryKind> {
    match (possible(), MemoryFs::new()) {
        (false, _) => Vec::new(),
        (true, Ok(_)) => vec![MemoryKind::Quota, MemoryKind::Audit],
        (true, Err(_)) => vec![MemoryKind::Audit],
    }
}

/// A page that packs to about half: a counter in each of its first words.
fn write(client: &Handmade, page: u64, version: u64) {
    for word in 0..256 {
        let noise = (page * 256 + word + version).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        poke(&client.window, page * PAGE + word * 8, noise);
    }
    poke(&client.window, page * PAGE, version);
}

fn number(figures: &Value, name: &str) -> u64 {
    figures[name].as_u64().unwrap_or_else(|| panic!("no figure {name}"))
}

/// What the arenas hold, asked of the kernel, and what compressed memory does, both at one moment of the pager's.
fn held(figures: &Value) -> u64 {
    let arenas = figures["busiest_arenas"].as_array().expect("arenas");
    let pages: u64 = arenas.iter().map(|arena| number(arena, "held_pages")).sum();
    pages * PAGE + number(&figures["stores"], "compressed_bytes")
}

/// The most that was ever held, and the most frames that were ever withheld, while `work` went on.
fn watched(pager: &Standing, work: impl FnOnce()) -> (u64, u64) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let (mut most, mut withheld) = (0, 0);
            while !over.load(Ordering::Acquire) {
                let figures = pager.figures();
                most = most.max(held(&figures));
                withheld = withheld.max(number(&figures, "withheld_frames"));
            }
            (most, withheld)
        });
        work();
        over.store(true, Ordering::Release);
        watch.join().expect("figures")
    })
}

/// Every page is written in some order, and read back, again and again.
fn churn(client: &Handmade, pages: u64, rounds: u64) {
    for version in 1..=rounds {
        (0..pages).for_each(|page| write(client, page * 37 % pages, version));
        for page in (0..pages).map(|page| page * 11 % pages) {
            assert_eq!(peek(&client.window, page * PAGE), version, "page {page}");
        }
    }
}

#[test]
fn frames_and_compressed_pages_together_never_exceed_both() {
    for memory in kinds() {
        for (frames, pages) in [(256, 1024), (64, 512)] {
            let pager = Standing::start(elastic(frames, memory));
            let client = Handmade::new(&pager.path, 2048, 2048);
            let (most, withheld) = watched(&pager, || churn(&client, pages, 4));
            let all = 2 * u64::from(frames);
            println!("{memory:?}: at most {} of {all} pages, {withheld} frames withheld", most / PAGE);
            assert!(most <= all * PAGE, "{most} bytes are held");
            assert!(
                withheld >= u64::from(frames) / 4 && withheld <= u64::from(frames),
                "{withheld} withheld"
            );
            assert_eq!((pager.figure("denied"), pager.figure("expelled")), (0, 0));
        }
    }
}

#[test]
fn data_between_the_memory_and_both_together_stays_in_memory() {
    for memory in kinds() {
        let pager = Standing::start(elastic(256, memory));
        let client = Handmade::new(&pager.path, 2048, 2048);
        churn(&client, 440, 10);
        let figures = pager.figures();
        assert_eq!((number(&figures, "page_ins"), number(&figures, "evictions")), (0, 0), "{figures}");
    }
}

#[test]
fn frames_come_back_when_compressed_pages_are_gone() {
    for memory in kinds() {
        let pager = Standing::start(elastic(256, memory));
        let start = pager.figure("withheld_frames");
        assert!(start < 32, "{start} frames are withheld for no page at all");
        let client = Handmade::new(&pager.path, 2048, 2048);
        churn(&client, 1024, 2);
        assert!(pager.figure("withheld_frames") > start);
        client.raw.done(&Request::Destroy(client.id), &[]);
        pager.reaches("withheld_frames", start);
        let next = Handmade::new(&pager.path, 2048, 2048);
        let before = pager.figure("evictions");
        churn(&next, 440, 3);
        assert_eq!(pager.figure("evictions"), before, "all frames are in circulation again");
    }
}

#[test]
fn a_static_split_withholds_nothing() {
    if !possible() {
        return;
    }
    let pager = Standing::start(Options { elastic: false, ..elastic(256, MemoryKind::Auto) });
    let client = Handmade::new(&pager.path, 2048, 2048);
    churn(&client, 512, 1);
    assert_eq!((pager.figure("frames"), pager.figure("withheld_frames")), (256, 0));
    assert!(number(&pager.figures()["stores"], "compressed_pages") > 128);
}
