//! Mager's own pager under this host: linked as an object, it does what the test pager does, call by call; inside
//! the host, it also takes dirty file pages home at the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Outcome, Place, application, course, fixture, own_pager, run_under, test_pager};
use mager_course_host::{Host, LogPids, Options, Report, Swap};
use mager_course_pager::CoursePager;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Frames and swap blocks are the pager's choice; everything else in a log is decided by the contract.
fn masked(log: &str) -> String {
    let mask = |line: &str| {
        if let Some((before, _)) = line.split_once("ppage ") {
            return format!("{before}ppage\n");
        }
        match line.split_once("<swap>, ") {
            Some((before, _)) => format!("{before}<swap>\n"),
            None => format!("{line}\n"),
        }
    };
    log.lines().map(mask).collect()
}

fn logged(pager: &Path, place: &Place, frames: &str, application: &[&OsStr]) -> (Outcome, String) {
    let log = place.beside("log");
    let options =
        ["-m", frames, "-s", "600", "--quiet", "--log-pids", "ordinal", "--log", log.to_str().unwrap()];
    let ran = run_under(pager, place, &options, application);
    (ran, masked(&fs::read_to_string(log).unwrap()))
}

#[test]
fn two_independent_pagers_make_the_same_calls() {
    let place = Place::new();
    let program = place.beside("stress");
    application(&fixture("fork_stress.cpp"), &program, &[]);
    for seed in 1..=8 {
        for frames in ["2", "4", "5", "32"] {
            let seed = seed.to_string();
            let application = [program.as_os_str(), OsStr::new(&seed)];
            let (theirs, expected) = logged(test_pager(), &place, frames, &application);
            let (ours, log) = logged(own_pager(), &place, frames, &application);
            assert!(
                ours.status.success() && ours.out == theirs.out,
                "seed {seed}, {frames} frames: {ours:?}"
            );
            let difference = log.lines().zip(expected.lines()).position(|(ours, theirs)| ours != theirs);
            assert_eq!(difference, None, "seed {seed}, {frames} frames: the logs part at this line");
            assert_eq!(log.len(), expected.len());
        }
    }
}

fn inside(place: &Place, frames: u32, application: &Path) -> Report {
    let options = Options {
        frames,
        swap_blocks: 40,
        swap: Swap::Memory,
        dir: place.work(),
        log_pids: LogPids::Ordinal,
        signals: false,
        ..Options::default()
    };
    let pager = CoursePager::new("clock", ()).unwrap();
    let mut command = Command::new(application);
    command.current_dir(place.work()).stdout(Stdio::null());
    Host::new(options, Box::new(pager)).and_then(|host| host.run_with(command)).unwrap()
}

#[test]
fn files_hold_the_same_bytes_at_4_and_at_1024_frames() {
    for (example, data) in [("file_pages", "file_pages.dat"), ("share_file", "share_file.dat")] {
        let place = Place::new();
        let program = place.beside(example);
        application(&course(&format!("examples/{example}.cpp")), &program, &[]);
        let mut found = Vec::new();
        for frames in [4, 1024] {
            let report = inside(&place, frames, &program);
            assert!(report.exit.is_some_and(|exit| exit.success()), "{report:?}");
            assert!(report.flushed.failures.is_empty(), "{report:?}");
            // With room for everything nothing was written before the end.
            assert!(frames == 4 || report.flushed.written > 0, "{report:?}");
            found.push(fs::read(place.work().join(data)).unwrap());
        }
        assert_eq!(found[0], found[1], "{example}");
    }
}
