//! The six examples: the same output whatever the number of frames.

mod common;

use common::{Place, application, course, run_under, test_pager};
use std::ffi::OsStr;
use std::fs;

const EXAMPLES: [&str; 6] = ["swap_pages", "file_pages", "fork_copy", "share_file", "swap_full", "thrash"];

fn output(place: &Place, example: &str, options: &[&str]) -> String {
    let program = place.beside(example);
    let ran = run_under(test_pager(), place, options, &[program.as_os_str()]);
    assert!(ran.status.success(), "{example} {options:?}: {ran:?}");
    ran.out
}

fn compile(place: &Place, example: &str) {
    application(&course(&format!("examples/{example}.cpp")), &place.beside(example), &["-Werror"]);
}

#[test]
fn every_example_says_the_same_at_2_4_and_1024_frames() {
    let place = Place::new();
    for example in EXAMPLES {
        compile(&place, example);
        let few = output(&place, example, &["-m", "4", "-s", "40", "--quiet"]);
        assert!(few.lines().count() > 0);
        for frames in ["2", "3", "1024"] {
            assert_eq!(output(&place, example, &["-m", frames, "-s", "40", "--quiet"]), few, "{example}");
        }
    }
}

#[test]
fn every_kind_of_swap_serves() {
    let place = Place::new();
    compile(&place, "swap_pages");
    let file = place.beside("swap");
    let nameless = output(&place, "swap_pages", &["-m", "3"]);
    assert_eq!(output(&place, "swap_pages", &["-m", "3", "--swap-memory"]), nameless);
    assert_eq!(output(&place, "swap_pages", &["-m", "3", "--swap-file", file.to_str().unwrap()]), nameless);
    assert!(!file.exists(), "the swap file is removed at the end");
}

#[test]
fn thrashing_shows_in_the_summary() {
    let place = Place::new();
    compile(&place, "thrash");
    let program = place.beside("thrash");
    let blocks_read = |order: &str, frames: &str| -> u64 {
        let ran = run_under(test_pager(), &place, &["-m", frames], &[program.as_os_str(), OsStr::new(order)]);
        let swap = ran.err.lines().find_map(|line| line.strip_prefix("swap: ")).unwrap().to_owned();
        swap.split(' ').next().unwrap().parse().unwrap()
    };
    assert!(blocks_read("columns", "16") > 8 * blocks_read("rows", "16"));
    assert_eq!((blocks_read("columns", "64"), blocks_read("rows", "64")), (0, 0));
}

#[test]
fn a_file_page_evicted_is_written_home() {
    let place = Place::new();
    compile(&place, "file_pages");
    output(&place, "file_pages", &["-m", "2"]);
    let data = fs::read(place.work().join("file_pages.dat")).unwrap();
    assert_eq!(data.len(), 4 * 65536);
    // Three of four must have gone, with one frame; the last may still be in memory at the end.
    for (block, letter) in [(0, b'a'), (1, b'b'), (2, b'c')] {
        assert_eq!(&data[block * 65536..block * 65536 + 2], &[b'x', letter]);
    }
}
