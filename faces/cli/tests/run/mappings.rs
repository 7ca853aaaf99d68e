//! What a program may expect of mmap(2) and its kin at their edges, whoever holds the memory.

use crate::place::{Place, text};
use std::process::Command;

/// One at a time: each begins as a program that has asked for no memory yet.
const CHECKS: [&str; 12] = [
    "first",
    "sizes",
    "fixed_lengths",
    "fixed_over_holes",
    "fixed_without_swap",
    "fixed_in_the_heap",
    "fixed_files",
    "rights_over_holes",
    "rights_in_a_child",
    "moves",
    "code",
    "advice",
];

#[test]
fn the_edges_of_mappings_are_what_the_kernel_makes_them() {
    let Some(place) = Place::new() else { return };
    place.compile("mappings", &[]);
    let plainly =
        Command::new(place.path("mappings")).current_dir(place.path("")).output().expect("it starts");
    assert_eq!((plainly.status.code(), text(&plainly.stdout).as_str()), (Some(0), "as promised\n"));
    let ran = place.run(&[], &["./mappings"]).output().expect("it starts");
    let said = text(&ran.stderr);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "as promised\n"), "{said}");
    place.is_clean();
}

#[test]
fn each_edge_by_itself_is_so_from_the_first_call() {
    let Some(place) = Place::new() else { return };
    place.compile("mappings", &[]);
    for check in CHECKS {
        let ran = place.run(&[], &["./mappings", check]).output().expect("it starts");
        let said = text(&ran.stderr);
        assert_eq!(
            (ran.status.code(), text(&ran.stdout).as_str()),
            (Some(0), "as promised\n"),
            "{check}: {said}"
        );
    }
    place.is_clean();
}
