//! Wrong use of the course's machine, and requests that cannot be granted: each one's message and exit code.

use crate::place::{Place, program};
use crate::run::{Ran, finish};
use mager_policies::{Any, Observes, Policy};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Both commands refuse these options in one sentence.
#[track_caller]
fn refused(options: &[&str], said: &str) {
    let place = Place::new();
    fs::write(place.file("file"), "x").expect("it can be written");
    let pager = finish(place.mager(["course", "pager"]).args(options));
    let run = place.course_run(options, Path::new("true"), &[]);
    for ran in [pager, run] {
        assert_eq!((ran.out.as_str(), ran.code), ("", Some(2)), "{options:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{options:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: ") || ran.err.lines().count() == 1, "{}", ran.err);
    }
    place.is_clean();
}

#[test]
fn options_that_make_no_sense() {
    refused(&["--frame", "4"], "error: unexpected argument '--frame' found");
    refused(&["-m"], "error: a value is required for '--frames <FRAMES>'");
    refused(
        &["-m", "four"],
        "invalid value 'four' for '--frames <FRAMES>': expected a whole number below 2^32",
    );
    refused(
        &["-s", "4294967296"],
        "invalid value '4294967296' for '--swap-blocks <BLOCKS>': expected a whole number",
    );
    refused(&["--log-pids", "roman"], "[possible values: raw, ordinal]");
    refused(&["-m", "1"], "mager: -m 1: at least one frame beside the zero page is needed, at most 2^29\n");
    refused(&["-m", "4294967295"], "mager: -m 4294967295: at least one frame beside the zero page is needed");
    refused(&["-s", "4294967295"], "mager: -s 4294967295: at most 3 * 2^28 swap blocks can be managed\n");
}

#[test]
fn policies_that_are_unknown_or_need_to_see_every_access() {
    refused(&["--policy", "best"], "mager: \"best\": unknown policy; expected one of: clock, fifo");
    refused(&["--policy", ""], "mager: \"\": unknown policy");
    for name in Any::NAMES {
        let place = Place::new();
        let ran = place.course_run(&["--policy", name], Path::new("true"), &[]);
        let needs = Any::new(name, 4).expect("it is one of its names").needs();
        if needs > Observes::ReferenceBits {
            let said =
                format!("mager: policy \"{name}\" must see every access, which real processes do not show");
            assert!(ran.err.starts_with(&said) && ran.code == Some(2), "{}", ran.err);
        } else {
            assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
        }
    }
}

#[test]
fn files_and_directories_that_are_not_what_they_must_be() {
    let missing = "No such file or directory";
    refused(&["--dir", "nowhere"], &format!("mager: the directory nowhere cannot be served: {missing}"));
    refused(&["--dir", "file"], "mager: the directory file cannot be served: Not a directory");
    refused(
        &["--swap-file", "file"],
        "mager: the swap file file exists already; remove it if a killed pager left it",
    );
    refused(
        &["--swap-file", "nowhere/s"],
        &format!("mager: the swap file nowhere/s cannot be made: {missing}"),
    );
    refused(&["--log", "nowhere/l"], &format!("mager: nowhere/l: the log cannot be written: {missing}"));
    refused(&["--log", "."], "mager: .: the log cannot be written: Is a directory");
    refused(
        &["--events", "nowhere/e"],
        &format!("mager: nowhere/e: the event log cannot be written: {missing}"),
    );
}

#[test]
fn an_application_that_is_not_there_or_is_none() {
    let place = Place::new();
    fs::write(place.file("file"), "x").expect("it can be written");
    for (application, said) in [
        ("./nowhere", "mager: ./nowhere cannot be started: No such file or directory (os error 2)\n"),
        ("./file", "mager: ./file cannot be started: Permission denied (os error 13)\n"),
    ] {
        let ran = place.course_run(&[], Path::new(application), &[]);
        assert_eq!((ran.err.as_str(), ran.code), (said, Some(2)));
    }
    let none = finish(&mut place.mager(["course", "run"]));
    assert!(none.code == Some(2) && none.err.contains("<APP>..."), "{}", none.err);
    place.is_clean();
}

#[test]
fn an_application_without_a_pager() {
    let place = Place::new();
    let ran = finish(place.run(program("wrong")).arg("null"));
    assert_eq!(ran.code, Some(69));
    let said = "no pager is running for this directory; start one here with `mager course pager`, or run the program \
                with `mager course run` (looked for ";
    assert!(ran.err.contains(said) && ran.err.lines().count() == 1, "{}", ran.err);
}

/// Runs `wrong` in a place with a file of one and a half blocks, and a directory.
fn wrong(options: &[&str], arguments: &[&str]) -> Ran {
    let place = Place::new();
    fs::write(place.file("file"), vec![b'f'; 65536 * 3 / 2]).expect("it can be written");
    fs::create_dir(place.file("dir")).expect("a new directory");
    let ran = place.course_run(options, &program("wrong"), arguments);
    place.is_clean();
    ran
}

/// The access ends the process, as SIGSEGV would, after both have said why: which page, and what was wrong.
#[track_caller]
fn denied(options: &[&str], arguments: &[&str], access: &str, why: &str) {
    let ran = wrong(options, arguments);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(128 + 11)), "{}", ran.err);
    let mut lines = ran.err.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("mager: process ") && first.contains(access), "{arguments:?}: {}", ran.err);
    assert!(first.ends_with(&format!(" was refused: {why}")), "{arguments:?}: {}", ran.err);
    assert!(ran.err.ends_with("wrong was ended by signal 11 (SIGSEGV)\n"), "{}", ran.err);
}

#[test]
fn a_file_page_that_cannot_be_read() {
    let page = "the read at 0x600010000 (page 1 of the arena, from 0x600010000)";
    denied(
        &[],
        &["read", "none", "0"],
        page,
        "block 0 of file \"none\" cannot be read: there is no such file",
    );
    denied(&[], &["read", "", "0"], page, "block 0 of file \"\" cannot be read: there is no such file");
    denied(
        &[],
        &["read", "dir", "0"],
        page,
        "block 0 of file \"dir\" cannot be read: it is a directory, not a file",
    );
    let partial = "block 1 of file \"file\" cannot be read: the file has 1 whole block of 64 KiB only";
    denied(&[], &["read", "file", "1"], page, partial);
    assert_eq!(wrong(&[], &["read", "file", "0"]).out, "f\n");
}

#[test]
fn an_access_to_nothing() {
    let page = "the read at 0x600050000 (page 5 of the arena, from 0x600050000)";
    denied(&[], &["unmapped"], page, "nothing is mapped there");
    let outside = wrong(&[], &["null"]);
    assert!(outside.err.ends_with("wrong was ended by signal 11 (SIGSEGV)\n"), "{}", outside.err);
    assert_eq!(outside.code, Some(128 + 11));
}

#[test]
fn a_victim_that_cannot_go_home() {
    let lost = "block 0 of file \"file\" cannot be written: the file has 0 whole blocks of 64 KiB only";
    let ran = wrong(&["-m", "2"], &["shrink", "file", "1"]);
    let refused =
        format!("the write at 0x600020000 (page 2 of the arena, from 0x600020000) was refused: {lost}\n");
    assert!(ran.err.contains(&refused) && ran.code == Some(128 + 11), "{}", ran.err);
    assert!(ran.err.contains(&format!("\nmager: lost: {lost}\n")), "{}", ran.err);
    // Found out at the end only, by the flush: the application ended well, the run did not.
    let ran = wrong(&["-m", "8"], &["shrink", "file", "1"]);
    let said = format!("mager: lost: {lost}\n");
    assert_eq!((ran.out.as_str(), ran.err, ran.code), ("done\n", said, Some(1)));
}

/// For a superuser every file is writable, so there the file is read and written.
#[test]
fn a_file_that_may_only_be_read() {
    let place = Place::new();
    fs::write(place.file("file"), vec![b'f'; 65536]).expect("it can be written");
    fs::set_permissions(place.file("file"), fs::Permissions::from_mode(0o444)).expect("it is ours");
    let ran = place.course_run(&[], &program("wrong"), &["write", "file"]);
    if rustix::process::geteuid().is_root() {
        assert_eq!((ran.out.as_str(), ran.code), ("written\n", Some(0)));
        assert_eq!(fs::read(place.file("file")).expect("it is there")[0], b'w');
    } else {
        let why =
            "block 0 of file \"file\" cannot be read: it is not both readable and writable for the pager";
        assert!(ran.err.contains(why) && ran.code == Some(128 + 11), "{}", ran.err);
    }
}

/// The application sees a null, as the contract has it; whoever looks at the pager sees the reason.
#[track_caller]
fn null(options: &[&str], arguments: &[&str], out: &str, why: &str) {
    let ran = wrong(options, arguments);
    assert_eq!((ran.out.as_str(), ran.code), (out, Some(0)), "{arguments:?}: {}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(
        ran.err.starts_with("mager: process ") && ran.err.ends_with(&format!(": {why}\n")),
        "{}",
        ran.err
    );
}

#[test]
fn requests_that_are_refused() {
    let full = "vm_map returned null: out of swap blocks: 1 wanted, 0 free";
    null(&["-s", "5"], &["swap full"], "5 pages\n", full);
    null(&["-s", "0"], &["swap full"], "0 pages\n", full);
    let arena = "vm_map returned null: the arena is full: all 256 pages are mapped";
    null(&["-s", "300"], &["swap full"], "256 pages\n", arena);
    null(&["-s", "1"], &["arena full", "file"], "256 pages\n", arena);
    let name = "vm_map returned null: the file name runs into an unmapped page at 0x600010000";
    null(&[], &["endless name"], "null\n", name);
    null(&["-s", "1"], &["fork"], "refused\n", "its fork was refused: out of swap blocks: 1 wanted, 0 free");
}
