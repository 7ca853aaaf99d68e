//! The examples under AddressSanitizer, UndefinedBehaviorSanitizer and valgrind: nothing to complain of, and the same
//! output as without.
//!
//! The host itself cannot run under valgrind before that knows pidfd_open (3.19 does not); its pager objects can be
//! built with the sanitizers instead, as here.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{
    Outcome, Place, application, application_from, course, fixture, own_pager, run_under, test_pager,
};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

const EXAMPLES: [&str; 6] = ["swap_pages", "file_pages", "fork_copy", "share_file", "swap_full", "thrash"];
const SANITIZERS: [&str; 3] = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"];
const FEW: [&str; 5] = ["-m", "4", "-s", "40", "--quiet"];
/// Each fault resumes in the middle of things, so registers must be exact there.
const VALGRIND: [&str; 4] =
    ["valgrind", "--quiet", "--error-exitcode=99", "--vex-iropt-register-updates=allregs-at-mem-access"];

fn compiled(place: &Place, example: &str, name: &str, options: &[&str]) -> std::path::PathBuf {
    let program = place.beside(name);
    application(&course(&format!("examples/{example}.cpp")), &program, options);
    program
}

#[track_caller]
fn nothing_said(ran: &Outcome, expected: &str) {
    assert!(ran.status.success() && ran.err.is_empty(), "{ran:?}");
    assert_eq!(ran.out, expected);
}

/// Can the compiler build with the sanitizers? If not, says so loudly.
fn sanitizers() -> bool {
    let place = Place::new();
    let (source, program) = (place.beside("probe.cpp"), place.beside("probe"));
    std::fs::write(&source, "int main() {}\n").unwrap();
    let compiler = std::env::var_os("CXX").unwrap_or("c++".into());
    let mut command = Command::new(compiler);
    command.args(SANITIZERS).arg(&source).arg("-o").arg(&program).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    if !there {
        eprintln!("SKIPPED: the compiler cannot link -fsanitize=address,undefined (libasan, libubsan)");
    }
    there
}

fn valgrind() -> bool {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !there {
        eprintln!("SKIPPED: valgrind is not installed");
    }
    there
}

#[test]
fn the_examples_and_their_pagers_under_the_sanitizers() {
    if !sanitizers() {
        return;
    }
    let place = Place::new();
    let checked_pager = place.beside("checked-pager");
    common::pager(&fixture("pager.cpp"), &checked_pager, &SANITIZERS);
    for example in EXAMPLES {
        let plain = compiled(&place, example, example, &[]);
        let checked = compiled(&place, example, &format!("{example}-checked"), &SANITIZERS);
        let expected = run_under(test_pager(), &place, &FEW, &[plain.as_os_str()]).out;
        for pager in [checked_pager.as_path(), own_pager()] {
            nothing_said(&run_under(pager, &place, &FEW, &[checked.as_os_str()]), &expected);
        }
    }
}

#[test]
fn the_examples_under_valgrind() {
    if !valgrind() {
        return;
    }
    let place = Place::new();
    for example in EXAMPLES {
        let program = compiled(&place, example, example, &["-g"]);
        let expected = run_under(own_pager(), &place, &FEW, &[program.as_os_str()]).out;
        nothing_said(&under_valgrind(&place, &program), &expected);
    }
}

fn under_valgrind(place: &Place, program: &Path) -> Outcome {
    let words = VALGRIND.iter().map(OsStr::new).chain([program.as_os_str()]).collect::<Vec<_>>();
    run_under(own_pager(), place, &FEW, &words)
}

/// Beside the arena, with the arena in use: each tool must still see what it is there to see.
const MISTAKES: &str = r#"
#include "vm_app.h"
#include <climits>
#include <cstdlib>
int main(int count, char **) {
    volatile char *page = (char *)vm_map(nullptr, 0);
    page[0] = 1;
    volatile char *heap = (char *)std::malloc(8);
#ifdef OVERFLOW
    volatile int most = INT_MAX;
    return most + count > 0;
#else
    return heap[7 + count] + page[0];
#endif
}
"#;

#[test]
fn the_tools_still_find_what_they_look_for() {
    let place = Place::new();
    let mistaken = |name: &str, options: &[&str]| {
        let program = place.beside(name);
        application_from(MISTAKES, &program, options);
        program
    };
    if sanitizers() {
        for (option, found) in
            [("-DOVERFLOW", "signed integer overflow"), ("-DOVERRUN", "heap-buffer-overflow")]
        {
            let program =
                mistaken("checked", &[&SANITIZERS[..], &["-fno-sanitize=object-size", option]].concat());
            let ran = run_under(test_pager(), &place, &FEW, &[program.as_os_str()]);
            assert!(!ran.status.success() && ran.err.contains(found), "{ran:?}");
        }
    }
    if valgrind() {
        let ran = under_valgrind(&place, &mistaken("plain", &["-g"]));
        assert!(ran.status.code() == Some(99) && ran.err.contains("Invalid read of size 1"), "{ran:?}");
    }
}
