//! Forks of programs: of several threads, in handlers of signals, on stacks from malloc, with handlers of forks.

use crate::place::{Place, text};
use std::process::Command;

#[test]
fn forks_are_what_the_c_library_promises() {
    let Some(place) = Place::new() else { return };
    place.compile("forks", &[]);
    let plainly = Command::new(place.path("forks")).output().expect("it starts");
    assert_eq!(text(&plainly.stdout), "as promised\n", "without a pager");
    keeps_promises(&place, "1G", &["./forks"]);
}

#[test]
fn a_fork_without_swap_for_the_child_is_refused_and_nothing_else() {
    let Some(place) = Place::new() else { return };
    place.compile("forks", &[]);
    keeps_promises(&place, "64M", &["./forks", "refused"]);
}

fn keeps_promises(place: &Place, swap: &str, program: &[&str]) {
    let mut run = place.mager(&["run", "--memory", "16M", "--swap", swap, "--swap-dir"]);
    let ran = run.arg(place.swap()).arg("--").args(program).output().expect("it starts");
    let said = text(&ran.stderr);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "as promised\n"), "{said}");
    assert_eq!(said, "");
    place.is_clean();
}
