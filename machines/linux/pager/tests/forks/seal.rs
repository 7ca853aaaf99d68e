//! Sealed arenas: paged, zapped and forked as any other, and nobody can take their addresses away.

use crate::apart::{alone, figure, fork, sys};
use crate::words::{check, end, fill, fill_and_check, filled};
use mager_linux_client::Arena;

const PAGE: usize = 4096;

/// Whether the kernel can seal; says loudly if not.
fn sealed(arena: &Arena) -> bool {
    let sealed = arena.seal();
    if let Err(why) = &sealed {
        eprintln!("SKIPPED: {why}");
    }
    sealed.is_ok()
}

#[test]
fn a_sealed_arena_is_paged_and_cannot_be_unmapped() {
    alone("seal::a_sealed_arena_is_paged_and_cannot_be_unmapped", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 1024);
        if sealed(&arena) {
            assert_eq!(sys::try_unmap(arena.pointer(pages.page), PAGE), Err(libc::EPERM));
            assert_eq!(sys::try_protect(arena.pointer(pages.page), PAGE), Err(libc::EPERM));
            let (chances, before) = (figure(&connection, "second_chances"), figure(&connection, "page_ins"));
            (1..4).for_each(|round| {
                check(&arena, pages, round);
                fill(&arena, pages, round + 1);
            });
            assert!(figure(&connection, "page_ins") > before + 1000);
            assert!(figure(&connection, "second_chances") > chances, "entries are dropped as before");
            let more = arena.map(64).expect("memory");
            fill_and_check(&arena, more, 5);
            arena.unmap(more).expect("regions come and go");
            let file = tempfile::tempfile().expect("a file");
            file.set_len(4096).expect("a page");
            let why = arena.map_file(&file, 0, 1).expect_err("its mapping could not be replaced");
            assert_eq!(why.errno(), libc::EPERM);
        }
        end(connection, pager, arena);
    });
}

#[test]
fn an_arena_that_had_files_is_not_sealed() {
    alone("seal::an_arena_that_had_files_is_not_sealed", || {
        let (connection, pager, arena, _) = filled(256, 4096, 64);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(4096).expect("a page");
        let mapped = arena.map_file(&file, 0, 1).expect("a mapping");
        assert_eq!(arena.seal().expect_err("it has a file").errno(), libc::EPERM);
        arena.unmap(mapped).expect("it can go, as nothing is sealed");
        end(connection, pager, arena);
    });
}

#[test]
fn a_forked_child_has_its_copy_sealed() {
    alone("seal::a_forked_child_has_its_copy_sealed", || {
        let (connection, pager, arena, pages) = filled(256, 8192, 512);
        if sealed(&arena) {
            fork(|| {
                check(&arena, pages, 1);
                assert_eq!(sys::try_unmap(arena.pointer(pages.page), PAGE), Err(libc::EPERM));
                fill_and_check(&arena, pages, 2);
            })
            .succeeded();
            check(&arena, pages, 1);
        }
        end(connection, pager, arena);
    });
}
