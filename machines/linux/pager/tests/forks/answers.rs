//! The answers of ioctl_userfaultfd(2) that a client can provoke behind its pager's back: the pager goes on, others see
//! their bytes, and the client gets what it asked for.

use crate::apart::{alone, figure, fork, pager_and_socket, sys};
use crate::common::options;
use crate::common::sys::{advise, load, store};
use crate::words::{check, check_zero, end, fill, filled, filled_with, word};
use mager_linux_client::{Arena, Forking, Pages};
use mager_linux_pager::{Options, References};
use mager_linux_sys::{Failed, MemoryFile, Userfault, Window, receive, send};
use mager_linux_wire::{Reply, Request, VERSION, decode, encode};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

const PAGE: usize = 4096;

/// EEXIST to UFFDIO_COPY: the client wrote through a mapping of its own where the pager has not put anything yet. What it
/// wrote is not what the page holds, as far as it is told of. (Where touches of what is in memory are seen in the page
/// table, the kernel shows it what it wrote, and it has nobody but itself to blame.)
#[test]
fn a_page_that_is_there_already_is_replaced() {
    alone("answers::a_page_that_is_there_already_is_replaced", || {
        let faults = Options { references: References::Faults, ..options(256, 4096) };
        let (connection, pager, arena, pages) = filled_with(faults, 64);
        let fresh = arena.map(64).expect("memory");
        let second = sys::second_mapping(arena.pointer(fresh.page), 64 * PAGE);
        // Where memory files have quotas, there is room for what the pager has put there already, and little more.
        fill(&arena, fresh, 3);
        arena.discard(fresh).expect("it is discarded");
        (0..64).for_each(|page| sys::poke(second.wrapping_add(page * PAGE), 77));
        check_zero(&arena, fresh);
        fill(&arena, fresh, 2);
        check(&arena, fresh, 2);
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// EFAULT to UFFDIO_CONTINUE: the client punched holes where pages were, which makes them zeros.
#[test]
fn a_page_that_was_punched_is_zeros() {
    alone("answers::a_page_that_was_punched_is_zeros", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 64);
        let range = Pages { page: pages.page + 8, count: 16 };
        advise(arena.pointer(range.page), 16 * PAGE, libc::MADV_REMOVE).expect("it is a shared mapping");
        check_zero(&arena, range);
        fill(&arena, pages, 2);
        check(&arena, pages, 2);
        end(connection, pager, arena);
    });
}

/// UFFDIO_CONTINUE where the client dropped the entries: the pages are still there.
#[test]
fn a_page_whose_entry_was_dropped_is_shown_again() {
    alone("answers::a_page_whose_entry_was_dropped_is_shown_again", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 128);
        for round in 1..20 {
            advise(arena.pointer(pages.page), 128 * PAGE, libc::MADV_DONTNEED).expect("it is mapped");
            check(&arena, pages, round);
            advise(arena.pointer(pages.page), 128 * PAGE, libc::MADV_DONTNEED).expect("it is mapped");
            fill(&arena, pages, round + 1);
        }
        end(connection, pager, arena);
    });
}

/// ENOENT to COPY, CONTINUE and WRITEPROTECT: the client unmapped a part of its arena. Whoever reads ahead of a sequence
/// meets it, and so does whoever evicts.
#[test]
fn a_page_that_the_client_unmapped_is_not_missed() {
    alone("answers::a_page_that_the_client_unmapped_is_not_missed", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 1024);
        fork(|| {
            sys::unmap(arena.pointer(pages.page + 512), 256 * PAGE);
            for _ in 0..3 {
                check(&arena, Pages { count: 512, ..pages }, 1);
            }
        })
        .succeeded();
        let child = fork(|| {
            (0..1024u32).rev().for_each(|page| assert_eq!(load(&arena, pages.page + page), word(page, 1)));
            sys::unmap(arena.pointer(pages.page + 100), 64 * PAGE);
            let fresh = arena.map(1024).expect("memory");
            fill(&arena, fresh, 3);
            check(&arena, fresh, 3);
            store(&arena, pages.page + 120, 1);
        });
        assert_eq!(child.died_by(), libc::SIGSEGV);
        check(&arena, pages, 1);
        assert_eq!(figure(&connection, "denied"), 0);
        end(connection, pager, arena);
    });
}

/// Something else at an arena's addresses, of which the pager knows nothing: nobody waits for an answer to it.
#[test]
fn a_file_that_the_client_maps_over_its_arena_is_its_own() {
    alone("answers::a_file_that_the_client_maps_over_its_arena_is_its_own", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 1024);
        let child = fork(|| {
            sys::unmap(arena.pointer(pages.page + 64), 64 * PAGE);
            let over: &Arena = &arena;
            sys::map_over(over.pointer(pages.page + 64), 64 * PAGE);
            (0..64).for_each(|page| assert_eq!(load(over, pages.page + 64 + page), 0));
            fill(over, Pages { page: pages.page + 64, count: 64 }, 4);
            fill(over, Pages { page: pages.page + 128, count: 896 }, 5);
            check(over, Pages { page: pages.page + 64, count: 64 }, 4);
            check(over, Pages { page: pages.page + 128, count: 896 }, 5);
        });
        child.succeeded();
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// ENOENT to UFFDIO_WRITEPROTECT of many pages at once: those behind it are protected all the same.
#[test]
fn what_lies_behind_a_file_mapped_over_an_arena_is_copied_at_a_fork() {
    alone("answers::what_lies_behind_a_file_mapped_over_an_arena_is_copied_at_a_fork", || {
        let (connection, pager, arena, pages) = filled(1024, 8192, 256);
        sys::unmap(arena.pointer(pages.page + 64), 64 * PAGE);
        sys::map_over(arena.pointer(pages.page + 64), 64 * PAGE);
        let behind = Pages { page: pages.page + 128, count: 128 };
        let parts = [(Pages { count: 64, ..pages }, 0), (behind, 128)];
        let mut forking = Some(Forking::prepare().expect("there is swap"));
        parts.iter().for_each(|&(part, _)| fill(&arena, part, 2));
        // The child would have it there, and no room for its own.
        sys::unmap(arena.pointer(pages.page + 64), 64 * PAGE);
        let child = fork(|| {
            drop(forking.take());
            for (part, first) in parts {
                let copied = |page| load(&arena, part.page + page) == word(first + page, 1);
                assert!((0..part.count).all(copied), "{part:?}");
            }
        });
        drop(forking);
        child.succeeded();
        parts.iter().for_each(|&(part, _)| check(&arena, part, 2));
        end(connection, pager, arena);
    });
}

/// A client whose userfaultfd tells of more than faults could stop its pager with what it does to its memory.
#[test]
fn a_userfaultfd_with_features_of_its_own_is_refused() {
    alone("answers::a_userfaultfd_with_features_of_its_own_is_refused", || {
        let (socket, pager) = pager_and_socket(options(256, 8192));
        let (_agent, theirs) = mager_linux_sys::pair().expect("a pair of sockets");
        ask(&socket, &Request::Hello { version: VERSION }, &[theirs.as_fd()]);
        let (Reply::Arena { arena, .. }, _memory) = ask(&socket, &Request::Create, &[]) else {
            panic!("an arena was asked for")
        };
        let talkative = sys::talkative_userfault();
        let (reply, _) = ask(&socket, &Request::Attach { arena, base: 0 }, &[talkative.as_fd()]);
        assert!(matches!(reply, Reply::Refused { errno: libc::EINVAL, .. }), "{reply:?}");
        let plain = Userfault::open().expect("a userfaultfd");
        let (reply, _) = ask(&socket, &Request::Attach { arena, base: 0 }, &[plain.as_fd()]);
        assert_eq!(reply, Reply::Done);
        drop(socket);
        pager.succeeded();
    });
}

/// EAGAIN: the memory map is changing, and the one who changes it waits to be heard. Only a userfaultfd that the pager
/// refuses can give this answer; it is told apart from the others all the same.
#[test]
fn a_changing_map_is_told_apart() {
    alone("answers::a_changing_map_is_told_apart", || {
        let memory = MemoryFile::sealed("mager-test", 1 << 20).expect("memory");
        let window = Window::reserve(1 << 20, 4096, 0).expect("room");
        window.map(0, 1 << 20, &memory, 0, true).expect("a mapping");
        let uffd = Userfault::received(sys::talkative_userfault());
        uffd.register(window.base(), window.len(), true).expect("it takes the range");
        std::thread::scope(|scope| {
            scope.spawn(|| advise(window.pointer(8192), PAGE, libc::MADV_DONTNEED).expect("it is mapped"));
            let until = Instant::now() + Duration::from_secs(10);
            let page = [7; PAGE];
            while uffd.copy(window.base(), &page, false) != Err(Failed::Again(0)) {
                assert!(Instant::now() < until, "the map was not seen to change");
                std::thread::yield_now();
            }
            assert_eq!(uffd.protect(window.base(), 4096), Err(Failed::Again(0)));
            // Heard, it goes on, and so do we.
            let mut faults = Vec::new();
            while uffd.copy(window.base() + 4096, &page, false).is_err() {
                uffd.read(&mut faults).expect("it can be read");
            }
            assert_eq!(sys::peek(window.pointer(4096)), 7);
        });
    });
}

fn ask(socket: &OwnedFd, request: &Request, fds: &[BorrowedFd<'_>]) -> (Reply, Vec<OwnedFd>) {
    let bytes = encode(request).expect("it can be said");
    send(socket, &bytes, fds, true).expect("somebody is there");
    let mut buffer = [0; 4096];
    let got = receive(socket, &mut buffer, true).expect("an answer");
    let reply = decode(&buffer[..got.len]).expect("it makes sense");
    (reply, got.fds)
}
