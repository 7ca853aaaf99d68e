//! Clients that pull memory and files away from under the pager harm only themselves: beside each of them an honest one
//! finds its bytes again.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::honest::beside;
use common::raw::Handmade;
use common::sys::{fill, load, poke, readable};
use mager_linux_client::Arena;
use mager_linux_wire::{Range, Reply, Request};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};

#[test]
fn memory_unmapped_under_the_pager() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 512);
        fill(&client.window, 0, 512);
        let Handmade { raw, id, window, .. } = client;
        drop(window);
        raw.done(&Request::Discard(Range { arena: id, page: 0, count: 256 }), &[]);
        raw.done(&Request::Unmap(Range { arena: id, page: 256, count: 256 }), &[]);
    });
}

#[test]
fn memory_cut_short_under_the_pager() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 4096, 2048);
        fill(&client.window, 0, 200);
        if rustix::fs::ftruncate(&client.memory, 0).is_err() {
            return eprintln!("SKIPPED: memory files cannot be cut short here, they are sealed");
        }
        assert!(client.raw.ends(), "it is expelled");
    });
}

#[test]
fn memory_of_a_shared_file_cut_short_under_the_pager() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 4096, 16);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(1 << 20).expect("a length");
        let map = Request::MapFile { range: client.range(100, 256), block: 0 };
        let memory = client.raw.done(&map, &[file.as_fd()]).remove(0);
        client.window.map(100 * 4096, 1 << 20, &memory, 0, true).expect("a mapping");
        client.uffd.register(client.window.base() + 100 * 4096, 1 << 20, true).expect("registered");
        fill(&client.window, 100, 100);
        if rustix::fs::ftruncate(&memory, 0).is_err() {
            return eprintln!("SKIPPED: memory files cannot be cut short here, they are sealed");
        }
        assert!(client.raw.ends(), "it is expelled");
    });
}

/// What the addresses show is the client's own memory, in which there is nothing; the file's page is well.
#[test]
fn a_shared_file_that_is_not_shown_where_it_is_mapped() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 4096, 16);
        let file = tempfile::tempfile().expect("a file");
        std::os::unix::fs::FileExt::write_all_at(&file, &[7; 64 * 4096], 0).expect("it grows");
        let map = Request::MapFile { range: client.range(100, 64), block: 0 };
        let _memory = client.raw.done(&map, &[file.as_fd()]);
        (100..164).for_each(|page| _ = readable(&client.window, page * 4096));
        let other = pager.connect();
        let arena = Arena::new(&other).expect("an arena");
        let shown = arena.map_file(&file, 0, 64).expect("a mapping");
        (0..64).for_each(|page| assert_eq!(load(&arena, shown.page + page), u64::from_ne_bytes([7; 8])));
    });
}

#[test]
fn files_that_are_none_or_not_open_for_writing() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 16);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, [1; 8192]).expect("a file");
        let fifo = dir.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
        assert!(made.success());
        let open =
            |path: &std::path::Path, flags| rustix::fs::open(path, flags, Mode::empty()).expect("it opens");
        let map = Request::MapFile { range: client.range(100, 1), block: 0 };
        for (path, flags) in [
            (dir.path(), OFlags::RDONLY),
            (&path, OFlags::RDONLY),
            (&path, OFlags::WRONLY),
            (&path, OFlags::PATH),
            (&fifo, OFlags::RDWR),
        ] {
            let said = client.raw.ask(&map, &[open(path, flags).as_fd()]);
            assert!(matches!(said, Some((Reply::Refused { .. }, _))), "{path:?} {flags:?}: {said:?}");
        }
        let file = open(&path, OFlags::RDWR);
        for (block, count) in [(2, 1), (0, 3), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
            let range = client.range(100, count);
            assert_eq!(client.raw.refused(&Request::MapFile { range, block }, &[file.as_fd()]), libc::EINVAL);
        }
        assert_eq!(client.raw.refused(&map, &[]), libc::EBADF);
        assert!(matches!(client.raw.ask(&map, &[file.as_fd()]), Some((Reply::Done, _))));
    });
}

#[test]
fn a_file_that_shrinks_is_denied_where_it_was_and_holds_nobodys_frames() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 2048, 16);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(4 << 20).expect("a length");
        let map = Request::MapFile { range: client.range(100, 1024), block: 0 };
        let memory = client.raw.done(&map, &[file.as_fd()]).remove(0);
        client.window.map(100 * 4096, 4 << 20, &memory, 0, true).expect("a mapping");
        client.uffd.register(client.window.base() + 100 * 4096, 4 << 20, true).expect("registered");
        // Dirty pages that cannot be written home any more, and untouched ones that cannot be read.
        fill(&client.window, 100, 200);
        file.set_len(4096 * 10).expect("a length");
        assert!(!readable(&client.window, 900 * 4096), "what is behind the end is denied");
        assert!(readable(&client.window, 105 * 4096));
        poke(&client.window, 102 * 4096, 1);
        let flush = Request::Flush { arena: client.id, page: 100 };
        let _ = client.raw.ask(&flush, &[]);
        assert_eq!(file.metadata().expect("a file").len(), 4096 * 10, "it does not grow");
    });
}

#[test]
fn flags_that_a_client_sets_on_its_file_do_not_reach_the_pagers() {
    beside(|pager| {
        let client = Handmade::new(&pager.path, 1024, 16);
        let file = tempfile::tempfile().expect("a file");
        file.set_len(8 * 4096).expect("a length");
        let map = Request::MapFile { range: client.range(100, 8), block: 0 };
        let memory = client.raw.done(&map, &[file.as_fd()]).remove(0);
        client.window.map(100 * 4096, 8 * 4096, &memory, 0, true).expect("a mapping");
        client.uffd.register(client.window.base() + 100 * 4096, 8 * 4096, true).expect("registered");
        rustix::fs::fcntl_setfl(&file, OFlags::APPEND).expect("flags");
        fill(&client.window, 100, 8);
        client.raw.done(&Request::Flush { arena: client.id, page: 100 }, &[]);
        assert_eq!(file.metadata().expect("a file").len(), 8 * 4096, "nothing was appended");
    });
}
