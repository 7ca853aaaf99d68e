//! What is refused before anything starts: a clear sentence, what to do, and an exit code that is not the program's.

use crate::place::{Place, text};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Refused with this code, and with a sentence that has these parts.
#[track_caller]
pub fn refused(place: &Place, options: &[&str], program: &[&str], code: i32, parts: &[&str]) {
    let ran = place.run(options, program).output().expect("it starts");
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{err}");
    assert!(err.starts_with("mager: ") && err.lines().count() == 1, "{err}");
    parts.iter().for_each(|part| assert!(err.contains(part), "{part:?} is not in {err}"));
    place.is_clean();
}

pub fn write(path: &Path, bytes: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, bytes).expect("it is written");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn a_program_that_is_not_there_or_is_none() {
    let place = Place::bare();
    write(&place.path("plain"), "echo no first line\n", 0o755);
    write(&place.path("closed"), "#!/bin/sh\n", 0o644);
    refused(&place, &[], &["no-such-program"], 127, &["no-such-program: not found in $PATH"]);
    refused(&place, &[], &["./nothing"], 127, &["./nothing: not found (no such file)"]);
    refused(&place, &[], &["./closed"], 126, &["not executable", "chmod +x"]);
    refused(&place, &[], &["/tmp"], 126, &["/tmp: it is a directory"]);
    refused(&place, &[], &["./plain"], 126, &["neither a binary nor a script", "#!/bin/sh"]);
}

#[test]
fn a_script_whose_interpreters_come_to_nothing() {
    let place = Place::bare();
    write(&place.path("lost"), "#!/no/interpreter -x\n", 0o755);
    write(&place.path("empty"), "#! \n", 0o755);
    refused(&place, &[], &["./lost"], 126, &["./lost: its interpreter: /no/interpreter: not found"]);
    refused(&place, &[], &["./empty"], 126, &["names no interpreter"]);
    write(&place.path("s0"), "#!/bin/sh\nexit 8\n", 0o755);
    for level in 1..6 {
        let below = place.path(&format!("s{}", level - 1));
        write(&place.path(&format!("s{level}")), format!("#!{}\n", below.display()), 0o755);
    }
    refused(&place, &[], &["./s5"], 126, &["scripts of scripts"]);
}

#[test]
fn a_script_of_scripts_runs_as_far_as_the_kernel_follows() {
    let Some(place) = Place::new() else { return };
    write(&place.path("s0"), "#!/bin/sh\nexit 8\n", 0o755);
    for level in 1..4 {
        let below = place.path(&format!("s{}", level - 1));
        write(&place.path(&format!("s{level}")), format!("#!{}\n", below.display()), 0o755);
    }
    let ran = place.run(&[], &["./s3"]).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(8), "{}", text(&ran.stderr));
}

#[test]
fn sizes_and_places_that_cannot_be() {
    let Some(place) = Place::new() else { return };
    let run = |options: &[&str], parts: &[&str]| {
        let mut words = vec!["run"];
        words.extend(options);
        let ran = place.mager(&words).args(["--", "true"]).output().expect("it starts");
        let err = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(125), "{options:?}: {err}");
        parts.iter().for_each(|part| assert!(err.contains(part), "{part:?} is not in {err}"));
        place.is_clean();
    };
    run(&["--memory", "100K", "--swap", "1M"], &["give 262144 or more"]);
    run(&["--memory", "8M", "--swap", "900T"], &["900T of swap are more than the", "--swap-dir"]);
    run(&["--memory", "8M", "--swap-dir", "/nowhere"], &["/nowhere: No such file", "--swap-dir"]);
    run(
        &["--memory", "8M", "--swap", "1M", "--policy", "lru"],
        &["the pager did not start: policy lru has to"],
    );
    run(
        &["--memory", "8M", "--swap", "1M", "--json", "/nowhere/it"],
        &["/nowhere/it: the figures cannot be"],
    );
    run(&["--memory", "much"], &["`much` is no unit"]);
    run(&["--swap-file", "a", "--swap-dir", "b"], &["cannot be used with"]);
    write(&place.path("there"), "mine", 0o600);
    run(&["--memory", "8M", "--swap", "1M", "--swap-file", "there"], &["there exists already"]);
    assert_eq!(fs::read(place.path("there")).expect("it is there"), b"mine");
}

#[test]
fn a_library_that_is_not_where_it_is_looked_for() {
    let Some(place) = Place::new() else { return };
    let mut run = place.run(&[], &["true"]);
    let ran = run.env("MAGER_LIB", "/nowhere").output().expect("it starts");
    assert_eq!(ran.status.code(), Some(125));
    assert!(text(&ran.stderr).contains("libmager_preload.so is not in /nowhere, which MAGER_LIB names"));
    let dir = place.path("a b");
    fs::create_dir(&dir).expect("a directory");
    write(&dir.join("libmager_preload.so"), "", 0o644);
    let ran = place.run(&[], &["true"]).env("MAGER_LIB", &dir).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(125));
    assert!(text(&ran.stderr).contains("no path has a colon or a space"), "{}", text(&ran.stderr));
    place.is_clean();
}
