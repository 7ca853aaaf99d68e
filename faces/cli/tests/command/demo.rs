//! `mager demo`: its story, its figures, and that a wrong byte is found.

use crate::place::{Place, Running};
use crate::run::{Ran, finish};
use rustix::pipe::fcntl_setpipe_size;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

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

/// The file is spoiled while the demo waits for somebody to read what it has printed: its processes print through a
/// pipe that holds a page, and the file is read long after that.
#[test]
fn a_spoiled_byte_is_found_and_ends_with_code_1() {
    let place = Place::new();
    let mut demo = place.mager(["demo"]);
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::with_capacity(1, demo.stdout.take().expect("it is piped"));
    fcntl_setpipe_size(out.get_ref(), 4096).expect("a pipe can be small");
    let mut told = String::new();
    out.read_line(&mut told).expect("text");
    let dir = fs::read_dir(place.temporary())
        .expect("a directory")
        .next()
        .expect("the demo's")
        .expect("it is there");
    let file = dir.path().join("notes");
    let mut bytes = fs::read(&file).expect("the demo made it");
    bytes[12345] ^= 1;
    fs::write(&file, &bytes).expect("it can be written");
    out.read_to_string(&mut told).expect("text");
    let ended = demo.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1), "{told}");
    let complaints = String::from_utf8_lossy(&ended.stderr);
    assert!(complaints.starts_with("mager demo: byte 0x600063039 is "), "{complaints}");
    assert!(told.contains("SOMETHING WAS WRONG: see above."), "{told}");
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
