//! What a program may expect of its memory, its children and its CPUs, whoever holds the memory.

use crate::place::{Place, text};
use std::process::Stdio;

#[test]
fn the_c_library_and_the_kernel_keep_what_they_promise() {
    let Some(place) = Place::new() else { return };
    place.compile("memory", &[]);
    // Each child may change all that its parent has.
    let mut run = place.mager(&["run", "--memory", "8M", "--swap", "1G", "--swap-dir"]);
    let ran = run.arg(place.swap()).args(["--", "./memory"]).output().expect("it starts");
    let said = text(&ran.stderr);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "as promised\n"), "{said}");
    // The one child that was made behind the C library's back.
    assert!(said.lines().count() == 1 && said.contains("not by fork(3)"), "{said}");
    place.is_clean();
}

/// Whether it thrashes meanwhile, and is told so, depends on the machine.
#[test]
fn all_of_swap_is_to_be_had_and_no_more() {
    let Some(place) = Place::new() else { return };
    place.compile("memory", &[]);
    let mut run = place.mager(&["run", "--memory", "64M", "--swap", "512M", "--swap-dir"]);
    let ran = run.arg(place.swap()).args(["--", "./memory", "512"]).output().expect("it starts");
    let said = text(&ran.stderr);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "as promised\n"), "{said}");
    place.is_clean();
}

/// Its handler of SIGSEGV is not in the way of what its children get.
#[test]
fn an_interactive_shell_has_children() {
    let Some(place) = Place::new() else { return };
    let mut shell = place.run(&[], &["bash", "--norc", "-i"]);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut shell = shell.spawn().expect("it starts");
    let words = b"/bin/true; echo status $?; echo $(echo inner)\n";
    std::io::Write::write_all(&mut shell.stdin.take().expect("a pipe"), words).expect("it listens");
    let ran = shell.wait_with_output().expect("it ends");
    assert_eq!(text(&ran.stdout), "status 0\ninner\n");
    place.is_clean();
}

#[test]
fn a_cleared_environment_keeps_the_budget() {
    let Some(place) = Place::new() else { return };
    let ran =
        place.run(&[], &["env", "-i", "/bin/sh", "-c", "cat /proc/self/maps"]).output().expect("it starts");
    assert!(text(&ran.stdout).contains("mager_preload"), "{}", text(&ran.stdout));
    place.is_clean();
}

#[test]
fn each_program_says_where_its_memory_is_from_if_asked() {
    let Some(place) = Place::new() else { return };
    let ran = place
        .run(&["--verbose"], &["sh", "-c", "ls / >/dev/null; ls / >/dev/null"])
        .output()
        .expect("it starts");
    let said = text(&ran.stderr);
    assert!(
        said.lines().filter(|line| line.contains("has its memory from the pager at")).count() >= 2,
        "{said}"
    );
    place.is_clean();
}
