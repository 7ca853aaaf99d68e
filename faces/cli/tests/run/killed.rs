//! Whoever is killed: the others end as they should, and nothing is left behind.

use crate::place::{Place, Running, says};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::process::ExitStatusExt;

/// Holds memory, says its number, and once it is told to, says whether the memory is as it was. The place is in its
/// command line.
const HOLDS: &str = "a=$(seq 1 60000); b=$a; echo pid-$$-
while [ ! -e go ]; do sleep 0.05; done; [ \"$a\" = \"$b\" ] && echo kept > done; exit 3";

fn hold(place: &Place) -> Running {
    let marker = place.path("marker");
    let marker = marker.to_str().expect("UTF-8");
    let run = Running::start(place.run(&[], &["sh", "-c", HOLDS, marker]));
    says(&run, "pid-");
    run
}

fn program(run: &Running) -> Pid {
    let out = run.out();
    let number = out.split('-').nth(1).and_then(|number| number.parse().ok());
    number.and_then(Pid::from_raw).expect("a process id")
}

fn go(place: &Place) {
    fs::write(place.path("go"), "").expect("it is made");
}

#[test]
fn a_killed_command_leaves_a_program_that_goes_on_to_its_end() {
    let Some(place) = Place::new() else { return };
    let run = hold(&place);
    run.signal(Signal::KILL);
    assert_eq!(run.end().0.signal(), Some(9));
    assert!(place.processes().len() >= 2, "the program and its pager go on: {:?}", place.processes());
    go(&place);
    place.becomes_clean();
    assert_eq!(fs::read_to_string(place.path("done")).expect("it came to its end"), "kept\n");
}

#[test]
fn a_killed_program_ends_everything_the_same_way() {
    let Some(place) = Place::new() else { return };
    let run = hold(&place);
    kill_process(program(&run), Signal::KILL).expect("it is there");
    let (status, _, err) = run.end();
    assert_eq!((status.signal(), err.as_str()), (Some(9), ""));
    place.becomes_clean();
}

#[test]
fn a_killed_pager_ends_the_program_with_a_message_and_never_with_wrong_bytes() {
    let Some(place) = Place::new() else { return };
    let run = hold(&place);
    kill_process(place.pager(), Signal::KILL).expect("it is there");
    let (status, _, err) = run.end();
    assert_eq!(status.code(), Some(70), "{err}");
    assert!(err.contains("mager: the pager was ended by SIGKILL"), "{err}");
    assert!(!place.path("done").exists());
    place.becomes_clean();
}

#[test]
fn a_killed_command_and_program_leave_no_pager() {
    let Some(place) = Place::new() else { return };
    let run = hold(&place);
    let program = program(&run);
    run.signal(Signal::KILL);
    kill_process(program, Signal::KILL).expect("it is there");
    assert_eq!(run.end().0.signal(), Some(9));
    place.becomes_clean();
}

#[test]
fn what_the_program_leaves_running_keeps_its_memory_after_the_command() {
    let Some(place) = Place::new() else { return };
    let script =
        format!("(exec </dev/null >/dev/null 2>&1; {}) & echo pid-$!-", HOLDS.replace("echo pid-$$-", ""));
    let marker = place.path("marker");
    let run = Running::start(place.run(&[], &["sh", "-c", &script, marker.to_str().expect("UTF-8")]));
    let (status, _, err) = run.end();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
    assert!(place.processes().len() >= 2, "{:?}", place.processes());
    go(&place);
    place.becomes_clean();
    assert_eq!(fs::read_to_string(place.path("done")).expect("it came to its end"), "kept\n");
}

#[test]
fn a_pager_that_others_depend_on_is_ended_by_no_gentle_signal() {
    let Some(place) = Place::new() else { return };
    let run = hold(&place);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::TSTP] {
        kill_process(place.pager(), signal).expect("it is there");
    }
    go(&place);
    assert_eq!(run.end().0.code(), Some(3));
    assert_eq!(fs::read_to_string(place.path("done")).expect("it came to its end"), "kept\n");
    place.becomes_clean();
}
