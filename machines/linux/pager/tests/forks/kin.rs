//! Forks of clients: who has which memory, and who has none.

use crate::apart::{Child, alone, figure, figure_becomes, fork, pager};
use crate::common::options;
use crate::common::sys::{load, store};
use crate::words::{check, end, fill, filled, word};
use mager_linux_client::{Arena, Error, Forking, Pages};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn an_execed_child_gives_its_arena_back() {
    alone("kin::an_execed_child_gives_its_arena_back", || {
        let (connection, pager, arena, _pages) = filled(256, 4096, 512);
        let reserved = figure(&connection, "swap_reserved");
        let child = fork(|| {
            let why =
                std::os::unix::process::CommandExt::exec(std::process::Command::new("sleep").arg("1000"));
            panic!("{why}");
        });
        // It runs another program, and has nothing any more.
        figure_becomes(&connection, "swap_reserved", reserved);
        crate::apart::sys::kill(child.0);
        assert_eq!(child.died_by(), libc::SIGKILL);
        end(connection, pager, arena);
    });
}

#[test]
fn a_killed_child_gives_its_arena_back() {
    alone("kin::a_killed_child_gives_its_arena_back", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 512);
        let reserved = figure(&connection, "swap_reserved");
        for _ in 0..5 {
            let child = fork(|| {
                loop {
                    fill(&arena, pages, 7);
                }
            });
            figure_becomes(&connection, "swap_reserved", reserved * 2);
            std::thread::sleep(std::time::Duration::from_millis(5));
            crate::apart::sys::kill(child.0);
            assert_eq!(child.died_by(), libc::SIGKILL);
            figure_becomes(&connection, "swap_reserved", reserved);
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn a_parent_that_dies_first_leaves_the_child_its_bytes() {
    alone("kin::a_parent_that_dies_first_leaves_the_child_its_bytes", || {
        crate::apart::sys::adopt_orphans();
        let (connection, pager, arena, pages) = filled(256, 8192, 1024);
        let (read, write) = std::io::pipe().expect("a pipe");
        let middle = fork(|| {
            fill(&arena, pages, 2);
            let parent = std::process::id();
            let orphan = fork(|| {
                while std::os::unix::process::parent_id() == parent {
                    std::thread::yield_now();
                }
                check(&arena, pages, 2);
                fill(&arena, pages, 3);
                check(&arena, pages, 3);
            });
            (&write).write_all(&orphan.0.to_le_bytes()).expect("somebody reads");
        });
        middle.succeeded();
        let mut pid = [0; 4];
        (&read).read_exact(&mut pid).expect("it said whom it left");
        Child(i32::from_le_bytes(pid)).succeeded();
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn a_child_is_told_by_its_own_number() {
    alone("kin::a_child_is_told_by_its_own_number", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 64);
        let (read, write) = std::io::pipe().expect("a pipe");
        let child = fork(|| {
            check(&arena, pages, 1);
            (&write).write_all(b"!").expect("somebody reads");
            loop {
                std::thread::park();
            }
        });
        (&read).read_exact(&mut [0]).expect("it has its memory");
        let told: serde_json::Value =
            serde_json::from_str(&connection.figures().expect("it is told")).expect("it is JSON");
        let of_client = |name: &str| [0, 1].map(|client| told["clients"][client][name].clone());
        assert_eq!(
            of_client("pid"),
            [serde_json::json!(std::process::id()), serde_json::json!(child.0)],
            "{told}"
        );
        assert!(
            of_client("command").iter().all(|command| command.as_str().is_some_and(|line| !line.is_empty()))
        );
        assert_ne!(of_client("number")[0], of_client("number")[1], "{told}");
        crate::apart::sys::kill(child.0);
        assert_eq!(child.died_by(), libc::SIGKILL);
        end(connection, pager, arena);
    });
}

#[test]
fn a_child_that_does_not_follow_cannot_touch() {
    alone("kin::a_child_that_does_not_follow_cannot_touch", || {
        let (connection, pager) = pager(options(256, 4096));
        let arena = Arena::new(&connection).expect("an arena");
        let pages = arena.map(64).expect("memory");
        fill(&arena, pages, 1);
        assert_eq!(fork(|| _ = load(&arena, pages.page)).died_by(), libc::SIGSEGV);
        assert_eq!(fork(|| store(&arena, pages.page, 3)).died_by(), libc::SIGSEGV);
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn a_child_that_does_not_follow_cannot_speak_for_its_parent() {
    alone("kin::a_child_that_does_not_follow_cannot_speak_for_its_parent", || {
        let (connection, pager) = pager(options(256, 4096));
        let arena = Arena::new(&connection).expect("an arena");
        let pages = arena.map(64).expect("memory");
        fill(&arena, pages, 1);
        let (mut connection, mut arena) = (Some(connection), Some(arena));
        fork(|| {
            let (connection, arena) =
                (connection.take().expect("it is there"), arena.take().expect("it is there"));
            assert!(matches!(arena.map(1), Err(Error::NotFollowed)));
            assert!(matches!(arena.discard(pages), Err(Error::NotFollowed)));
            drop(arena);
            drop(connection);
        })
        .succeeded();
        let (connection, arena) = (connection.expect("ours"), arena.expect("ours"));
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn a_fork_without_swap_is_refused_or_leaves_the_child_without() {
    alone("kin::a_fork_without_swap_is_refused_or_leaves_the_child_without", || {
        let (connection, pager, arena, pages) = filled(64, 600, 512);
        let reserved = figure(&connection, "swap_reserved");
        let refused = Forking::prepare().expect_err("there is no swap for two");
        assert_eq!(refused.errno(), libc::ENOMEM, "{refused}");
        assert_eq!(figure(&connection, "swap_reserved"), reserved);
        // A plain fork cannot be refused: the child goes without.
        assert_eq!(fork(|| _ = load(&arena, pages.page)).died_by(), libc::SIGSEGV);
        fork(|| assert!(matches!(arena.map(1), Err(Error::NotFollowed)))).succeeded();
        assert_eq!(figure(&connection, "swap_reserved"), reserved);
        check(&arena, pages, 1);
        fill(&arena, pages, 2);
        check(&arena, pages, 2);
        end(connection, pager, arena);
    });
}

#[test]
fn a_fork_prepared_by_hand_happens_or_does_not() {
    alone("kin::a_fork_prepared_by_hand_happens_or_does_not", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 512);
        let reserved = figure(&connection, "swap_reserved");
        drop(Forking::prepare().expect("there is swap"));
        figure_becomes(&connection, "swap_reserved", reserved);
        let mut forking = Some(Forking::prepare().expect("there is swap"));
        let child = fork(|| {
            drop(forking.take());
            fill(&arena, pages, 2);
            check(&arena, pages, 2);
        });
        drop(forking);
        child.succeeded();
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

/// Handlers of forks have settled what a thread prepared by hand before it says that it is over, and by then what is
/// prepared may be another thread's.
#[test]
fn forks_by_hand_of_several_threads_are_each_ones_own() {
    alone("kin::forks_by_hand_of_several_threads_are_each_ones_own", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 64);
        let forks = || {
            for _ in 0..50 {
                let mut forking = Some(Forking::prepare().expect("there is swap"));
                let child = fork(|| {
                    drop(forking.take());
                    check(&arena, pages, 1);
                });
                std::thread::sleep(std::time::Duration::from_micros(300));
                drop(forking);
                child.succeeded();
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(forks)));
        end(connection, pager, arena);
    });
}

#[test]
fn a_pinned_arena_is_not_forked() {
    alone("kin::a_pinned_arena_is_not_forked", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 64);
        assert!(arena.pin(Pages { count: 8, ..pages }).expect("frames are there"));
        assert_eq!(Forking::prepare().expect_err("a pinned page cannot be copied").errno(), libc::EBUSY);
        arena.unpin(Pages { count: 8, ..pages }).expect("they were pinned");
        fork(|| check(&arena, pages, 1)).succeeded();
        end(connection, pager, arena);
    });
}

static EARLY: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);

extern "C" fn touch_early() {
    let address = usize::try_from(EARLY.load(Ordering::Relaxed)).expect("an address");
    if address != 0 {
        let byte: *mut u8 = std::ptr::with_exposed_provenance_mut(address);
        SEEN.store(crate::apart::sys::peek(byte).into(), Ordering::Relaxed);
        crate::apart::sys::poke(byte, 99);
    }
}

#[test]
fn a_touch_before_the_handlers_of_the_fork_attaches_the_child() {
    alone("kin::a_touch_before_the_handlers_of_the_fork_attaches_the_child", || {
        // Registered first, it runs first.
        crate::apart::sys::in_children(touch_early);
        let (connection, pager, arena, pages) = filled(256, 4096, 512);
        EARLY.store(arena.pointer(pages.page + 41) as u64, Ordering::Relaxed);
        for _ in 0..3 {
            fork(|| {
                assert_eq!(SEEN.load(Ordering::Relaxed), u64::from(word(41, 1).to_le_bytes()[0]));
                assert_eq!(crate::apart::sys::peek(arena.pointer(pages.page + 41)), 99);
                store(&arena, pages.page + 41, word(41, 1));
                check(&arena, pages, 1);
                fork(|| fill(&arena, pages, 2)).succeeded();
            })
            .succeeded();
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn a_connection_that_does_not_follow_stays_with_the_parent_beside_one_that_does() {
    alone("kin::a_connection_that_does_not_follow_stays_with_the_parent_beside_one_that_does", || {
        let (connection, first, arena, pages) = filled(256, 4096, 128);
        let (other, second) = pager(options(256, 4096));
        let kept = Arena::new(&other).expect("an arena");
        let mine = kept.map(64).expect("memory");
        fill(&kept, mine, 5);
        fork(|| {
            check(&arena, pages, 1);
            assert!(matches!(kept.map(1), Err(Error::NotFollowed)));
        })
        .succeeded();
        assert_eq!(fork(|| _ = load(&kept, mine.page)).died_by(), libc::SIGSEGV);
        check(&kept, mine, 5);
        end(other, second, kept);
        end(connection, first, arena);
    });
}
