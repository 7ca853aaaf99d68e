//! The watch over a pager object: each breach of the contract is named in one sentence, with its call, and ends
//! everything cleanly.

mod common;

use common::{Outcome, Place, Running, application_from, fixture, pager, run, until, workshop};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

const TOUCH: &str = r#"
#include "vm_app.h"
#include <cstdio>
int main() {
    char *page = static_cast<char *>(vm_map(nullptr, 0));
    page[5] = 1;
    std::puts("touched");
}
"#;

/// The wrong pager and an application that touches a page, compiled once.
fn programs() -> &'static (PathBuf, PathBuf) {
    static PROGRAMS: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let (wrong, touch) = (workshop().join("wrong"), workshop().join("touch"));
        pager(&fixture("wrong.cpp"), &wrong, &[]);
        application_from(TOUCH, &touch, &[]);
        (wrong, touch)
    })
}

fn asked_for(what: &str, place: &Place) -> Command {
    let (wrong, touch) = programs();
    let mut command = place.command(wrong);
    command.env("WRONG", what).args(["--time-limit", "1", "--quiet", "--"]).arg(touch);
    command
}

fn with(what: &str) -> Outcome {
    let place = Place::new();
    let ran = run(asked_for(what, &place));
    assert!(place.left_in_sockets().is_empty(), "{what}: sockets are left behind");
    ran
}

#[track_caller]
fn named(what: &str, sentence: &str) {
    let ran = with(what);
    assert!(!ran.status.success(), "{what}: {ran:?}");
    assert!(ran.err.contains(sentence), "{what}: \"{sentence}\" is missing in {ran:?}");
    assert!(!ran.out.contains("touched"), "{what}: {ran:?}");
}

#[test]
fn the_wrong_pager_is_right_when_nothing_is_asked_of_it() {
    let ran = with("nothing");
    assert!(ran.status.success() && ran.out == "touched\n", "{ran:?}");
}

#[test]
fn writing_without_reading_is_named() {
    named(
        "write only",
        "broke the contract in vm_fault(0x600000005, write): the entry of page 0 allows writing but not reading",
    );
}

#[test]
fn a_frame_outside_physical_memory_is_named() {
    named(
        "no such frame",
        "in vm_fault(0x600000005, write): the entry of page 0 names physical page 0x4, but there are 0x4",
    );
}

#[test]
fn a_map_result_that_is_no_page_of_the_arena_is_named() {
    named("unaligned", "in vm_map(null, 0): 0x600000008 is not the start of a page");
    named("outside", "in vm_map(null, 0): 0x601000000 is outside the arena");
}

#[test]
fn a_missing_page_table_is_named() {
    named("no table", "page_table_base_register is null");
}

#[test]
fn an_endless_loop_is_named() {
    named("loop", "the pager did not return within 1 s (an endless loop?) in vm_fault(0x600000005, write)");
}

#[test]
fn a_crash_is_named_with_its_signal_and_still_is_a_crash() {
    named("crash", "the pager crashed (SIGSEGV: an access to address 0x10) in vm_fault(0x600000005, write)");
    named("recursion", "the pager crashed (SIGSEGV");
    named("divide", "the pager crashed (SIGFPE: a division by zero or the like) in vm_init(4, 1024)");
    named(
        "assertion",
        "the pager crashed (SIGABRT: a failed assertion or an uncaught exception) in vm_fault",
    );
    named(
        "exception",
        "the pager crashed (SIGABRT: a failed assertion or an uncaught exception) in vm_fault",
    );
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(with("crash").status.signal(), Some(11));
}

#[test]
fn a_buffer_that_is_no_physical_page_is_named() {
    named("staging buffer", "the pager gave file_read (block 3) a buffer at 0x");
    named("staging buffer", "outside physical memory, in vm_fault(0x600000005, write)");
    named("between pages", "not the start of a physical page, in vm_fault(0x600000005, write)");
}

#[test]
fn the_applications_of_a_lost_pager_say_so_and_end() {
    let gone = "the pager has gone, or this program closed its connection";
    let ended = "this program ends, since the pager broke the contract in vm_fault(0x600000005, write)";
    for (what, sentence) in [("write only", ended), ("loop", gone), ("crash", gone)] {
        let place = Place::new();
        let running = Running::start(asked_for(what, &place));
        // The application may outlive the pager by a moment.
        until("the application says why it ends", || running.err().contains(sentence).then_some(()));
        assert!(!running.finish().status.success(), "{what}");
    }
}
