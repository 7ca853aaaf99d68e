//! Broken and malicious clients harm only themselves: beside each of them an honest one finds its bytes again.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::beside;
use common::process::{again, role, word};
use common::raw::{Handmade, Raw, memfd};
use common::sys::{fill, readable};
use mager_linux_sys::{Userfault, Window, send};
use mager_linux_wire::{ArenaId, MAX_MESSAGE, Range, Reply, Request, VERSION, encode};
use rustix::fd::AsFd;
use rustix::fs::OFlags;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn messages_of_random_bytes() {
    beside(|pager| {
        let mut dice = Dice(7);
        for round in 0..300 {
            let raw = if round % 2 == 0 { Raw::greeted(&pager.path) } else { Raw::connect(&pager.path) };
            for _ in 0..20 {
                let len = 1 + dice.roll(40);
                let bytes: Vec<u8> =
                    (0..len).map(|_| u8::try_from(dice.roll(256)).expect("a byte")).collect();
                if send(&raw.socket, &bytes, &[], true).is_err() {
                    break;
                }
            }
        }
    });
}

#[test]
fn messages_cut_short_and_drawn_out() {
    beside(|pager| {
        let create = encode(&Request::MapSwap(Range {
            arena: ArenaId { slot: 70_000, generation: 70_000 },
            page: 70_000,
            count: 70_000,
        }))
        .expect("it encodes");
        for len in 1..create.len() {
            assert!(Raw::greeted(&pager.path).say(&create[..len], &[]).is_none(), "{len} bytes");
        }
        let long = vec![1; MAX_MESSAGE + 1];
        assert!(Raw::greeted(&pager.path).say(&long, &[]).is_none());
        assert!(Raw::greeted(&pager.path).say(&[&create[..], &[0]].concat(), &[]).is_none());
    });
}

#[test]
fn requests_before_hello_and_in_another_version() {
    beside(|pager| {
        let raw = Raw::connect(&pager.path);
        assert_eq!(raw.refused(&Request::Create, &[]), libc::EPROTO);
        assert_eq!(raw.refused(&Request::Hello { version: VERSION + 1 }, &[]), libc::EPROTO);
        assert_eq!(raw.refused(&Request::Create, &[]), libc::EPROTO);
    });
}

#[test]
fn ranges_that_end_nowhere() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 16);
        let bad = [(u32::MAX, u32::MAX), (1, u32::MAX), (u32::MAX, 1), (0, 0), (1 << 20, 1), (8, 1 << 20)];
        for (page, count) in bad {
            let range = client.range(page, count);
            for request in [
                Request::MapSwap(range),
                Request::Unmap(range),
                Request::Discard(range),
                Request::Pin(range),
                Request::Unpin(range),
            ] {
                let said = client.raw.ask(&request, &[]);
                let refused = matches!(said, Some((Reply::Refused { .. }, _)));
                assert!(refused, "{request:?} was answered by {said:?}");
            }
        }
        for page in [u32::MAX, 1 << 20, 0] {
            assert_eq!(client.raw.refused(&Request::Flush { arena: client.id, page }, &[]), libc::EINVAL);
        }
    });
}

#[test]
fn arenas_that_are_not_the_clients() {
    beside(|pager| {
        let (client, other) = (Handmade::new(&pager.path, 1024, 16), Raw::greeted(&pager.path));
        for slot in 0..4 {
            let arena = ArenaId { slot, generation: 0 };
            let range = Range { arena, page: 0, count: 1 };
            for request in [
                Request::MapSwap(range),
                Request::Unmap(range),
                Request::Discard(range),
                Request::Pin(range),
                Request::Unpin(range),
                Request::Flush { arena, page: 0 },
                Request::Inherit(arena),
                Request::Destroy(arena),
                Request::Attach { arena, base: 0 },
                Request::MapFile { range, block: 0 },
            ] {
                let errno = other.refused(&request, &[client.memory.as_fd()]);
                assert!([libc::EBADF, libc::EPROTO].contains(&errno), "{request:?}: {errno}");
            }
        }
    });
}

#[test]
fn descriptors_that_are_missing_or_something_else() {
    beside(|pager| {
        let raw = Raw::greeted(&pager.path);
        let (arena, memory) = raw.create();
        let attach = Request::Attach { arena, base: 0 };
        assert_eq!(raw.refused(&attach, &[]), libc::EBADF);
        let event = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).expect("an eventfd");
        let file = tempfile::tempfile().expect("a file");
        for fd in [event.as_fd(), memory.as_fd(), file.as_fd(), raw.socket.as_fd()] {
            assert_eq!(raw.refused(&attach, &[fd]), libc::EBADF);
        }
        let uffd = Userfault::open().expect("userfaultfd");
        for base in [1, 4095, u64::MAX - 4095, 1 << 63 | 1] {
            assert_eq!(raw.refused(&Request::Attach { arena, base }, &[uffd.as_fd()]), libc::EINVAL);
        }
        // An agent that is no socket at all.
        let odd = Raw::connect(&pager.path);
        assert!(odd.ask(&Request::Hello { version: VERSION }, &[file.as_fd()]).is_some());
    });
}

#[test]
fn an_arena_attached_twice_keeps_its_first_userfaultfd() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 64);
        let second = Userfault::open().expect("userfaultfd");
        let other = Window::reserve(64 * 4096, 4096, 0).expect("room");
        other.map(0, 64 * 4096, &client.memory, 0, true).expect("a mapping");
        second.register(other.base(), 64 * 4096, true).expect("registered");
        let again = Request::Attach { arena: client.id, base: other.base() };
        assert_eq!(client.raw.refused(&again, &[second.as_fd()]), libc::EBUSY);
        fill(&client.window, 0, 64);
    });
}

#[test]
fn a_userfaultfd_that_is_registered_nowhere() {
    beside(|pager| {
        let raw = Raw::greeted(&pager.path);
        let (arena, memory) = raw.create();
        let window = Window::reserve(1 << 20, 4096, 0).expect("room");
        window.map(0, 1 << 20, &memory, 0, true).expect("a mapping");
        let uffd = Userfault::open().expect("userfaultfd");
        // Faults of a range elsewhere, which become faults of pages far outside the arena.
        let elsewhere = Window::reserve(16 * 4096, 4096, 0).expect("room");
        elsewhere.map(0, 16 * 4096, &memfd(1 << 20), 0, true).expect("a mapping");
        uffd.register(elsewhere.base(), 16 * 4096, true).expect("registered");
        raw.done(&Request::Attach { arena, base: 4096 }, &[uffd.as_fd()]);
        raw.done(&Request::MapSwap(Range { arena, page: 0, count: 256 }), &[]);
        std::thread::scope(|scope| {
            let toucher = scope.spawn(|| readable(&elsewhere, 0));
            std::thread::sleep(std::time::Duration::from_millis(50));
            // The pager has denied what it could not find; whoever waits there is the client's own affair.
            let _ = uffd.poison(elsewhere.base(), 16 * 4096);
            let _ = uffd.wake(elsewhere.base(), 16 * 4096);
            assert!(!toucher.join().expect("it ended"));
        });
    });
}

#[test]
fn a_userfaultfd_made_to_block_stops_nobody_but_its_owner() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 64);
        fill(&client.window, 0, 8);
        rustix::fs::fcntl_setfl(&client.uffd, OFlags::empty()).expect("flags");
        std::thread::scope(|scope| {
            let toucher = scope.spawn(|| readable(&client.window, 40 * 4096));
            std::thread::sleep(std::time::Duration::from_millis(50));
            rustix::fs::fcntl_setfl(&client.uffd, OFlags::NONBLOCK).expect("flags");
            let _ = client.uffd.poison(client.window.base() + 40 * 4096, 4096);
            let _ = client.uffd.wake(client.window.base() + 40 * 4096, 4096);
            let _ = toucher.join();
        });
    });
}

#[test]
fn a_userfaultfd_that_tells_of_more_than_faults_is_refused() {
    beside(|pager| {
        let raw = Raw::greeted(&pager.path);
        let (arena, _memory) = raw.create();
        let uffd = common::sys::talkative().expect("userfaultfd");
        assert_eq!(raw.refused(&Request::Attach { arena, base: 0 }, &[uffd.as_fd()]), libc::EINVAL);
    });
}

#[test]
fn a_flood_of_requests_whose_answers_nobody_reads() {
    beside(|pager| {
        for request in [Request::Observe, Request::Create, Request::Hello { version: VERSION }] {
            let raw = Raw::greeted(&pager.path);
            let bytes = encode(&request).expect("it encodes");
            while send(&raw.socket, &bytes, &[], true).is_ok() {}
        }
    });
}

#[test]
fn an_agent_that_never_listens() {
    beside(|pager| {
        let raw = Raw::connect(&pager.path);
        let (_ours, theirs) = mager_linux_sys::pair().expect("a pair of sockets");
        assert!(raw.ask(&Request::Hello { version: VERSION }, &[theirs.as_fd()]).is_some());
        let (id, memory) = raw.create();
        let window = Window::reserve(1024 * 4096, 4096, 0).expect("room");
        window.map(0, 1024 * 4096, &memory, 0, true).expect("a mapping");
        let uffd = Userfault::open().expect("userfaultfd");
        uffd.register(window.base(), 1024 * 4096, true).expect("registered");
        raw.done(&Request::Attach { arena: id, base: window.base() }, &[uffd.as_fd()]);
        raw.done(&Request::MapSwap(Range { arena: id, page: 0, count: 1024 }), &[]);
        for _ in 0..10 {
            fill(&window, 0, 1024);
        }
    });
}

#[test]
fn arenas_that_come_and_go_with_faults_under_way() {
    beside(|pager| {
        for _ in 0..50 {
            let client = Handmade::new(&pager.path, 1024, 64);
            let (uffd, base) = (client.uffd.duplicate().expect("a duplicate"), client.window.base());
            std::thread::scope(|scope| {
                let touch = |thread: u64| {
                    let window = &client.window;
                    move || (0..16).for_each(|page| _ = readable(window, (thread * 16 + page) * 4096))
                };
                let touchers: Vec<_> = (0..4).map(|thread| scope.spawn(touch(thread))).collect();
                client.raw.done(&Request::Destroy(client.id), &[]);
                // Whoever still waits is let go by the client itself: nobody answers for an arena that is gone.
                let uffd = Userfault::received(uffd);
                while !touchers.iter().all(|toucher| toucher.is_finished()) {
                    for page in 0..64 {
                        let _ = uffd.poison(base + page * 4096, 4096);
                    }
                    let _ = uffd.wake(base, 64 * 4096);
                    std::thread::yield_now();
                }
            });
        }
    });
}

#[test]
fn connections_without_end() {
    beside(|pager| {
        let many: Vec<Raw> = (0..600).map(|_| Raw::connect(&pager.path)).collect();
        drop(many);
        pager.reaches("expelled", 0);
    });
}

#[test]
fn another_user_is_turned_away_even_if_the_socket_lets_him_in() {
    if role().is_some() {
        let raw = Raw::connect(std::path::Path::new(&word()));
        let said = raw.ask(&Request::Hello { version: VERSION }, &[]);
        mager_linux_sys::exit_now(if said.is_none() { TURNED_AWAY } else { 0 });
    }
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: only root can be somebody else");
    }
    beside(|pager| {
        let open = |path: &std::path::Path| {
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777))
                .expect("a mode");
        };
        let mode = std::fs::metadata(&pager.path).expect("a socket").permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        open(&pager.path);
        open(pager.path.parent().expect("a directory"));
        let test = "another_user_is_turned_away_even_if_the_socket_lets_him_in";
        let path = pager.path.to_str().expect("a plain name");
        let mut stranger = again(test, "stranger", path);
        match std::os::unix::process::CommandExt::uid(&mut stranger, 65534).status() {
            Ok(status) => assert_eq!(status.code(), Some(TURNED_AWAY)),
            Err(why) => eprintln!("SKIPPED: another user cannot run this program: {why}"),
        }
    });
}

/// The status of a stranger whom the pager did not answer.
const TURNED_AWAY: i32 = 9;
