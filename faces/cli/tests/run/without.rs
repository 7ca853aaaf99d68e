//! Where there is no userfaultfd: refused, or run without a budget if that was asked for.

use crate::place::{Place, text};
use crate::refused::write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A copy of the command that a user without rights can reach and is to run.
pub fn as_nobody(place: &Place, words: &[&str]) -> Command {
    let dir = place.path("");
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("it is ours");
    let bytes = fs::read(env!("CARGO_BIN_EXE_mager")).expect("it is there");
    write(&place.path("mager"), bytes, 0o755);
    let mut command = Command::new(place.path("mager"));
    command.args(words).current_dir(dir).env_remove("MAGER_LIB");
    command
}

/// Whether a user without rights gets none.
fn withheld() -> bool {
    let setting = fs::read_to_string("/proc/sys/vm/unprivileged_userfaultfd").unwrap_or_default();
    let withheld = rustix::process::geteuid().is_root() && setting.trim() == "0";
    if !withheld {
        eprintln!("SKIPPED: needs root, and vm.unprivileged_userfaultfd=0");
    }
    withheld
}

#[test]
fn without_a_userfaultfd_it_is_refused_with_what_to_do() {
    if !withheld() {
        return;
    }
    let place = Place::bare();
    let ran = as_nobody(&place, &["run", "--", "echo", "ran"]).uid(65534).gid(65534).output();
    let ran = ran.expect("it starts");
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(125), ""));
    let err = text(&ran.stderr);
    assert!(
        err.contains("`mager doctor`") && err.contains("--fallback") && err.lines().count() == 1,
        "{err}"
    );
}

#[test]
fn the_fallback_runs_the_program_all_the_same_and_warns_once() {
    if !withheld() {
        return;
    }
    let place = Place::bare();
    let words = ["run", "--fallback", "--stats", "--", "sh", "-c", "echo ran$MAGER_RUN_SOCKET; exit 12"];
    let ran = as_nobody(&place, &words).uid(65534).gid(65534).output().expect("it starts");
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(12), "ran\n"));
    let err = text(&ran.stderr);
    assert!(err.contains("without a budget") && err.lines().count() == 1, "{err}");
}
