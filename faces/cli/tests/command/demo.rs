//! `mager demo`: its story, its figures, and that a wrong byte is found.

use crate::place::{Place, Running};
use crate::run::{Ran, finish};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

fn demo(options: &[&str]) -> Ran {
    let place = Place::new();
    let ran = finish(place.mager(["demo"]).args(options));
    place.is_clean();
    ran
}

const ZERO_FILL: &str = "its first write needs a frame of its own, filled with zeros";
const SECOND_CHANCE: &str = "was touched: second chance";
const WRITE_BACK: &str = "the victim; it is dirty, so written to swap block";
const COPY: &str = "it is shared by a fork, so the writer gets a copy of its own";
const GHOST: &str = "a ghost, still there though nobody had it mapped";
const REFUSALS: [&str; 2] = ["asks for a page: refused, nothing has changed: out of swap", "forks: refused"];

#[track_caller]
fn tells(frames: &str, phrases: &[&str], silent: &[&str]) {
    let ran = demo(&["--frames", frames]);
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)), "{}", ran.out);
    for phrase in phrases.iter().chain(&REFUSALS) {
        assert!(ran.out.contains(phrase), "{phrase:?} is not told at {frames} frames:\n{}", ran.out);
    }
    for phrase in silent {
        assert!(!ran.out.contains(phrase), "{phrase:?} is told at {frames} frames:\n{}", ran.out);
    }
    assert!(ran.out.ends_with(" bytes were compared, and every one was right.\n"), "{}", ran.out);
}

#[test]
fn with_few_frames_the_story_names_everything() {
    for frames in ["3", "4", "5"] {
        tells(frames, &[ZERO_FILL, SECOND_CHANCE, WRITE_BACK, COPY, GHOST], &[]);
    }
}

#[test]
fn with_one_usable_frame_no_copy_is_needed_and_no_ghost_lives_on() {
    let passes = "the others' copy is at home, so it passes on without being copied";
    tells("2", &[ZERO_FILL, SECOND_CHANCE, WRITE_BACK, COPY, passes], &["is copied to frame", GHOST]);
}

#[test]
fn with_many_frames_nothing_is_evicted_and_the_file_goes_home_at_the_end() {
    let home = ["is written home: block 0 of notes", "is written home: block 1 of notes"];
    tells(
        "64",
        &[ZERO_FILL, COPY, GHOST, home[0], home[1]],
        &[SECOND_CHANCE, WRITE_BACK, "no frame is free"],
    );
}

#[test]
fn every_byte_of_every_page_is_compared() {
    let bytes = |frames: &str| {
        let ran = demo(&["--json", "--frames", frames]);
        let figures: serde_json::Value = serde_json::from_str(&ran.out).expect("one value");
        assert_eq!((&figures["every_byte_right"], ran.code), (&serde_json::Value::Bool(true), Some(0)));
        assert_eq!(figures["frames"].to_string(), frames);
        let sum = |names: &[&str]| names.iter().filter_map(|name| figures[name].as_u64()).sum::<u64>();
        let copies = figures["faults"]["copy-on-write"].as_u64();
        assert_eq!((figures["processes"].as_u64(), copies), (Some(5), Some(2)), "{}", ran.out);
        assert_eq!(sum(&["copies", "copies_saved"]), 2, "{}", ran.out);
        assert_eq!(sum(&["refusals"]), 2, "{}", ran.out);
        sum(&["bytes_checked"])
    };
    // 33 pages and blocks of 64 KiB, whatever the number of frames.
    assert!(["2", "4", "64"].into_iter().all(|frames| bytes(frames) == 33 * 65536));
}

#[test]
fn quiet_is_the_table_alone() {
    let ran = demo(&["--quiet"]);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.out.starts_with("\n5 processes on 4 frames, in ") && !ran.out.contains(ZERO_FILL),
        "{}",
        ran.out
    );
    for row in ["zero-fill faults", "page-in faults", "write-backs", "copies", "zero-fills", "ghosts reused"]
    {
        assert!(ran.out.contains(&format!("  {row} ")), "{row}: {}", ran.out);
    }
}

/// A demo that waits for somebody to read what it prints: through a pipe that holds a page, of which only the first
/// lines were read. By then its directory is there, and nothing of its file was read.
struct Paused {
    demo: Child,
    out: BufReader<ChildStdout>,
}

fn paused(place: &Place, after: &str) -> Paused {
    let mut demo = place.mager(["demo"]);
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::with_capacity(1, demo.stdout.take().expect("it is piped"));
    fcntl_setpipe_size(out.get_ref(), 4096).expect("a pipe can be small");
    let mut told = String::new();
    while !told.contains(after) {
        assert!(out.read_line(&mut told).expect("text") > 0, "{after:?} is missing in {told}");
    }
    Paused { demo, out }
}

impl Paused {
    /// Lets it run to its end: exit code, story, complaints.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut told = String::new();
        self.out.read_to_string(&mut told).expect("text");
        let ended = self.demo.wait_with_output().expect("it ends");
        (ended.status.code(), told, String::from_utf8(ended.stderr).expect("text"))
    }
}

#[test]
fn a_spoiled_byte_is_found_and_ends_with_code_1() {
    let place = Place::new();
    let demo = paused(&place, "Real processes on 4 frames");
    let mut dirs = fs::read_dir(place.temporary()).expect("a directory");
    let dir = dirs.next().expect("the demo's").expect("it is there");
    let file = dir.path().join("notes");
    let mut bytes = fs::read(&file).expect("the demo made it");
    bytes[12345] ^= 1;
    fs::write(&file, &bytes).expect("it can be written");
    let (code, told, complaints) = demo.end();
    assert_eq!(code, Some(1), "{told}");
    assert!(complaints.starts_with("mager demo: byte 0x600063039 is "), "{complaints}");
    assert!(told.contains("SOMETHING WAS WRONG: see above."), "{told}");
    place.is_clean();
}

#[test]
fn a_demo_that_is_stopped_says_so_and_leaves_nothing_behind() {
    let place = Place::new();
    let demo = paused(&place, "process A is new");
    let pid = i32::try_from(demo.demo.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::TERM).expect("it is there");
    let (code, told, complaints) = demo.end();
    assert!(complaints.ends_with("mager: the demo was stopped before its end\n"), "{complaints}");
    assert_eq!((code, told.contains("WRONG")), (Some(1), false), "{told}");
    place.is_clean();
}

#[test]
fn whoever_stops_listening_to_the_story_gets_no_complaint() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ran = finish(place.mager(["demo"]).stdout(Stdio::from(writer)));
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
    place.is_clean();
}

#[test]
fn frames_that_cannot_be_are_refused() {
    for (frames, said) in [("1", "1 is not in 2..=65536"), ("many", "invalid value 'many'")] {
        let ran = demo(&["--frames", frames]);
        assert!(ran.code == Some(2) && ran.err.contains(said), "{}", ran.err);
    }
}

#[test]
fn two_demos_at_once_do_not_meet() {
    let place = Place::new();
    let demos = [(); 2].map(|()| Running::start(place.mager(["demo", "--quiet"])));
    for demo in demos {
        let (status, out, err) = demo.end();
        assert!(status.success() && out.contains("5 processes on 4 frames"), "{out}{err}");
    }
    place.is_clean();
}
