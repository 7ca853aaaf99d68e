//! Whoever is killed: the others end as they should, and nothing is left behind.

use crate::place::{Place, Running, says, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

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

/// So that none of these tests disturbs those that come after it.
#[test]
fn a_test_that_fails_leaves_no_process() {
    let Some(place) = Place::new() else { return };
    let mut ours = Vec::new();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let place = place;
        let _run = hold(&place);
        ours = place.processes();
        resume_unwind(Box::new("on purpose"))
    }));
    assert!(failed.is_err() && ours.len() >= 2, "{ours:?}");
    // That of one that has ended is empty, whether or not anybody has taken note of that.
    let line = |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let there = |pid: &i32| !line(pid).is_empty();
    until("they are gone", || (!ours.iter().any(there)).then_some(()));
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

/// Between two images it is nobody's client. Found by `cargo xtask kills`.
#[test]
fn a_killed_command_leaves_a_program_that_finds_its_pager_after_exec() {
    let Some(place) = Place::new() else { return };
    let script = "echo pid-$$-; while [ ! -e go ]; do sleep 0.05; done; exec sh -c 'echo kept > done' \"$0\"";
    let marker = place.path("marker");
    let run = Running::start(place.run(&[], &["sh", "-c", script, marker.to_str().expect("UTF-8")]));
    says(&run, "pid-");
    run.signal(Signal::KILL);
    assert_eq!(run.end().0.signal(), Some(9));
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

/// Found by `cargo xtask kills`.
#[test]
fn a_pager_killed_while_it_begins_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    for _ in 0..3 {
        let run = Running::start(place.run(&[], &["sleep", "60"]));
        let pager = place.pager();
        // Its files are made just before it says that it serves.
        while !place.swap().join("file").exists() {
            std::hint::spin_loop();
        }
        kill_process(pager, Signal::KILL).expect("it is there");
        let (status, _, err) = run.end();
        assert!([Some(70), Some(125)].contains(&status.code()), "{status}: {err}");
        place.becomes_clean();
    }
}

/// The thread that notices must need no memory of the pager's. It did once: one kill in some 75 left a program hanging.
#[test]
fn a_pager_killed_while_the_program_begins_leaves_nobody_waiting() {
    let Some(place) = Place::new() else { return };
    for step in 0..60 {
        let run = Running::start(place.run(&[], &["sh", "-c", "a=$(seq 1 20000)"]));
        let pager = place.pager();
        std::thread::sleep(Duration::from_micros(500) * step);
        // It may be through already.
        let _ = kill_process(pager, Signal::KILL);
        let (status, _, err) = run.end();
        assert!([Some(0), Some(70), Some(125)].contains(&status.code()), "{step}: {status}: {err}");
        place.becomes_clean();
    }
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

/// A program that waits with a child made by vfork, which shares its memory; none without a compiler.
fn vforks(place: &Place) -> Option<Running> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/vforks.c");
    let built = Command::new("cc").arg("-o").arg(place.path("vforks")).arg(source).output();
    if !built.is_ok_and(|built| built.status.success()) {
        eprintln!("SKIPPED: needs a C compiler");
        return None;
    }
    let program = place.path("vforks");
    let run = Running::start(place.run(&[], &[program.to_str().expect("UTF-8")]));
    says(&run, "ready");
    until("its agent listens", || place.processes().iter().any(listens).then_some(()));
    Some(run)
}

/// Whether a thread of it waits for a message.
fn listens(pid: &i32) -> bool {
    let calls = |task: fs::DirEntry| fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.map(calls).any(|call| call.starts_with(RECVMSG))
}

/// Its number on x86-64, as /proc tells it.
const RECVMSG: &str = "47 ";

#[test]
fn a_killed_pager_leaves_no_child_behind_that_touches_its_parents_memory_later() {
    let Some(place) = Place::new() else { return };
    let Some(run) = vforks(&place) else { return };
    kill_process(place.pager(), Signal::KILL).expect("it is there");
    let (status, _, err) = run.end();
    assert_eq!(status.code(), Some(70), "{status}: {err}");
    go(&place);
    place.becomes_clean();
}

#[test]
fn a_killed_pager_leaves_no_child_behind_that_waits_in_its_parents_memory() {
    let Some(place) = Place::new() else { return };
    let Some(run) = vforks(&place) else { return };
    kill_process(place.pager(), Signal::STOP).expect("it is there");
    go(&place);
    until("it waits for the pager", || place.processes().into_iter().find(waits));
    kill_process(place.pager(), Signal::KILL).expect("it is there");
    assert_eq!(run.end().0.code(), Some(70));
    place.becomes_clean();
}

fn waits(pid: &i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|place| place == "handle_userfault")
}
