//! An application in Rust, without any unsafe: this program is the host and, started again by it, the application.
//!
//! Without the test harness, which runs tests in threads of their own: only the first may touch the arena.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use mager_course_abi::{ARENA_BASE, PAGE_SIZE};
use mager_course_app::{Forked, fork, map_file, map_swap, start, wait, yield_now};
use mager_course_host::{Host, Options, Swap};
use mager_course_pager::CoursePager;
use std::process::Command;

const ROLE: &str = "MAGER_TEST_ROLE";

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("application") => application(),
        _ => host(),
    }
}

fn host() {
    for frames in [2, 4, 1024] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data"), vec![b'd'; 2 * PAGE_SIZE]).unwrap();
        let options = Options {
            frames,
            swap_blocks: 20,
            swap: Swap::Memory,
            dir: dir.path().to_owned(),
            signals: false,
            ..Options::default()
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ROLE, "application").current_dir(dir.path());
        let pager = CoursePager::new("clock", ()).unwrap();
        let report = Host::new(options, Box::new(pager)).unwrap().run_with(command).unwrap();
        assert!(report.exit.unwrap().success(), "{frames} frames: {report:?}");
        assert_eq!(report.processes, 2, "{report:?}");
        let data = std::fs::read(dir.path().join("data")).unwrap();
        assert_eq!((data[PAGE_SIZE - 1], data[PAGE_SIZE], data[PAGE_SIZE + 1]), (b'd', b'c', b'd'));
        println!("an application in Rust runs at {frames} frames");
    }
}

fn application() {
    start().unwrap();
    start().unwrap();
    let pages: Vec<_> = (0..6).map(|_| map_swap().unwrap()).collect();
    assert_eq!(pages[5].address(), ARENA_BASE + 5 * PAGE_SIZE);
    for (byte, page) in (0..).zip(&pages) {
        assert_eq!(page.read(PAGE_SIZE - 1), 0);
        page.write(PAGE_SIZE - 1, byte);
    }
    let name = pages[0].write_name(10, c"data");
    let block = map_file(name, 1).unwrap();
    assert_eq!(block.read(0), b'd');
    match fork().unwrap() {
        Forked::Child => {
            pages.iter().for_each(|page| page.write(PAGE_SIZE - 1, 99));
            block.write(0, b'c');
            yield_now();
            assert!(pages.iter().all(|page| page.read(PAGE_SIZE - 1) == 99));
            std::process::exit(7);
        }
        Forked::Parent(child) => {
            let ended = wait(Some(child)).unwrap();
            assert_eq!((ended.pid, ended.status.exit_status()), (child, Some(7)));
            assert!((0..).zip(&pages).all(|(byte, page)| page.read(PAGE_SIZE - 1) == byte));
            assert_eq!(block.read(0), b'c');
            assert!(wait(None).is_err());
        }
    }
    // Six pages are reserved, the child's are free again: 14 more, not 15.
    assert_eq!((0..15).filter(|_| map_swap().is_some()).count(), 14);
    assert!(fork().is_err());
}
