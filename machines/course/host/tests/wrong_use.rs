//! Wrong use: one clear sentence for each, and a status that says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Outcome, Place, application_from, run, serve, test_pager};
use rustix::process::Signal;

fn pager_with(place: &Place, options: &[&str]) -> Outcome {
    let mut command = place.command(test_pager());
    command.args(options);
    run(command)
}

#[track_caller]
fn refused(options: &[&str], status: i32, sentence: &str) {
    let place = Place::new();
    std::fs::write(place.work().join("file"), "x").unwrap();
    let ran = pager_with(&place, options);
    assert_eq!(ran.status.code(), Some(status), "{options:?}: {ran:?}");
    assert!(ran.err.starts_with("mager: ") && ran.err.contains(sentence), "{options:?}: {ran:?}");
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert!(place.left_in_sockets().is_empty());
}

#[test]
fn bad_options() {
    refused(&["-m"], 2, "-m is unknown, or lacks its value");
    refused(&["-m", "many"], 2, "-m takes a whole number from 0, not \"many\"");
    refused(&["--frames", "4"], 2, "the option --frames is unknown");
    refused(&["--log-pids", "roman"], 2, "--log-pids takes raw or ordinal");
    refused(&["-m", "1"], 1, "1 physical pages are not possible: at least 2 are needed");
    refused(&["-m", "0"], 1, "0 physical pages are not possible");
}

#[test]
fn files_and_directories_that_are_none() {
    refused(&["--dir", "missing"], 1, "the directory missing cannot be served: No such file or directory");
    refused(&["--dir", "file"], 1, "the directory file cannot be served: Not a directory");
    refused(&["--swap-file", "missing/swap"], 1, "the swap file missing/swap cannot be made: No such file");
    refused(&["--swap-file", "file"], 1, "the swap file file exists already");
    refused(&["--log", "missing/log"], 2, "the log missing/log cannot be written");
    refused(&["--", "/no/such/program"], 1, "/no/such/program cannot be started: No such file or directory");
}

#[test]
fn a_second_pager_on_the_same_directory() {
    let place = Place::new();
    let first = serve(test_pager(), &place, &[]);
    let second = pager_with(&place, &[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(second.err.contains("another pager already serves the directory ."), "{second:?}");
    first.signal(Signal::TERM);
    assert!(first.finish().status.success());
}

#[test]
fn a_directory_for_sockets_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    std::fs::create_dir(place.sockets()).unwrap();
    std::fs::set_permissions(place.sockets(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = pager_with(&place, &[]);
    assert!(ran.err.contains("is not a directory of this user alone"), "{ran:?}");
}

#[test]
fn an_application_without_a_pager() {
    let place = Place::new();
    let program = place.beside("app");
    application_from("#include \"vm_app.h\"\nint main() { vm_yield(); }", &program, &[]);
    let ran = run(place.command(&program));
    assert_eq!(ran.status.code(), Some(69), "{ran:?}");
    assert!(ran.err.contains("no pager is running for this directory; start one here with"), "{ran:?}");
}

#[test]
fn the_application_s_own_status_and_output_pass_through() {
    let place = Place::new();
    let mut command = place.command(test_pager());
    command.args(["--quiet", "--", "sh", "-c", "echo out; echo err >&2; exit 42"]);
    let ran = run(command);
    assert_eq!((ran.status.code(), ran.out.as_str(), ran.err.as_str()), (Some(42), "out\n", "err\n"));
}

/// Names and arenas that are not what they should be: nulls, not crashes.
#[test]
fn maps_that_are_refused_return_null_and_consume_nothing() {
    let place = Place::new();
    let program = place.beside("app");
    let text = r#"
#include "vm_app.h"
#include <cstdio>
#include <cstring>
int main() {
    char *first = static_cast<char *>(vm_map(nullptr, 0));
    std::memset(first, 'a', VM_PAGESIZE);
    std::printf("%d", vm_map(first, 0) == nullptr);                    // runs off the arena
    std::printf("%d", vm_map("outside the arena", 0) == nullptr);
    std::printf("%d", vm_map(first + VM_PAGESIZE * 9, 0) == nullptr);  // not valid
    first[VM_PAGESIZE - 1] = 0;
    unsigned pages = 1;
    while (vm_map(first, pages) != nullptr) ++pages;
    std::printf(" %u %d\n", pages, vm_map(nullptr, 0) == nullptr);     // arena full
}
"#;
    application_from(text, &program, &[]);
    let ran = common::run_under(test_pager(), &place, &[], &[program.as_os_str()]);
    assert_eq!(ran.out, "111 256 1\n", "{ran:?}");
}
