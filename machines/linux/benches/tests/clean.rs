//! The program leaves nothing behind: when it ends, when it is stopped, and, with the next run's help, when it is
//! killed. And it refuses what it has no room for.

use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Swap and its read-ahead belong to the whole machine: one test at a time.
static MACHINE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Can the kernel's swap be measured here at all?
fn able(dir: &Path) -> bool {
    let ran = small(dir, &["swap", "random"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let able = ran.status.success() && !said.contains("NOT MEASURED");
    if !able {
        eprintln!(
            "SKIPPED: needs root, swap and control groups: {said}{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    able
}

fn small(dir: &Path, only: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mager-linux-benches"));
    command.args(["--touched", "48", "--allowed", "16", "--compressed", "32", "--scale", "1", "--dir"]);
    command.arg(dir).arg("--only").args(only);
    command
}

fn endless(dir: &Path, kind: &str) -> Child {
    let mut command = small(dir, &[kind, "random"]);
    command.args(["--runs", "5000"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

/// What such a run would leave.
fn left(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).expect("the directory").flatten();
    let mut left: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    left.extend(swaps().lines().filter(|line| line.contains("mager-bench")).map(str::to_owned));
    left
}

fn swaps() -> String {
    std::fs::read_to_string("/proc/swaps").expect("/proc/swaps")
}

fn page_cluster() -> String {
    std::fs::read_to_string("/proc/sys/vm/page-cluster").expect("the setting")
}

fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "it did not come to that");
        sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("it lives");
}

#[test]
fn a_run_tells_figures_and_leaves_nothing() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    if !able(dir.path()) {
        return;
    }
    let before = page_cluster();
    let Output { stdout, status, .. } =
        small(dir.path(), &["swap-no-read-ahead", "zipf"]).args(["--runs", "2", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    let row = &report["rows"][0];
    assert!(
        status.success() && row["median_operations_s"].as_f64().is_some_and(|rate| rate > 0.0),
        "{report}"
    );
    assert_eq!(row["runs"].as_array().map(Vec::len), Some(2));
    let page_ins: Vec<f64> =
        row["runs"].as_array().unwrap().iter().map(|run| run["page_ins"].as_f64().unwrap()).collect();
    assert!(page_ins.iter().all(|&n| n > 10.0), "the memory was bounded: {page_ins:?}");
    assert_eq!((left(dir.path()), page_cluster()), (vec![], before));
}

#[test]
fn magers_own_memory_is_bounded_and_leaves_nothing() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    if !able(dir.path()) {
        return;
    }
    let ran =
        small(dir.path(), &["mager", "random-writes"]).args(["--runs", "1", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    if report["remarks"].to_string().contains("userfaultfd") {
        return eprintln!("SKIPPED: {}", report["remarks"]);
    }
    let page_ins = report["rows"][0]["runs"][0]["page_ins"].as_f64();
    assert!(page_ins.is_some_and(|n| n > 10.0), "{report}");
    assert_eq!(left(dir.path()), Vec::<String>::new());
}

#[test]
fn floors_and_measures_of_magers_own_are_held_against_their_alternatives() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    if !able(dir.path()) {
        return;
    }
    let what = ["copy-same", "mager-zero", "mager-compressed-page", "readers", "overhead"];
    let ran = small(dir.path(), &what).args(["--runs", "2", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    if report["remarks"].to_string().contains("userfaultfd") {
        return eprintln!("SKIPPED: {}", report["remarks"]);
    }
    assert_eq!(report["remarks"], serde_json::json!([]));
    let floors = report["floors"].as_array().unwrap();
    assert!(
        floors.len() == 3 && floors[1..].iter().all(|floor| floor["of_bare"].as_f64() > Some(0.0)),
        "{report}"
    );
    let measures = &report["measures"];
    assert!(measures[0]["medians"]["page-ins-to-reads"].as_f64() > Some(0.0), "{report}");
    assert!(measures[1]["medians"]["own-mib-full"].as_f64() > Some(0.1), "{report}");
    assert_eq!(measures[1]["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(left(dir.path()), Vec::<String>::new());
}

#[test]
fn a_stopped_run_leaves_nothing() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    if !able(dir.path()) {
        return;
    }
    let before = page_cluster();
    for stop in [Signal::INT, Signal::TERM] {
        let mut child = endless(dir.path(), "swap-no-read-ahead");
        until(|| swaps().contains("mager-bench"));
        signal(&child, stop);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!((left(dir.path()), page_cluster()), (vec![], before.clone()));
    }
}

#[test]
fn what_a_killed_run_left_goes_with_the_next() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    if !able(dir.path()) {
        return;
    }
    let before = page_cluster();
    let mut child = endless(dir.path(), "swap-no-read-ahead");
    until(|| swaps().contains("mager-bench"));
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    assert_ne!(left(dir.path()), Vec::<String>::new());
    let next = small(dir.path(), &["read1", "floors"]).args(["--runs", "1"]).output().unwrap();
    assert!(String::from_utf8_lossy(&next.stderr).contains("cleaned up after"), "{next:?}");
    assert_eq!((left(dir.path()), page_cluster()), (vec![], before));
}

#[test]
fn what_there_is_no_room_for_is_refused() {
    let (_machine, dir) = (alone(), tempfile::tempdir().unwrap());
    for sizes in [["--touched", "1000000"], ["--compressed", "1000000"], ["--allowed", "1024"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mager-linux-benches"));
        let ran = command.args(sizes).arg("--dir").arg(dir.path()).output().unwrap();
        assert!(!ran.status.success() && ran.stdout.is_empty(), "{sizes:?}: {ran:?}");
    }
    let wrong = small(dir.path(), &["swop"]).output().unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("`swop` is none of"));
    assert_eq!(left(dir.path()), Vec::<String>::new());
}
