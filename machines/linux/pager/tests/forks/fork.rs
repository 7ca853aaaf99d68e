//! Forks of clients: who sees which bytes.

use crate::apart::{alone, figure, fork};
use crate::common::sys::load;
use crate::words::{Stop, check, check_zero, end, fill, fill_and_check, filled, filled_slowly, word};
use mager_linux_client::{Arena, Pages};
use std::io::{Read, Write};

#[test]
fn a_child_sees_the_parents_bytes() {
    alone("fork::a_child_sees_the_parents_bytes", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 1024);
        let untouched = arena.map(64).expect("memory");
        let read = arena.map(64).expect("memory");
        (0..64).for_each(|page| assert_eq!(load(&arena, read.page + page), 0));
        for _ in 0..3 {
            fork(|| {
                check(&arena, pages, 1);
                (0..64).for_each(|page| assert_eq!(load(&arena, untouched.page + page), 0));
                (0..64).for_each(|page| assert_eq!(load(&arena, read.page + page), 0));
            })
            .succeeded();
        }
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn writes_of_parent_and_child_do_not_meet() {
    alone("fork::writes_of_parent_and_child_do_not_meet", || {
        let (connection, pager, arena, pages) = filled(256, 4096, 1024);
        let child = fork(|| {
            for round in 2..6 {
                fill(&arena, pages, round * 1000);
                check(&arena, pages, round * 1000);
            }
        });
        for round in 2..6 {
            fill(&arena, pages, round);
            check(&arena, pages, round);
        }
        child.succeeded();
        check(&arena, pages, 5);
        end(connection, pager, arena);
    });
}

/// All of it resident, so that only protection keeps them apart.
#[test]
fn stores_after_a_fork_are_not_seen_on_the_other_side() {
    alone("fork::stores_after_a_fork_are_not_seen_on_the_other_side", || {
        let (connection, pager, arena, pages) = filled(4096, 8192, 1024);
        let ((told, tell), (heard, say)) =
            (std::io::pipe().expect("a pipe"), std::io::pipe().expect("a pipe"));
        let child = fork(|| {
            wait_for(&told);
            check(&arena, pages, 1);
            fill(&arena, pages, 3);
            (&say).write_all(&[1]).expect("somebody listens");
            wait_for(&told);
            check(&arena, pages, 3);
        });
        fill(&arena, pages, 2);
        (&tell).write_all(&[1]).expect("somebody listens");
        wait_for(&heard);
        check(&arena, pages, 2);
        fill(&arena, pages, 4);
        (&tell).write_all(&[1]).expect("somebody listens");
        child.succeeded();
        end(connection, pager, arena);
    });
}

fn wait_for(mut pipe: &std::io::PipeReader) {
    pipe.read_exact(&mut [0]).expect("somebody speaks");
}

#[test]
fn three_generations_each_have_their_own() {
    alone("fork::three_generations_each_have_their_own", || {
        let (connection, pager, arena, pages) = filled(128, 8192, 512);
        let child = fork(|| {
            fill(&arena, Pages { count: 256, ..pages }, 2);
            let grandchild = fork(|| {
                check(&arena, Pages { count: 256, ..pages }, 2);
                fill(&arena, pages, 3);
                fork(|| {
                    check(&arena, pages, 3);
                    fill(&arena, pages, 4);
                    check(&arena, pages, 4);
                })
                .succeeded();
                check(&arena, pages, 3);
            });
            check(&arena, Pages { count: 256, ..pages }, 2);
            fill(&arena, pages, 5);
            grandchild.succeeded();
            check(&arena, pages, 5);
        });
        check(&arena, pages, 1);
        child.succeeded();
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn forks_of_several_threads_at_once() {
    alone("fork::forks_of_several_threads_at_once", || {
        let (connection, pager, arena, pages) = filled(256, 16384, 512);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let arena = &arena;
                scope.spawn(move || {
                    for _ in 0..8 {
                        fork(|| {
                            check(arena, pages, 1);
                            fill(arena, pages, 10 + thread);
                            check(arena, pages, 10 + thread);
                        })
                        .succeeded();
                    }
                });
            }
        });
        check(&arena, pages, 1);
        end(connection, pager, arena);
    });
}

#[test]
fn file_pages_stay_shared() {
    alone("fork::file_pages_stay_shared", || {
        let (connection, pager, arena, pages) = filled(64, 4096, 128);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(96 * 4096).expect("it grows");
        let shown = arena.map_file(&file, 0, 64).expect("a mapping");
        let tail = arena.map_file(&file, 64, 32).expect("a mapping");
        fill(&arena, shown, 1);
        let child = fork(|| {
            check(&arena, shown, 1);
            fill(&arena, shown, 2);
            fill(&arena, tail, 3);
            check(&arena, pages, 1);
            arena.flush(shown.page).expect("it is written");
        });
        child.succeeded();
        check(&arena, shown, 2);
        check(&arena, tail, 3);
        let mut first = [0; 8];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut first, 4096).expect("it is there");
        assert_eq!(u64::from_le_bytes(first), word(1, 2));
        end(connection, pager, arena);
    });
}

#[test]
fn a_child_maps_unmaps_and_discards_for_itself() {
    alone("fork::a_child_maps_unmaps_and_discards_for_itself", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 512);
        let second = Arena::new(&connection).expect("an arena");
        let far = second.map(128).expect("memory");
        fill(&second, far, 9);
        let child = fork(|| {
            check(&second, far, 9);
            arena.unmap(pages).expect("it is mapped");
            let again = arena.map(1024).expect("memory");
            check_zero(&arena, again);
            fill(&arena, again, 4);
            second.discard(far).expect("it is private");
            check_zero(&second, far);
            std::thread::scope(|scope| {
                for part in 0..4 {
                    let (arena, part) = (&arena, Pages { page: again.page + part * 256, count: 256 });
                    scope.spawn(move || (5..9).for_each(|round| fill_and_check(arena, part, round)));
                }
            });
        });
        child.succeeded();
        check(&arena, pages, 1);
        check(&second, far, 9);
        drop(second);
        end(connection, pager, arena);
    });
}

/// The first fork finds pages on their way in and out, the others more of them: threads keep the disk busy.
fn fork_while_threads(work: fn(&Arena, Pages, u64)) {
    let (connection, pager, arena, pages) = filled_slowly(128, 16384, 1024);
    let kept = Pages { count: 512, ..pages };
    let stop = Stop::default();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (arena, stop) = (&arena, &stop);
            let part = Pages { page: pages.page + 512 + thread * 256, count: 256 };
            scope.spawn(move || {
                let mut round = 2;
                fill(arena, part, round);
                while !stop.is_set() {
                    work(arena, part, round);
                    round += 1;
                }
            });
        }
        let _end = stop.at_the_end();
        for _ in 0..6 {
            let child = fork(|| {
                check(&arena, kept, 1);
                fill_and_check(&arena, kept, 9);
            });
            check(&arena, kept, 1);
            child.succeeded();
        }
    });
    assert!(figure(&connection, "write_backs") > 500 && figure(&connection, "page_ins") > 500);
    end(connection, pager, arena);
}

#[test]
fn fork_during_page_in() {
    alone("fork::fork_during_page_in", || {
        fork_while_threads(|arena, part, _| {
            (0..part.count).for_each(|page| _ = load(arena, part.page + page))
        });
    });
}

#[test]
fn fork_during_write_back() {
    alone("fork::fork_during_write_back", || {
        fork_while_threads(|arena, part, round| {
            check(arena, part, round);
            fill(arena, part, round + 1);
        });
    });
}
