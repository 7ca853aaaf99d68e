//! `mager doctor` where everything is there, and where something was taken away.

use crate::run::{Ran, command, finish, mager};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {}{}", ran.out, ran.err))
}

fn finding(report: &Value, name: &str) -> Value {
    let all = report["findings"].as_array().expect("findings");
    all.iter().find(|found| found["name"] == name).unwrap_or_else(|| panic!("no finding `{name}`")).clone()
}

fn state(report: &Value, name: &str) -> String {
    finding(report, name)["state"].as_str().expect("a state").to_owned()
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Does `mager serve` find its needs here? Where not, what is taken away cannot be told from what never was.
fn healthy() -> bool {
    mager(["doctor", "--dir", "/tmp"]).code == Some(0)
}

fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Every finding that does not work says what is lost, and if it is itself missing, what to do.
fn complete(report: &Value) {
    for found in report["findings"].as_array().expect("findings") {
        let (state, name) = (found["state"].as_str().expect("a state"), &found["name"]);
        assert_eq!(found["loses"].is_null(), state == "works", "{name}");
        assert_eq!(found["remedy"].is_null(), state != "missing", "{name}");
        assert!(found["remedy"].as_str().is_none_or(|remedy| remedy.len() > 4), "{name}");
        assert!(!found["detail"].as_str().expect("a detail").is_empty(), "{name}");
    }
}

#[test]
fn the_verdict_the_code_and_the_findings_agree() {
    let ran = mager(["doctor", "--json", "--dir", "/tmp"]);
    let report = json(&ran);
    complete(&report);
    let fine = |found: &Value| found["need"] == "better" || found["state"] == "works";
    let serves = report["findings"].as_array().expect("findings").iter().all(fine);
    assert_eq!((report["serves"].as_bool(), ran.code), (Some(serves), Some(if serves { 0 } else { 1 })));
    let told = mager(["doctor", "--dir", "/tmp"]);
    assert_eq!(told.code, ran.code);
    assert_eq!(told.out.contains("All that `mager serve` needs is there."), serves, "{}", told.out);
}

#[test]
fn wrong_use_is_told_from_what_is_missing() {
    for wrong in [&["doctor", "--dir", "/nowhere"][..], &["doctor", "--memory", "much"], &["doctor", "--xml"]]
    {
        let ran = mager(wrong);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{wrong:?}: {}", ran.err);
    }
}

#[test]
fn more_than_the_machine_has_is_missing() {
    let ran = mager(["doctor", "--json", "--dir", "/tmp", "--memory", "9000T", "--swap", "9000T"]);
    let report = json(&ran);
    assert_eq!(ran.code, Some(1));
    complete(&report);
    assert_eq!((state(&report, "memory allowed"), state(&report, "swap directory")), both("missing"));
}

fn both(state: &str) -> (String, String) {
    (state.to_owned(), state.to_owned())
}

#[test]
fn a_directory_where_no_file_can_be_made_is_missing() {
    let ran = mager(["doctor", "--json", "--dir", "/proc"]);
    let report = json(&ran);
    assert_eq!(ran.code, Some(1));
    complete(&report);
    assert_eq!(state(&report, "swap directory"), "missing");
    assert_eq!((state(&report, "direct I/O"), state(&report, "preallocated swap")), both("untried"));
    assert!(
        mager(["doctor", "--dir", "/proc"]).out.contains("to get it: --dir DIR where this user may write")
    );
}

#[test]
fn few_open_files_are_told_with_the_command_that_gives_more() {
    let mut shell = Command::new("sh");
    let script = "ulimit -n 64; exec \"$0\" doctor --json --dir /tmp";
    let ran = finish(shell.args(["-c", script, env!("CARGO_BIN_EXE_mager")]));
    let found = finding(&json(&ran), "open files");
    assert_eq!(found["state"], "missing");
    assert!(found["remedy"].as_str().is_some_and(|remedy| remedy.contains("ulimit -n")), "{found}");
}

/// Runs the doctor as a user who may nothing, in a copy of the binary that this user can reach.
fn as_nobody(ambient: &str) -> Option<Ran> {
    let dir = tempfile::tempdir().expect("a directory");
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(dir.path(), open).expect("its owner may");
    let binary = dir.path().join("mager");
    std::fs::copy(env!("CARGO_BIN_EXE_mager"), &binary).expect("room for a copy");
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    setpriv.args(["--inh-caps", ambient, "--ambient-caps", ambient]);
    setpriv.arg(&binary).args(["doctor", "--json", "--dir"]).arg(dir.path());
    setpriv.output().ok()?;
    Some(finish(&mut setpriv))
}

#[test]
fn a_user_without_rights_is_told_how_to_get_a_userfaultfd() {
    let setting = std::fs::read_to_string("/proc/sys/vm/unprivileged_userfaultfd").unwrap_or_default();
    if !root() || !healthy() || setting.trim() != "0" {
        return skip("needs root, a userfaultfd, and vm.unprivileged_userfaultfd=0");
    }
    let Some(ran) = as_nobody("-all") else { return skip("needs setpriv") };
    let report = json(&ran);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    complete(&report);
    let remedy = finding(&report, "userfaultfd")["remedy"].as_str().expect("a remedy").to_owned();
    assert!(remedy.contains("vm.unprivileged_userfaultfd=1") && remedy.contains("setfacl"), "{remedy}");
    assert_eq!((state(&report, "kernel-mode faults"), state(&report, "minor faults")), both("untried"));
    assert_eq!((state(&report, "private tmpfs"), state(&report, "userfaultfd call")), both("missing"));
    assert_eq!((state(&report, "memory objects"), state(&report, "swap directory")), both("works"));
}

#[test]
fn one_right_more_is_enough_to_serve() {
    if !root() || !healthy() {
        return skip("needs root and a userfaultfd");
    }
    let Some(ran) = as_nobody("+sys_ptrace") else { return skip("needs setpriv") };
    let report = json(&ran);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!((state(&report, "userfaultfd call"), state(&report, "kernel-mode faults")), both("works"));
    assert_eq!((state(&report, "userfaultfd device"), state(&report, "private tmpfs")), both("missing"));
}

#[test]
fn without_the_device_the_call_is_enough() {
    if !root() || !healthy() || !std::path::Path::new("/dev/userfaultfd").exists() {
        return skip("needs root and /dev/userfaultfd");
    }
    let script = "mount --bind /dev/null /dev/userfaultfd && exec \"$0\" doctor --json --dir /tmp";
    let mut unshare = Command::new("unshare");
    let ran = finish(unshare.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_mager")]));
    if ran.out.is_empty() {
        return skip(&format!("a mount namespace cannot be had: {}", ran.err));
    }
    let report = json(&ran);
    assert_eq!((ran.code, state(&report, "userfaultfd device").as_str()), (Some(0), "missing"));
    assert_eq!((state(&report, "userfaultfd"), state(&report, "kernel-mode faults")), both("works"));
}

/// Runs the doctor under a filter that refuses system calls with EPERM, as container runtimes do.
fn refused(calls: &[i64]) -> Ran {
    let rules = calls.iter().map(|&call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc_eperm());
    let arch = std::env::consts::ARCH.try_into().expect("a known architecture");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a program");
    let run = move || {
        seccompiler::apply_filter(&program).expect("the filter goes on");
        finish(command().args(["doctor", "--json", "--dir", "/tmp"]))
    };
    // The filter stays with the thread that took it, and with its children.
    std::thread::spawn(run).join().expect("it ran")
}

fn libc_eperm() -> u32 {
    rustix::io::Errno::PERM.raw_os_error().unsigned_abs()
}

#[test]
fn a_filter_of_system_calls_is_named_with_the_profile_that_helps() {
    if !cfg!(target_arch = "x86_64") || !healthy() {
        return skip("needs x86-64 and a userfaultfd");
    }
    let (userfaultfd, io_uring_setup, sched_setaffinity, mseal) = (323, 425, 203, 462);
    let report = json(&refused(&[userfaultfd, io_uring_setup, sched_setaffinity, mseal]));
    complete(&report);
    for name in ["userfaultfd call", "io_uring", "CPUs of other processes", "seccomp"] {
        let found = finding(&report, name);
        assert_eq!(found["state"], "missing", "{name}");
        assert!(found["remedy"].as_str().is_some_and(|remedy| remedy.contains("seccomp=PROFILE")), "{found}");
    }
    assert_eq!(state(&report, "sealed mappings"), "missing");
}

#[test]
fn a_filter_that_takes_what_is_needed_makes_the_code_1() {
    if !cfg!(target_arch = "x86_64") || !healthy() {
        return skip("needs x86-64 and a userfaultfd");
    }
    let memfd_create = 319;
    let ran = refused(&[memfd_create]);
    assert_eq!((ran.code, state(&json(&ran), "memory objects").as_str()), (Some(1), "missing"));
}
