//! SIGKILL at random moments: of an application, and of the pager. Nothing hangs, nothing is left behind, and in a
//! user's file each 4 KiB is either old or new.
//!
//! `MAGER_KILLS=500` kills so often; without it each test is satisfied with a dozen.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Place, Running, compiled, own_pager, run, serve, until};
use rustix::process::Signal;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

const BLOCKS: usize = 6;
const BLOCK: usize = 65536;

/// Writes a stamp into every word of six file pages and two swap pages, 4 KiB at a time, round after round; three
/// frames hold them, so that the pager writes all the time.
const WRITER: &str = r#"
int main(int, char **argv) {
    long stamp = std::atol(argv[1]);
    long rounds = std::atol(argv[2]);
    volatile long *pages[8];
    char *name = page();
    std::strcpy(name, "data");
    for (int i = 0; i < 6; ++i) pages[i] = static_cast<long *>(vm_map(name, static_cast<unsigned>(i)));
    for (int i = 6; i < 8; ++i) pages[i] = reinterpret_cast<long *>(page());
    for (long round = 0; rounds == 0 || round < rounds; ++round, ++stamp) {
        for (int i = 0; i < 8; ++i)
            for (int word = 0; word < 65536 / 8; ++word) pages[i][word] = stamp;
        for (int i = 0; i < 8; ++i)
            for (int word = 0; word < 65536 / 8; word += 512)
                if (pages[i][word] != stamp) { std::puts("MISMATCH"); return 1; }
        vm_yield();
    }
    std::puts("intact"); return 0;
}
"#;

/// How often to kill, and after how long each time: numbers that no run repeats by chance.
fn moments() -> impl Iterator<Item = (usize, Duration)> {
    let kills = std::env::var("MAGER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..kills).map(move |number| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number, Duration::from_micros((state >> 33) % 40_000))
    })
}

fn writer(place: &Place, program: &PathBuf, stamp: usize, rounds: usize) -> Running {
    let mut command = place.command(program);
    command.arg(stamp.to_string()).arg(rounds.to_string());
    Running::start(command)
}

fn new_file(place: &Place) -> PathBuf {
    let file = place.work().join("data");
    fs::write(&file, vec![0; BLOCKS * BLOCK]).unwrap();
    file
}

#[test]
fn killed_applications_take_nobody_along() {
    let place = Place::new();
    let program = compiled(&place, "writer", WRITER);
    new_file(&place);
    let pager = serve(own_pager(), &place, &["-m", "4", "-s", "8"]);
    for (number, after) in moments() {
        let (first, second) =
            (writer(&place, &program, 1 + number * 1000, 0), writer(&place, &program, 7, 0));
        std::thread::sleep(after);
        for killed in [first, second] {
            killed.signal(Signal::KILL);
            let ended = killed.finish();
            assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
        }
    }
    // All reservations and frames are free again, or this one could not run; it is alone, so its words are its own.
    let mut last = place.command(&program);
    last.args(["5", "3"]);
    let ended = run(last);
    assert!(ended.status.success() && ended.out.ends_with("intact\n"), "{ended:?}");
    pager.signal(Signal::TERM);
    let ended = pager.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert!(!place.sockets().exists(), "nothing is left behind");
}

#[test]
fn a_killed_pager_leaves_every_4_kib_old_or_new() {
    let place = Place::new();
    let program = compiled(&place, "writer", WRITER);
    let file = new_file(&place);
    let mut written = 0;
    for (number, after) in moments() {
        let before = fs::read(&file).unwrap();
        // The next pager removes what a killed one leaves; here it must not be taken for the next one's.
        place.left_in_sockets().iter().for_each(|left| fs::remove_file(left).unwrap());
        let pager = serve(own_pager(), &place, &["-m", "4", "-s", "8"]);
        let application = writer(&place, &program, 1 + number * 1_000_000, 0);
        std::thread::sleep(after);
        pager.signal(Signal::KILL);
        assert_eq!(pager.finish().status.signal(), Some(9));
        let ended = application.finish();
        assert!(!ended.status.success() && !ended.out.contains("MISMATCH"), "{ended:?}");
        let now = fs::read(&file).unwrap();
        whole_pieces(&now);
        written += usize::from(now != before);
    }
    assert!(written > 0, "the pager was writing when it was killed, at least now and then");
    let mut next = place.command(own_pager());
    next.args(["-m", "4", "-s", "8"]);
    let next = Running::start(next);
    until("the next pager serves", || {
        let ended = writer(&place, &program, 3, 1).finish();
        ended.status.success().then_some(())
    });
    next.signal(Signal::TERM);
    let ended = next.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert!(!place.sockets().exists(), "the next pager cleans up");
}

/// Each 4 KiB holds one stamp in all its words.
fn whole_pieces(bytes: &[u8]) {
    assert_eq!(bytes.len(), BLOCKS * BLOCK, "the file has its old length");
    for (number, piece) in bytes.chunks_exact(4096).enumerate() {
        let same = piece.chunks_exact(8).all(|word| word == &piece[..8]);
        assert!(same, "the {number}th 4 KiB of the file is neither old nor new");
    }
}
