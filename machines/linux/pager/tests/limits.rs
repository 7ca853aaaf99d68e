//! What one client may have at most, however often it connects and forks.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::Honest;
use common::process::{Ended, again, role, word};
use common::raw::Raw;
use common::sys::{load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Connection, OnPagerDeath, Pages};
use mager_linux_pager::{EngineKind, Faults, Limits, Options};
use mager_linux_wire::{Range, Reply, Request};
use rustix::fd::AsFd;
use std::time::{Duration, Instant};

#[test]
fn a_client_gets_no_more_arenas_swap_and_mappings_than_it_may() {
    if !possible() {
        return;
    }
    let limits = Limits { arenas: 2, swap: 100, mappings: 3, clients: 2, ..Limits::default() };
    let pager = Standing::start(Options { limits, ..options(256, 4096) });
    let raw = Raw::greeted(&pager.path);
    let ((a, _), (b, _)) = (raw.create(), raw.create());
    assert_eq!(raw.refused(&Request::Create, &[]), libc::ENFILE);
    let map = |arena, page, count| Request::MapSwap(Range { arena, page, count });
    raw.done(&map(a, 0, 60), &[]);
    assert_eq!(raw.refused(&map(b, 0, 41), &[]), libc::ENOMEM);
    assert_eq!(pager.figure("swap_reserved"), 60, "a refusal changes nothing");
    raw.done(&map(b, 0, 40), &[]);
    raw.done(&Request::Unmap(Range { arena: a, page: 0, count: 60 }), &[]);
    (0..3).for_each(|page| _ = raw.done(&map(a, page * 2, 1), &[]));
    assert_eq!(raw.refused(&map(a, 10, 1), &[]), libc::ENOMEM);
    let unmap = |page, count| Request::Unmap(Range { arena: b, page, count });
    raw.done(&unmap(5, 1), &[]);
    raw.done(&unmap(15, 1), &[]);
    assert_eq!(raw.refused(&unmap(25, 1), &[]), libc::ENOMEM, "it would leave a fourth");
    raw.done(&unmap(39, 1), &[]);
    raw.done(&unmap(0, 1), &[]);
    assert_eq!(pager.figure("swap_reserved"), 3 + 36);
    let (_second, third) = (Raw::greeted(&pager.path), Raw::connect(&pager.path));
    assert!(third.ends(), "there is no room for a third");
}

/// `None`: it is refused.
fn try_fork(raw: &Raw) -> Option<Raw> {
    let (_, agent) = mager_linux_sys::pair().expect("a pair of sockets");
    match raw.ask(&Request::Fork { thread: 0 }, &[agent.as_fd()]) {
        Some((Reply::Done, fds)) => Some(Raw { socket: fds.into_iter().next()? }),
        _ => None,
    }
}

fn fork(raw: &Raw) -> Raw {
    try_fork(raw).expect("a connection for the child")
}

#[test]
fn a_client_and_all_it_has_forked_get_what_one_client_may() {
    if !possible() {
        return;
    }
    let limits = Limits { connections: 4, swap: 100, ..Limits::default() };
    let pager = Standing::start(Options { limits, ..options(256, 4096) });
    let raw = Raw::greeted(&pager.path);
    let (arena, _) = raw.create();
    raw.done(&Request::MapSwap(Range { arena, page: 0, count: 40 }), &[]);
    let child = fork(&raw);
    assert!(matches!(child.ask(&Request::Inherit(arena), &[]), Some((Reply::Arena { .. }, _))));
    let grandchild = fork(&child);
    assert_eq!(grandchild.refused(&Request::Inherit(arena), &[]), libc::EBADF, "it is not its parent's");
    let second = fork(&raw);
    assert_eq!(
        second.refused(&Request::Inherit(arena), &[]),
        libc::ENOMEM,
        "it would be the family's 120th page"
    );
    assert_eq!(raw.refused(&Request::MapSwap(Range { arena, page: 40, count: 21 }), &[]), libc::ENOMEM);
    for forker in [&raw, &child, &grandchild] {
        let (_, agent) = mager_linux_sys::pair().expect("a pair of sockets");
        assert_eq!(forker.refused(&Request::Fork { thread: 0 }, &[agent.as_fd()]), libc::ENFILE);
    }
    assert!(Raw::connect(&pager.path).ends(), "the same process has no more connections either");
    drop(grandchild);
    until_refused_no_more(&pager);
}

/// A connection of this process is taken again.
fn until_refused_no_more(pager: &Standing) {
    let until = Instant::now() + Duration::from_secs(10);
    while Raw::connect(&pager.path).ask(&Request::Observe, &[]).is_none() {
        assert!(Instant::now() < until, "the connection that ended still counts");
    }
}

#[test]
fn a_fork_bomb_leaves_room_for_others() {
    if let Some(kept) = role() {
        let raw = Raw::greeted(std::path::Path::new(&word()));
        let bombs: Vec<Raw> = std::iter::repeat_with(|| try_fork(&raw)).map_while(|child| child).collect();
        mager_linux_sys::exit_now(if bombs.len().to_string() == kept { BOUNDED } else { 0 });
    }
    if !possible() {
        return;
    }
    let limits = Limits { clients: 10, connections: 4, ..Limits::default() };
    let pager = Standing::start(Options { limits, ..options(256, 4096) });
    let honest = Honest::start(&pager, 400);
    let path = pager.path.to_str().expect("a plain name");
    let test = "a_fork_bomb_leaves_room_for_others";
    let mut bombs: Vec<_> = (0..2).map(|_| again(test, "3", path).spawn().expect("a client")).collect();
    bombs.iter_mut().for_each(|bomb| assert_eq!(bomb.wait().expect("it ends").code(), Some(BOUNDED)));
    honest.finish();
}

/// The status of a client that could not fork without end.
const BOUNDED: i32 = 7;

/// What this process's private pages may hold in the tests of it.
const MOST: u32 = 96;

fn bounded(frames: u32) -> Standing {
    let limits = Limits { frames: MOST, ..Limits::default() };
    Standing::start(Options { limits, ..options(frames, 16_384) })
}

/// The most that the first client was seen to hold while `busy` ran.
fn most_seen(pager: &Standing, busy: impl FnOnce() + Send) -> u64 {
    std::thread::scope(|scope| {
        let busy = scope.spawn(busy);
        let mut most = 0;
        while !busy.is_finished() {
            let told = pager.figures();
            let clients = told["clients"].as_array().expect("clients").iter();
            most = most.max(clients.map(|client| client["private_frames"].as_u64().expect("a number")).sum());
        }
        busy.join().expect("it found its bytes");
        most
    })
}

/// Frames are free all the while, and are not for a client at its quota.
#[test]
fn a_client_at_its_quota_evicts_its_own_pages() {
    if !possible() {
        return;
    }
    let pager = bounded(1024);
    let honest = Honest::start(&pager, 700);
    let most = most_seen(&pager, || honest.finish());
    assert!(most > u64::from(MOST) / 2 && most <= u64::from(MOST), "{most} frames were seen");
    assert!(pager.figure("evictions") > 1000, "{}", pager.figures());
    pager.reaches("free_frames", 1024);
}

/// Several threads, arenas and connections of one process have one quota together.
#[test]
fn a_process_has_one_quota_however_it_connects() {
    if !possible() {
        return;
    }
    let pager = bounded(1024);
    let honest = [Honest::start(&pager, 300), Honest::start(&pager, 200), Honest::start(&pager, 20)];
    let most = most_seen(&pager, || honest.into_iter().for_each(Honest::finish));
    assert!(most <= u64::from(MOST), "{most} frames were seen");
}

#[test]
fn a_quota_holds_while_everything_takes_a_while_and_some_writes_fail() {
    if !possible() {
        return;
    }
    let limits = Limits { frames: MOST, ..Limits::default() };
    let faults = Some(Faults { seed: 3, failed_writes: 30, late_us: 100, ..Faults::default() });
    let engine = EngineKind::Auto;
    let pager = Standing::start(Options { limits, faults, engine, ..options(256, 4096) });
    let honest = [Honest::start(&pager, 200), Honest::start(&pager, 100)];
    let most = most_seen(&pager, || honest.into_iter().for_each(Honest::finish));
    assert!(most <= u64::from(MOST), "{most} frames were seen");
    assert_eq!(pager.figure("denied"), 0);
}

#[test]
fn half_of_a_quota_can_be_pinned_and_the_rest_goes_round() {
    if !possible() {
        return;
    }
    let pager = bounded(1024);
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(400).expect("memory");
    let half = Pages { count: MOST / 2, ..pages };
    let pin = |pages: Pages| {
        (0..pages.count).for_each(|page| store(&arena, pages.page + page, u64::from(page) + 7));
        arena.pin(pages)
    };
    while !pin(half).expect("half of it may be pinned") {}
    let why = pin(Pages { page: pages.page + MOST, count: 1 }).expect_err("and no more").to_string();
    assert!(why.contains("48 pages, half"), "{why}");
    for _ in 0..3 {
        (0..pages.count).for_each(|page| _ = load(&arena, pages.page + page));
    }
    (0..half.count).for_each(|page| assert_eq!(load(&arena, pages.page + page), u64::from(page) + 7));
    arena.unpin(half).expect("they were pinned");
    while !pin(Pages { page: pages.page + 100, count: MOST / 2 }).expect("others may be pinned now") {}
}

/// A client that wants all there is leaves another what it needs.
#[test]
fn a_client_at_its_quota_takes_no_frames_from_another() {
    let test = "a_client_at_its_quota_takes_no_frames_from_another";
    if role().is_some() {
        let connection = Connection::to(std::path::Path::new(&word()), OnPagerDeath::End).expect("a pager");
        let arena = Arena::new(&connection).expect("an arena");
        let pages = arena.map(2000).expect("memory");
        loop {
            (0..pages.count).for_each(|page| store(&arena, pages.page + page, 1));
        }
    }
    if !possible() {
        return;
    }
    let pager = bounded(256);
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(80).expect("memory");
    (0..80).for_each(|page| store(&arena, pages.page + page, 5));
    let path = pager.path.to_str().expect("a plain name");
    let _greedy = Ended(again(test, "greedy", path).spawn().expect("a client"));
    let until = Instant::now() + Duration::from_secs(60);
    while pager.figure("evictions") < 5000 {
        assert!(Instant::now() < until, "the other client does not get on: {}", pager.figures());
    }
    let own = &pager.figures()["clients"][0];
    assert_eq!((own["private_frames"].as_u64(), own["page_ins"].as_u64()), (Some(80), Some(0)));
}
