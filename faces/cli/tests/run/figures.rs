//! What a run tells of itself: a line, JSON, advice, a log that replays.

use crate::place::{Place, text};
use serde_json::Value;

/// Goes through more than its memory again and again.
const TURNS: [&str; 3] =
    ["perl", "-e", "@a = map { 'x' x 4000 } 1..2500; for $r (1..4) { $s += ord for @a } print qq{$s\\n}"];

fn perl() -> bool {
    let there = std::process::Command::new("perl").arg("-v").output().is_ok();
    if !there {
        eprintln!("SKIPPED: perl is not installed");
    }
    there
}

#[test]
fn one_line_at_the_end_says_what_it_came_to() {
    let Some(place) = Place::new() else { return };
    let ran = place.run(&["--stats"], &["sh", "-c", "exit 3"]).output().expect("it starts");
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3));
    assert!(err.starts_with("mager: peak ") && err.lines().count() == 1, "{err}");
    for part in [" of 8M, ", " faults, ", " page-ins, ", " written, stalled ", " s in all"] {
        assert!(err.contains(part), "{part:?} is not in {err}");
    }
}

#[test]
fn a_run_that_thrashed_is_told_a_memory_with_which_it_does_not() {
    let Some(place) = Place::new() else { return };
    if !perl() {
        return;
    }
    let figures = |memory: &str| -> (String, Value) {
        let options = ["--memory", memory, "--stats", "--json", "figures"];
        let mut run = place.mager(&["run", "--swap", "256M", "--swap-dir", "swap"]);
        let ran = run.args(options).arg("--").args(TURNS).output().expect("it starts");
        assert_eq!(text(&ran.stdout), "1200000\n", "{}", text(&ran.stderr));
        let told = std::fs::read(place.path("figures")).expect("figures");
        (text(&ran.stderr), serde_json::from_slice(&told).expect("JSON"))
    };
    let (err, told) = figures("4M");
    assert_eq!((told["thrashed"].as_bool(), told["exit_status"].as_u64()), (Some(true), Some(0)), "{told}");
    let advised = told["advised_memory_bytes"].as_u64().expect("an advice") >> 20;
    assert!(err.contains(&format!("--memory {advised}M would have spared")), "{err}");
    let (err, better) = figures(&format!("{advised}M"));
    let page_ins = |told: &Value| told["page_ins"].as_u64().expect("a number");
    assert!(page_ins(&better) * 5 < page_ins(&told), "{} became {}", page_ins(&told), page_ins(&better));
    assert_eq!((better["thrashed"].as_bool(), err.lines().count()), (Some(false), 1), "{err}");
}

#[test]
fn figures_say_which_signal_ended_it() {
    let Some(place) = Place::new() else { return };
    let mut run = place.run(&["--json", "figures"], &["sh", "-c", "kill -TERM $$"]);
    assert_eq!(run.output().expect("it starts").status.code(), None);
    let told: Value =
        serde_json::from_slice(&std::fs::read(place.path("figures")).expect("figures")).expect("JSON");
    assert_eq!((told["signal"].as_u64(), told["exit_status"].is_null()), (Some(15), true), "{told}");
    assert!(told["pager"]["faults"] == told["faults"] && told["wall_seconds"].as_f64() > Some(0.0), "{told}");
}

#[test]
fn a_recorded_run_replays_with_equal_effects() {
    let Some(place) = Place::new() else { return };
    let ran =
        place.run(&["--events", "run.events"], &["sh", "-c", "seq 1 50000 | sort -r | tail -1"]).output();
    assert_eq!(text(&ran.expect("it starts").stdout), "1\n");
    let replayed = place.mager(&["replay", "run.events"]).output().expect("it starts");
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
}
