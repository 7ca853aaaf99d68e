//! The cell table: every state a page can be in, against everything that can happen to it, I/O answered by hand.
//!
//! `frame.table` and `place.table` hold, for each cell, what comes out and the state the page is in afterwards. A
//! cell that cannot be says so; an answer that a machine must not give is held against the core, which panics and
//! names the driver. `cargo xtask golden` rewrites both tables. The cells
//! that the design fixes in words are held against those words in `design`, so that a rewritten table cannot drift
//! away from it.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod cell;
mod design;
mod rows;

use cell::{Cell, EVENTS};
use rows::{Row, rows};
use std::fmt::Write;
use std::path::Path;

fn table(sharing: &str) -> String {
    let mut text = format!("The cell table where private pages are shared by {sharing}.\n");
    for row in rows(sharing) {
        write!(text, "\n{}\n    {}\n    {}\n", row.name, row.story.join("; "), Cell::start(&row)).unwrap();
        for event in EVENTS {
            let Cell { effects, after } = Cell::of(&row, event);
            writeln!(text, "  {:<22}| {}\n{:24}=> {after}", event.name, effects.join("; "), "").unwrap();
        }
    }
    text
}

fn compare(sharing: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cells/{sharing}.table"));
    let now = table(sharing);
    if std::env::var_os("MAGER_GOLDEN").is_some_and(|value| value == "write") {
        return std::fs::write(path, now).unwrap();
    }
    let recorded = std::fs::read_to_string(path).unwrap();
    let differs = recorded.lines().zip(now.lines()).zip(1..).find(|((a, b), _)| a != b);
    if let Some(((recorded, now), line)) = differs {
        panic!("{sharing}.table:{line}: recorded `{recorded}`, now `{now}`");
    }
    assert_eq!(recorded.lines().count(), now.lines().count(), "{sharing}.table: cells came or went");
}

#[test]
fn every_cell_where_two_sites_can_show_one_frame() {
    compare("frame");
}

#[test]
fn every_cell_where_a_frame_lives_at_one_site() {
    compare("place");
}

#[test]
fn every_state_is_in_the_table() {
    for sharing in ["frame", "place"] {
        let starts: Vec<_> = rows(sharing).iter().map(Cell::start).collect();
        for state in ["untouched", "absent", "wanted", "paging in", "resident, clean", "resident, dirty"] {
            assert!(starts.iter().any(|start| start.starts_with(state)), "no row is {state}");
        }
        for state in ["writing back, promised", "writing back, not promised"] {
            assert!(starts.iter().filter(|start| start.starts_with(state)).count() > 1, "no row is {state}");
        }
    }
}

#[test]
fn each_row_is_in_the_state_its_name_says() {
    for row in ["frame", "place"].iter().flat_map(|sharing| rows(sharing)) {
        let said = row.name.split_once(": ").unwrap().1.split(" (").next().unwrap();
        assert!(Cell::start(&row).starts_with(said), "`{}` is {}", row.name, Cell::start(&row));
    }
}

/// An answer nobody waits for breaks the driver's contract, whatever the state: the core says so at once.
#[test]
fn an_answer_that_was_not_asked_for_panics_with_the_drivers_name() {
    for row in ["frame", "place"].iter().flat_map(|sharing| rows(sharing)) {
        for read in [true, false] {
            if let Some(message) = cell::wrong_answer(&row, read) {
                assert!(message.starts_with("driver: "), "{}: {message}", row.name);
            }
        }
    }
}

/// A row by the beginning of its name.
fn row(sharing: &str, name: &str) -> Row {
    rows(sharing)
        .into_iter()
        .find(|row| row.name.starts_with(name))
        .unwrap_or_else(|| panic!("no row {name}"))
}
