//! Exit status and standard streams are the program's own.

use crate::place::{Place, text};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

#[test]
fn an_exit_status_is_passed_on_and_nothing_is_said() {
    let Some(place) = Place::new() else { return };
    for code in [0, 1, 2, 77, 125, 255] {
        let ran = place.script(&format!("exit {code}"));
        assert_eq!((ran.status.code(), text(&ran.stderr).as_str()), (Some(code), ""));
        place.is_clean();
    }
}

#[test]
fn what_a_signal_ended_ends_by_the_same_signal_without_a_core() {
    let Some(place) = Place::new() else { return };
    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("QUIT", 3), ("ABRT", 6), ("PIPE", 13)] {
        // Its own cores are its own affair; here they would only be in the way.
        let ran = place.script(&format!("ulimit -c 0; kill -{name} $$"));
        assert_eq!((ran.status.signal(), ran.status.core_dumped()), (Some(number), false), "{name}");
        place.is_clean();
    }
}

#[test]
fn streams_are_the_programs_own_byte_for_byte() {
    let Some(place) = Place::new() else { return };
    let bytes: Vec<u8> = (0..3 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 3]).collect();
    std::fs::write(place.path("in"), &bytes).expect("it is written");
    let mut run = place.run(&[], &["sh", "-c", "cat; echo to the side >&2"]);
    let input = File::open(place.path("in")).expect("it is there");
    let ran = run.stdin(Stdio::from(input)).output().expect("it starts");
    assert!(ran.stdout == bytes, "{} bytes of {} came out", ran.stdout.len(), bytes.len());
    assert_eq!(text(&ran.stderr), "to the side\n");
}

#[test]
fn arguments_name_and_environment_arrive_as_they_are() {
    let Some(place) = Place::new() else { return };
    let mut run = place.run(&[], &["sh", "-c", "echo \"$0|$1|$2|$MINE\"", "na me", "--memory", ""]);
    let ran = run.env("MINE", "it is").output().expect("it starts");
    assert_eq!(text(&ran.stdout), "na me|--memory||it is\n");
}

#[test]
fn the_programs_words_need_no_dashes_before_them() {
    let Some(place) = Place::new() else { return };
    let swap = place.swap();
    let mut run = place.mager(&["run", "--memory", "8M", "--swap", "64M", "--swap-dir"]);
    let ran = run.arg(swap).args(["sh", "-c", "echo $1", "x", "--stats"]).output().expect("it starts");
    assert_eq!((text(&ran.stdout).as_str(), text(&ran.stderr).as_str()), ("--stats\n", ""));
}

#[test]
fn a_program_larger_than_its_memory_gives_the_same_output() {
    let Some(place) = Place::new() else { return };
    let script = "seq 1 600000 | sort -S 64M -k1.3 | cksum";
    let plain = std::process::Command::new("sh").args(["-c", script]).output().expect("a shell");
    let mut run = place.run(&["--json", "figures"], &["sh", "-c", script]);
    let ran = run.output().expect("it starts");
    assert_eq!((text(&ran.stdout), text(&ran.stderr)), (text(&plain.stdout), String::new()));
    let told: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("figures")).expect("figures")).expect("JSON");
    assert!(told["page_ins"].as_u64() > Some(0) && told["peak_bytes"].as_u64() <= Some(8 << 20), "{told}");
    place.is_clean();
}
