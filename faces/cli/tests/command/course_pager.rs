//! `mager course pager`: signals, the end, and what a killed pager leaves.

use crate::place::{Place, Running, program, until};
use crate::run::finish;
use rustix::process::Signal;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

/// A place with a file, and `hold` running in it.
fn held(place: &Place) -> Running {
    let hold = Running::start(place.run(program("hold")));
    until("it has filled its pages", || (hold.out() == "filled\n").then_some(()));
    hold
}

fn with_notes() -> Place {
    let place = Place::new();
    fs::write(place.file("notes"), vec![b'-'; 65536]).expect("it can be written");
    place
}

#[test]
fn asked_by_a_signal_it_shows_its_state_and_goes_on() {
    let place = with_notes();
    let pager = place.pager(&["-m", "8"]);
    let hold = held(&place);
    pager.signal(Signal::USR1);
    until("it answers", || pager.err().contains("so far: ").then_some(()));
    for part in [
        "mager: the state of the pager\n",
        "arena 0.0: 3 of 256 pages mapped, 2 swap blocks reserved\n",
        "\"notes\" block 0, in frame 3, dirty",
        "core map: 8 frames, 4 free\n",
        "clock: hand -> ",
        "swap: 256 blocks, 2 reserved, 0 assigned\n",
    ] {
        assert!(pager.err().contains(part), "{part:?} is not in\n{}", pager.err());
    }
    fs::write(place.file("go"), "").expect("it can be written");
    let (status, out, _) = hold.end();
    assert!(status.success() && out.ends_with("intact\n"), "{out}");
    pager.signal(Signal::INT);
    assert!(pager.end().0.success());
    place.is_clean();
}

#[test]
fn stopped_it_ends_applications_takes_file_pages_home_and_sums_up() {
    let place = with_notes();
    let pager = place.pager(&["--swap-file", "swap", "--log", "log", "--events", "events"]);
    let hold = held(&place);
    assert!(place.file("swap").exists());
    pager.signal(Signal::TERM);
    let (status, summary, said) = pager.end();
    assert!(status.success(), "{said}");
    assert!(summary.starts_with("1 process, ") && summary.contains(", 0 refused\n"), "{summary}");
    assert!(summary.contains("\nat the end 1 dirty file page was written home\n"), "{summary}");
    let (status, _, err) = hold.end();
    assert!(!status.success());
    assert!(
        err.contains("this program ends, since the pager was stopped") || status.signal() == Some(15),
        "{err}"
    );
    let notes = fs::read(place.file("notes")).expect("it is there");
    assert!(notes.starts_with(b"written by hold\0---"));
    assert!(!place.file("swap").exists(), "the swap file is left");
    place.is_clean();
    assert!(fs::read_to_string(place.file("log")).expect("it is there").ends_with("vm_destroy\n"));
    let replayed = finish(&mut place.mager(["replay", "events"]));
    assert!(replayed.out.starts_with("equal: "), "{}{}", replayed.out, replayed.err);
}

#[test]
fn killed_it_takes_its_applications_along_and_the_next_one_cleans_up() {
    let place = with_notes();
    let pager = place.pager(&["--swap-file", "swap"]);
    let hold = held(&place);
    pager.signal(Signal::KILL);
    assert_eq!(pager.end().0.signal(), Some(9));
    let (status, _, err) = hold.end();
    assert_eq!(status.code(), Some(69), "{err}");
    assert!(err.contains("the pager has gone"), "{err}");

    assert_eq!((place.sockets_left(), place.file("swap").exists()), (1, true), "nobody was left to clean up");
    let alone = finish(&mut place.run(program("hold")));
    assert!(
        alone.code == Some(69) && alone.err.contains("no pager is running for this directory"),
        "{}",
        alone.err
    );
    let taken = finish(&mut place.mager(["course", "pager", "--swap-file", "swap"]));
    assert!(
        taken.code == Some(2) && taken.err.contains("remove it if a killed pager left it behind"),
        "{}",
        taken.err
    );
    let next = place.pager(&[]);
    assert_eq!(place.sockets_left(), 1);
    fs::write(place.file("go"), "").expect("it can be written");
    assert_eq!(finish(&mut place.run(program("hold"))).code, Some(0));
    next.signal(Signal::TERM);
    assert!(next.end().0.success());
    place.is_clean();
}

#[test]
fn pages_that_cannot_go_home_are_named_and_end_with_code_1() {
    let place = with_notes();
    let pager = place.pager(&[]);
    let hold = held(&place);
    fs::remove_file(place.file("notes")).expect("it is there");
    pager.signal(Signal::TERM);
    let (status, summary, _) = pager.end();
    assert_eq!(status.code(), Some(1), "{summary}");
    let lost = "\nlost: block 0 of file \"notes\" cannot be written: there is no such file\n";
    assert!(summary.contains(lost), "{summary}");
    drop(hold);
}

#[test]
fn a_directory_has_one_pager() {
    let place = with_notes();
    let first = place.pager(&[]);
    let link = place.file("../link");
    std::os::unix::fs::symlink(place.work(), &link).expect("a link");
    for dir in [Path::new("."), &place.work(), &link] {
        let ran = finish(place.mager(["course", "pager", "--dir"]).arg(dir));
        let said = format!("mager: another pager already serves the directory {}\n", dir.display());
        assert_eq!((ran.err, ran.code), (said, Some(2)));
        let ran = finish(place.mager(["course", "run", "--dir"]).arg(dir).args(["--", "true"]));
        assert!(ran.code == Some(2) && ran.err.contains("another pager already serves"), "{}", ran.err);
    }
    first.signal(Signal::TERM);
    assert!(first.end().0.success());
    place.is_clean();
}
