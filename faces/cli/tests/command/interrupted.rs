//! Ctrl-C and worse, while something runs: what is finished is shown, and nothing is left behind.

use crate::place::{Place, Running, program, until};
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

/// A command in a process group of its own, as a shell starts it: Ctrl-C reaches all of the group.
struct Foreground(Running, Pid);

impl Foreground {
    fn start(mut command: Command) -> Self {
        let running = Running::start({
            command.process_group(0);
            command
        });
        let group = running.pid();
        Foreground(running, group)
    }

    fn ctrl_c(&self) {
        kill_process_group(self.1, Signal::INT).expect("the group is there");
    }
}

#[test]
fn an_interrupted_simulation_shows_the_worlds_it_has_finished() {
    let place = Place::new();
    let sim = Foreground::start(place.mager(["sim", "--time", "60s"]));
    until("it says how far it is", || sim.0.err().contains(" worlds, ").then_some(()));
    sim.ctrl_c();
    let (status, out, err) = sim.0.end();
    assert_eq!(status.code(), Some(130), "{out}{err}");
    assert!(out.starts_with("interrupted: ") && out.contains("each held against the oracle"), "{out}");
}

#[test]
fn an_interrupted_simulation_is_still_one_json_object() {
    let place = Place::new();
    let sim = Foreground::start(place.mager(["sim", "--time", "60s", "--json"]));
    until("it says how far it is", || sim.0.err().contains(" worlds, ").then_some(()));
    sim.ctrl_c();
    let (status, out, err) = sim.0.end();
    assert_eq!(status.code(), Some(130), "{out}{err}");
    let told: serde_json::Value = serde_json::from_str(&out).expect("it prints JSON");
    assert!(told["interrupted"] == true && told["failure"].is_null(), "{out}");
    assert!(told["worlds"].as_u64().is_some_and(|worlds| worlds > 0), "{out}");
}

/// One endless world: the first Ctrl-C waits for it, the second does not.
#[test]
fn a_second_ctrl_c_ends_a_simulation_at_once() {
    let place = Place::new();
    let sim = Foreground::start(place.mager(["sim", "--seeds", "1", "--steps", "4000000000"]));
    until("it runs", || sim.0.err().contains(" worlds, ").then_some(()));
    sim.ctrl_c();
    std::thread::sleep(std::time::Duration::from_millis(200));
    sim.ctrl_c();
    assert_eq!(sim.0.end().0.code(), Some(130));
}

#[test]
fn an_interrupted_search_says_how_far_it_came() {
    let place = Place::new();
    let sim = Foreground::start(place.mager(["sim", "--exhaustive", "20"]));
    until("it searches", || (!sim.0.out().is_empty()).then_some(()));
    sim.ctrl_c();
    let (status, out, err) = sim.0.end();
    assert_eq!(status.code(), Some(130), "{out}{err}");
    assert!(out.contains(" states, ") && out.contains(" operations tried"), "{out}");
    assert!(out.contains("interrupted: 0 of 12 worlds were searched before this one"), "{out}");
}

#[test]
fn an_interrupted_generation_leaves_no_file() {
    let place = Place::new();
    for name in ["t.txt", "t.oracleGeneral", "t.zst"] {
        let path = place.file(name);
        let accesses = "500000000";
        let generate = ["lab", "generate", "zipf", "--pages", "1000", "--accesses", accesses, "-o", name];
        let generate = Foreground::start(place.mager(generate));
        until("it has begun", || path.exists().then_some(()));
        generate.ctrl_c();
        let (status, out, err) = generate.0.end();
        assert_eq!((status.code(), out.as_str()), (Some(130), ""), "{err}");
        assert_eq!(err, format!("mager: interrupted: {name} was not written\n"));
        assert!(!path.exists(), "{name} is left");
    }
}

#[test]
fn an_interrupted_lab_run_says_how_much_it_shows() {
    let place = Place::new();
    let trace = ["lab", "generate", "zipf", "--pages", "20000", "--accesses", "3000000", "-o", "t.zst"];
    assert_eq!(crate::run::finish(&mut place.mager(trace)).code, Some(0));
    let lab = Foreground::start(place.mager(["lab", "run", "t.zst", "--memory", "10%"]));
    std::thread::sleep(std::time::Duration::from_millis(800));
    lab.ctrl_c();
    let (status, _, err) = lab.0.end();
    assert_eq!(status.code(), Some(2), "{err}");
    assert!(err.contains("interrupted: ") && err.contains("are shown"), "{err}");
}

#[test]
fn an_interrupted_application_ends_its_pager_and_all_is_gone() {
    let place = Place::new();
    std::fs::write(place.file("notes"), [0; 65536]).expect("the file is written");
    let mut run = place.mager(["course", "run", "--"]);
    run.arg(program("hold"));
    let run = Foreground::start(run);
    until("the application runs", || (!run.0.out().is_empty()).then_some(()));
    run.ctrl_c();
    let (status, out, err) = run.0.end();
    assert_eq!(status.code(), Some(130), "{out}{err}");
    assert!(err.contains("ended by signal 2 (SIGINT)"), "{err}");
    place.is_clean();
}

/// The pipe of a recording has no name, and who writes into it ends with the one who reads.
#[test]
fn a_killed_recording_leaves_nothing() {
    let place = Place::new();
    if place.run("valgrind").arg("--version").output().is_err() {
        return eprintln!("SKIPPED: valgrind is not installed");
    }
    let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; echo $i; done; sleep 30";
    let record = Running::start(place.mager(["lab", "record", "-o", "t.zst", "--", "sh", "-c", script]));
    until("the program runs", || record.out().contains('3').then_some(()));
    record.signal(Signal::KILL);
    assert_eq!(record.end().0.signal(), Some(9));
    place.is_clean();
}

#[test]
fn an_interrupted_recording_keeps_its_trace() {
    let place = Place::new();
    if place.run("valgrind").arg("--version").output().is_err() {
        return eprintln!("SKIPPED: valgrind is not installed");
    }
    let record = ["lab", "record", "-o", "t.zst", "--", "sh", "-c", "echo on; while :; do :; done"];
    let record = Foreground::start(place.mager(record));
    until("the program runs", || record.0.out().contains("on").then_some(()));
    record.ctrl_c();
    let (status, out, err) = record.0.end();
    assert!(status.success() && err.contains("the trace is kept"), "{out}{err}");
    let stats = crate::run::finish(&mut place.mager(["lab", "stats", "t.zst"]));
    assert_eq!(stats.code, Some(0), "{}", stats.err);
    place.is_clean();
}
