//! Fork under eviction, over many seeds; and proof that the stress would notice.

mod common;

use common::{Outcome, Place, application, fixture, pager, run_under, test_pager};
use std::ffi::OsStr;
use std::path::Path;

fn stress(pager: &Path, place: &Place, seed: &str, frames: &str, log: &[&str]) -> Outcome {
    let program = place.beside("stress");
    let options = [&["-m", frames, "-s", "600", "--quiet"], log].concat();
    run_under(pager, place, &options, &[program.as_os_str(), OsStr::new(seed)])
}

fn unharmed(ran: &Outcome) -> bool {
    let count = |word: &str| ran.out.lines().filter(|line| line.starts_with(word)).count();
    ran.status.success() && count("MISMATCH") == 0 && count("done") == count("forked") + 1
}

fn prepared() -> Place {
    let place = Place::new();
    application(&fixture("fork_stress.cpp"), &place.beside("stress"), &[]);
    place
}

#[test]
fn no_byte_is_lost_over_many_seeds_and_few_frames() {
    let place = prepared();
    let mut forks = 0;
    for seed in 1..=12 {
        for frames in ["2", "4", "5", "8", "32"] {
            let ran = stress(test_pager(), &place, &seed.to_string(), frames, &[]);
            assert!(unharmed(&ran), "seed {seed}, {frames} frames: {ran:?}");
            forks += ran.out.lines().filter(|line| *line == "forked").count();
        }
    }
    assert!(forks > 300, "only {forks} forks were tried");
}

#[test]
fn a_copy_that_forgets_its_bytes_is_noticed() {
    let place = prepared();
    let broken = place.beside("broken");
    pager(&fixture("pager.cpp"), &broken, &["-DFORGET_THE_STOLEN_SOURCE"]);
    let found = (1..=12).any(|seed| !unharmed(&stress(&broken, &place, &seed.to_string(), "2", &[])));
    assert!(found, "the stress does not notice lost bytes");
}

#[test]
fn equal_runs_give_equal_logs() {
    let place = prepared();
    let log = |name: &str| {
        let path = place.beside(name);
        let ran = stress(
            test_pager(),
            &place,
            "5",
            "5",
            &["--log", path.to_str().unwrap(), "--log-pids", "ordinal"],
        );
        assert!(unharmed(&ran), "{ran:?}");
        std::fs::read_to_string(path).unwrap()
    };
    let first = log("first");
    assert!(first.lines().count() > 1000);
    for _ in 0..3 {
        assert!(log("again") == first, "the log of an equal run differs");
    }
}
