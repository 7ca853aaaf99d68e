//! What one client may have at most, however often it connects and forks.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::Honest;
use common::process::{again, role, word};
use common::raw::Raw;
use common::{Standing, options, possible};
use mager_linux_pager::Limits;
use mager_linux_wire::{Range, Reply, Request};
use rustix::fd::AsFd;
use std::time::{Duration, Instant};

#[test]
fn a_client_gets_no_more_arenas_swap_and_mappings_than_it_may() {
    if !possible() {
        return;
    }
    let limits = Limits { arenas: 2, swap: 100, mappings: 3, clients: 2, ..Limits::default() };
    let pager = Standing::start(mager_linux_pager::Options { limits, ..options(256, 4096) });
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
    let pager = Standing::start(mager_linux_pager::Options { limits, ..options(256, 4096) });
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
    let pager = Standing::start(mager_linux_pager::Options { limits, ..options(256, 4096) });
    let honest = Honest::start(&pager, 400);
    let path = pager.path.to_str().expect("a plain name");
    let test = "a_fork_bomb_leaves_room_for_others";
    let mut bombs: Vec<_> = (0..2).map(|_| again(test, "3", path).spawn().expect("a client")).collect();
    bombs.iter_mut().for_each(|bomb| assert_eq!(bomb.wait().expect("it ends").code(), Some(BOUNDED)));
    honest.finish();
}

/// The status of a client that could not fork without end.
const BOUNDED: i32 = 7;
