//! Whole programs through the command: the same with few frames as with many, and call by call what an independent
//! pager does.

use crate::place::{Place, compiled, course, example};
use crate::run::{Ran, finish};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const EXAMPLES: [&str; 6] = ["swap_pages", "file_pages", "fork_copy", "share_file", "swap_full", "thrash"];

type Files = BTreeMap<String, Vec<u8>>;

/// Runs a program in a new place; the files that it leaves.
fn run(program: &Path, arguments: &[&str], frames: &str, swap: &str) -> (Ran, Files) {
    let place = Place::new();
    let ran = place.course_run(&["-m", frames, "-s", swap], program, arguments);
    place.is_clean();
    let entries =
        fs::read_dir(place.work()).expect("it is there").map(|entry| entry.expect("it is there").path());
    let name = |path: &Path| path.file_name().expect("it has one").to_string_lossy().into_owned();
    let files = entries.map(|path| (name(&path), fs::read(&path).expect("it can be read")));
    (ran, files.collect())
}

#[track_caller]
fn equal_with_few_and_many_frames(program: &Path, arguments: &[&str], swap: &str) -> Files {
    let (few, few_files) = run(program, arguments, "4", swap);
    let (many, many_files) = run(program, arguments, "1024", swap);
    let name = program.display();
    assert_eq!((few.code, many.code), (Some(0), Some(0)), "{name}: {}{}", few.err, many.err);
    assert!(!few.out.is_empty() && few.out == many.out, "{name}: {}{}", few.out, many.out);
    assert!(few_files == many_files, "{name}: its files differ");
    few_files
}

#[test]
fn every_example_prints_and_leaves_the_same() {
    for name in EXAMPLES {
        let files = equal_with_few_and_many_frames(&example(name), &[], "40");
        assert_eq!(files.len(), usize::from(name.contains("file")), "{name}: {:?}", files.keys());
    }
}

#[test]
fn the_fork_stress_prints_the_same() {
    let stress = compiled(&course("host/tests/fixtures/fork_stress.cpp"), &[]);
    for seed in ["1", "2", "3", "4"] {
        equal_with_few_and_many_frames(&stress, &[seed], "600");
    }
}

/// Logs of both pagers, with 4 frames each, and what `mager course diff` makes of them.
fn compared(program: &Path, arguments: &[&str]) -> Ran {
    let pager = compiled(&course("host/tests/fixtures/pager.cpp"), &["--pager"]);
    let place = Place::new();
    let ours = place.course_run(&["-m", "4", "-s", "600", "--log", "ours"], program, arguments);
    let mut other = place.run(pager);
    other.args(["-m", "4", "-s", "600", "--quiet", "--log", "theirs", "--"]).arg(program).args(arguments);
    let theirs = finish(&mut other);
    assert_eq!((ours.code, &ours.out), (theirs.code, &theirs.out), "{}{}", ours.err, theirs.err);
    finish(&mut place.mager(["course", "diff", "ours", "theirs"]))
}

#[test]
fn an_independent_pager_makes_the_same_calls() {
    for name in EXAMPLES {
        let diff = compared(&example(name), &[]);
        assert_eq!(diff.code, Some(0), "{name}: {}{}", diff.out, diff.err);
    }
    let stress = compiled(&course("host/tests/fixtures/fork_stress.cpp"), &[]);
    for seed in ["5", "6"] {
        let diff = compared(&stress, &[seed]);
        assert_eq!(diff.code, Some(0), "seed {seed}: {}{}", diff.out, diff.err);
    }
}
