//! Doors of the C library that few programs come in by: the program is the same whether it has a pager or not.

use crate::place::{Place, text};
use std::process::{Command, Output};

/// Calls are checked, by the names that the C library has for that.
const FLAGS: [&str; 3] = ["-O2", "-D_FORTIFY_SOURCE=2", "-Wno-deprecated-declarations"];

/// Tries what the program calls `door`, first without a pager.
#[track_caller]
fn keeps_what_is_promised_at(door: &str) {
    let Some(place) = Place::new() else { return };
    place.compile("doors", &FLAGS);
    let mut plain = Command::new(place.path("doors"));
    is_as_promised(&plain.arg(door).current_dir(place.path("")).output().expect("it starts"));
    // Much to have, as each child may change all that its parent has, in little.
    let mut run = place.mager(&["run", "--memory", "8M", "--swap", "1G", "--swap-dir"]);
    is_as_promised(&run.arg(place.swap()).args(["--", "./doors", door]).output().expect("it starts"));
    place.is_clean();
}

#[track_caller]
fn is_as_promised(ran: &Output) {
    let said = text(&ran.stderr);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "as promised\n"), "{said}");
    eprint!("{said}");
}

#[test]
fn handlers_of_bad_touches_set_by_any_name_get_those_and_no_others() {
    keeps_what_is_promised_at("handlers");
}

#[test]
fn handlers_of_bad_touches_have_the_flags_and_the_mask_that_they_asked_for() {
    keeps_what_is_promised_at("flags");
}

#[test]
fn checked_calls_get_no_o_direct_either() {
    keeps_what_is_promised_at("direct");
}

#[test]
fn programs_started_in_any_way_have_the_cpus_of_who_started_them() {
    keeps_what_is_promised_at("started");
}

#[test]
fn nothing_is_put_on_the_numbers_of_the_descriptors_that_memory_lives_by() {
    keeps_what_is_promised_at("numbers");
}

#[test]
fn blocks_of_nothing_and_of_too_much_are_the_c_librarys() {
    keeps_what_is_promised_at("blocks");
}
