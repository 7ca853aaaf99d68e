//! `mager course run`: what passes through, and what is written down.

use crate::place::{Place, program};
use crate::run::{finish, mager};
use std::fs;
use std::io::Write;
use std::process::Stdio;

#[test]
fn input_output_and_exit_code_are_the_applications_own() {
    let (place, echo) = (Place::new(), program("echo"));
    let mut run = place.mager(["course", "run", "--"]);
    run.arg(&echo).arg("42").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = run.spawn().expect("it starts");
    let mut input = running.stdin.take().expect("it is piped");
    input.write_all(b"through the arena\n").expect("it reads");
    drop(input);
    let ended = running.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(42));
    assert_eq!(
        (&ended.stdout[..], &ended.stderr[..]),
        (&b"through the arena\n"[..], &b"to standard error\n"[..])
    );
    place.is_clean();
}

#[test]
fn a_signal_that_ends_the_application_is_named_and_told_as_a_shell_does() {
    let (place, echo) = (Place::new(), program("echo"));
    for (number, name) in [("9", "SIGKILL"), ("15", "SIGTERM"), ("6", "SIGABRT")] {
        let ran = place.course_run(&[], &echo, &["signal", number]);
        assert_eq!(ran.code, number.parse::<i32>().ok().map(|number| 128 + number));
        assert!(ran.err.contains(&format!("echo was ended by signal {number} ({name})")), "{}", ran.err);
    }
    place.is_clean();
}

#[test]
fn the_summary_is_printed_when_it_is_asked_for() {
    let (place, echo) = (Place::new(), program("echo"));
    let ran = place.course_run(&["--summary"], &echo, &[]);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(0)));
    assert!(ran.err.contains("1 process, 0 read faults, 0 write faults, 0 refused\n"), "{}", ran.err);
}

/// Line by line as docs/contract.md has it, with the rule that decides the line.
#[test]
fn the_log_is_the_contracts() {
    let (place, small) = (Place::new(), program("small"));
    fs::write(place.file("f"), vec![b'f'; 65536]).expect("it can be written");
    let ran = place.course_run(&["-m", "4", "--log", "log", "--log-pids", "ordinal"], &small, &[]);
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
    let tabs = "\t\t\t\t\t";
    let expected = [
        "vm_create\t(1, 2)",
        "vm_create returned 0",
        "vm_switch\t(2)",
        "{returning to (2) with r|w pages:",
        "vm_map\t\t(0x0, 0)",
        "vm_map returned 0x600000000",
        "{returning to (2) with r|w pages:",
        "{r\tvpage 0x60000\tppage 0x0", // rule 12
        "vm_fault\t(0x600000000, write)",
        "vm_fault returned 0",
        "{returning to (2) with r|w pages:",
        "{rw\tvpage 0x60000\tppage 0x1", // rules 2 and 23
        "vm_map\t\t(0x600000000, 0)",
        "vm_map returned 0x600010000",
        "{returning to (2) with r|w pages:",
        "{rw\tvpage 0x60000\tppage 0x1", // rule 15: the file page shows nothing yet
        "vm_create\t(2, 3)",
        "vm_create returned 0",
        "{returning to (2) with r|w pages:",
        "{r\tvpage 0x60000\tppage 0x1", // rule 7
        "vm_switch\t(3)",
        "{returning to (3) with r|w pages:",
        "{r\tvpage 0x60000\tppage 0x1",
        "vm_fault\t(0x600000003, write)",
        "vm_fault returned 0",
        "{returning to (3) with r|w pages:",
        "{rw\tvpage 0x60000\tppage 0x2", // rule 24
        "vm_destroy",
        "vm_switch\t(2)",
        "{returning to (2) with r|w pages:",
        "{rw\tvpage 0x60000\tppage 0x1", // rule 22: alone again
        "vm_fault\t(0x600010005, read)",
        "file_read\t(f, 0)",
        "vm_fault returned 0",
        "{returning to (2) with r|w pages:",
        "{rw\tvpage 0x60000\tppage 0x1",
        "{r\tvpage 0x60001\tppage 0x3", // rules 2 and 25: the next frame that was never used
        "vm_destroy",
        "",
    ];
    let expected = expected.join("\n").replace('{', tabs);
    assert_eq!(fs::read_to_string(place.file("log")).expect("it was written"), expected);
    let shown = place.course_run(&["-m", "4", "--log", "-", "--log-pids", "ordinal"], &small, &[]);
    assert_eq!(shown.out, expected, "`-` is the standard output");
}

#[test]
fn raw_process_ids_are_the_systems() {
    let (place, small) = (Place::new(), program("small"));
    fs::write(place.file("f"), vec![b'f'; 65536]).expect("it can be written");
    let ran = place.course_run(&["--log", "-"], &small, &[]);
    let pids = ran.out.strip_prefix("vm_create\t(").and_then(|rest| rest.split_once(')')).expect("a call").0;
    let (parent, child) = pids.split_once(", ").expect("two processes");
    assert!([parent, child].iter().all(|pid| pid.parse::<u32>().is_ok_and(|pid| pid > 1)), "{pids}");
    assert!(ran.out.contains(&format!("vm_switch\t({child})\n")), "{}", ran.out);
}

#[test]
fn a_recorded_run_replays_equally_and_shows_its_states() {
    let (place, small) = (Place::new(), program("small"));
    fs::write(place.file("f"), vec![b'f'; 65536]).expect("it can be written");
    let ran = place.course_run(&["-m", "2", "--events", "run.events"], &small, &[]);
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
    let events = place.file("run.events");
    let replay = |more: &[&str]| mager([&["replay", events.to_str().expect("a plain path")], more].concat());
    let equal = replay(&[]);
    assert!(equal.out.starts_with("equal: ") && equal.code == Some(0), "{}", equal.out);
    let steps = equal.out.split(' ').nth(1).expect("a number of steps");
    let last = replay(&["--at", steps]);
    for part in
        [format!("state after step {steps}\n"), "core map: 2 frames".to_owned(), "\"f\" block 0".to_owned()]
    {
        assert!(last.out.contains(&part), "{part:?} is not in\n{}", last.out);
    }
    let life = replay(&["--page", "0:0"]);
    assert!(
        life.out.contains("call fork 0.0 -> arena 1.0") && life.out.contains("swap block"),
        "{}",
        life.out
    );
}

#[test]
fn a_former_log_and_recording_outlive_a_run_that_is_refused() {
    let place = Place::new();
    for file in ["log", "events"] {
        fs::write(place.file(file), "of a former run").expect("it can be written");
    }
    for wrong in [["--policy", "none"], ["-m", "0"], ["--dir", "nowhere"], ["--swap-file", "no/swap"]] {
        let options = [&["--log", "log", "--events", "events"][..], &wrong].concat();
        let ran = place.course_run(&options, "true".as_ref(), &[]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        for file in ["log", "events"] {
            assert_eq!(fs::read(place.file(file)).expect("it is there"), b"of a former run", "{wrong:?}");
        }
    }
    assert_eq!(place.course_run(&["--log", "log", "--events", "events"], "true".as_ref(), &[]).code, Some(0));
    assert_eq!(fs::read(place.file("log")).expect("it is there"), b"");
    assert!(fs::read(place.file("events")).expect("it is there").starts_with(b"mager-events 3\n"));
}

#[test]
fn a_log_or_recording_that_cannot_be_finished_ends_with_code_1() {
    let (place, echo) = (Place::new(), program("echo"));
    for (option, said) in [
        ("--log", "mager: the log cannot be written any more: No space left on device (os error 28)\n"),
        (
            "--events",
            "mager: /dev/full: the event log cannot be written: No space left on device (os error 28)\n",
        ),
    ] {
        let ran = place.course_run(&[option, "/dev/full"], &echo, &[]);
        assert!(ran.err.contains(said) && ran.code == Some(1), "{:?}: {}", ran.code, ran.err);
        let failed = place.course_run(&[option, "/dev/full"], &echo, &["7"]);
        assert!(failed.err.contains(said), "{}", failed.err);
    }
}

#[test]
fn the_run_ends_with_the_last_process_and_not_before() {
    let place = Place::new();
    let fork = crate::place::example("fork_copy");
    // A shell that leaves an application behind: the pager serves it to its end.
    let script = format!("{} > out &", fork.display());
    let mut run = place.mager(["course", "run", "--", "sh", "-c"]);
    let ran = finish(run.arg(format!("{script} sleep 0.2")));
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
    let out = fs::read_to_string(place.file("out")).expect("it was written");
    assert!(out.ends_with("the parent, alone again, sees: a ! c d -\n"), "{out}");
}
