//! `mager serve` and `mager stat`: started, asked, used, stopped, and used wrongly.

use crate::place::{Running, until};
use crate::run::{Ran, command, mager};
use mager::{OnPagerDeath, Pager};
use rustix::process::Signal;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use tempfile::TempDir;

pub struct Place(TempDir);

impl Place {
    /// None where there is no userfaultfd; says so loudly.
    pub fn new() -> Option<Self> {
        if !mager::possible() {
            eprintln!("SKIPPED: no userfaultfd with all that the Linux machine needs here");
            return None;
        }
        Some(Place(tempfile::tempdir().expect("a directory")))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    /// A pager with 4 MiB of memory and 32 MiB of swap, serving.
    pub fn serve(&self, more: &[&str]) -> Running {
        let mut serve = command();
        serve.args(["serve", "--memory", "4M", "--swap", "32M", "--socket"]).arg(self.socket());
        serve.args(more);
        let serving = Running::start(serve);
        until("it serves", || serving.err().contains("mager: serving").then_some(()));
        serving
    }

    fn stat(&self, more: &[&str]) -> Ran {
        crate::run::finish(command().args(["stat", "--socket"]).arg(self.socket()).args(more))
    }

    pub fn json(&self) -> serde_json::Value {
        let ran = self.stat(&["--json"]);
        serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {}{}", ran.out, ran.err))
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the directory is there");
        entries.map(|entry| entry.expect("it is read").file_name().to_string_lossy().into_owned()).collect()
    }
}

#[test]
fn a_standing_pager_serves_tells_and_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let swap = place.path("swap");
    let serving = place.serve(&["--swap-file", swap.to_str().expect("UTF-8"), "--compressed", "1M"]);
    assert!(
        serving
            .err()
            .contains("1280 frames of 4K, at most 1M of them for compressed pages, 32M of swap, s3-fifo"),
        "{}",
        serving.err()
    );
    let pager = Pager::join_for(place.socket(), OnPagerDeath::Stall).expect("it is joined");
    let mut words = pager.arena().expect("an arena").region::<u64>(2 << 20).expect("16 MiB");
    (0u64..).zip(words.iter_mut()).for_each(|(place, word)| *word = place);
    assert!((0u64..).zip(words.iter()).all(|(place, &word)| place == word));

    let told = place.json();
    assert_eq!((told["frames"].as_u64(), told["elastic_frames"].as_u64()), (Some(1280), Some(256)));
    let most = told["frames"].as_u64().zip(told["withheld_frames"].as_u64()).map(|(all, not)| all - not);
    let client = &told["clients"][0];
    assert_eq!(
        (client["pid"].as_u64(), client["arenas"].as_u64()),
        (Some(std::process::id().into()), Some(1))
    );
    assert!(client["page_ins"].as_u64() > Some(1000) && client["private_frames"].as_u64() <= most, "{told}");
    assert!(client["command"].as_str().is_some_and(|command| command.contains("command")), "{told}");
    let arena = &told["busiest_arenas"][0];
    assert_eq!((&arena["client"], &arena["page_ins"]), (&client["number"], &client["page_ins"]), "{told}");
    assert!(arena["held_pages"].as_u64() > Some(0) && arena["held_pages"].as_u64() <= most, "{told}");
    // With few pages it is less than one: tables count, too.
    let stores = &told["stores"];
    assert!(stores["compression_ratio"].is_number(), "{told}");
    assert!(stores["compressed_pages"].as_u64().max(stores["demoted"].as_u64()) > Some(0), "{told}");
    assert!(told["interval"]["service_us_p99"].as_f64() > Some(0.1), "{told}");
    let told = place.stat(&[]);
    let pid = std::process::id().to_string();
    let row =
        told.out.lines().find(|line| line.trim_start().starts_with(&pid)).expect("a row for this client");
    assert!(row.contains("16M"), "{row}");
    for part in ["frames ", "packed ", "a fault   half within "] {
        assert!(told.out.contains(part), "{part:?} is not in\n{}", told.out);
    }

    drop((words, pager));
    until("it is gone", || place.json()["clients"].as_array().is_some_and(Vec::is_empty).then_some(()));
    // What is being written keeps its block until it is written.
    until("its swap is free", || (place.json()["swap_reserved"] == 0).then_some(()));
    serving.signal(Signal::INT);
    let (status, _, err) = serving.end();
    assert!(status.success() && err.lines().count() == 1, "{status}: {err}");
    assert_eq!(place.left(), Vec::<String>::new());
}

#[test]
fn a_socket_that_was_left_is_taken_over_and_a_live_one_is_not() {
    let Some(place) = Place::new() else { return };
    let serving = place.serve(&[]);
    serving.signal(Signal::KILL);
    assert_eq!(serving.end().0.code(), None);
    assert!(place.socket().symlink_metadata().is_ok_and(|found| found.file_type().is_socket()));
    let serving = place.serve(&[]);
    let socket = place.socket();
    let second = ["serve", "--memory", "4M", "--swap", "8M", "--socket", socket.to_str().expect("UTF-8")];
    let refused = mager(second);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("a pager serves there already"), "{}", refused.err);
    assert_eq!(place.json()["clients"].as_array().map(Vec::len), Some(0), "the first one serves on");
    serving.signal(Signal::TERM);
    assert!(serving.end().0.success());
    std::fs::write(&socket, "a file").expect("it is written");
    assert_eq!(mager(second).code, Some(2));
    assert_eq!(std::fs::read(&socket).expect("it is there"), b"a file");
}

#[test]
fn a_file_mapped_by_a_client_is_home_when_the_pager_has_ended() {
    let Some(place) = Place::new() else { return };
    let serving = place.serve(&[]);
    let path = place.path("file");
    std::fs::write(&path, vec![1; 3 << 20]).expect("it is written");
    let file = std::fs::File::options().read(true).write(true).open(&path).expect("it opens");
    let pager = Pager::join_for(place.socket(), OnPagerDeath::Stall).expect("it is joined");
    let mapped = pager.arena().expect("an arena").map_file(&file, 0, 3 << 20).expect("a mapping");
    mapped.write_at(5000, b"written home").expect("it lies inside");
    let told = place.json();
    let of_file = &told["busiest_files"][0];
    assert!(of_file["name"].as_str().is_some_and(|name| name.ends_with("/file")), "{told}");
    assert!(of_file["held_pages"].as_u64() >= Some(1) && of_file["page_ins"].as_u64() >= Some(1), "{told}");
    serving.signal(Signal::TERM);
    assert!(serving.end().0.success());
    assert_eq!(&std::fs::read(&path).expect("it is there")[4999..5013], b"\x01written home\x01");
}

#[test]
fn an_embedded_pager_starts_ends_and_says_why_not() {
    let Some(place) = Place::new() else { return };
    let builder = || Pager::builder().memory(1 << 20).swap(8 << 20).program(env!("CARGO_BIN_EXE_mager"));
    let pager = builder().swap_dir(place.0.path()).start().expect("a pager");
    let mut bytes = pager.arena().expect("an arena").region::<u8>(8 << 20).expect("memory");
    bytes.fill(3);
    assert_eq!(bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>(), 3 * (8 << 20));
    drop((bytes, pager));
    assert_eq!(place.left(), Vec::<String>::new());
    let refused = builder().swap_dir("/nowhere").start().expect_err("no such directory");
    assert!(refused.to_string().contains("/nowhere"), "{refused}");
    let refused = builder().policy("best").start().expect_err("no such policy");
    assert!(refused.to_string().starts_with("the pager did not start: policy: "), "{refused}");
}

#[test]
fn a_recorded_pager_replays_with_equal_effects() {
    let Some(place) = Place::new() else { return };
    let events = place.path("run.events");
    let serving = place.serve(&["--events", events.to_str().expect("UTF-8"), "--policy", "s3-fifo"]);
    let pager = Pager::join_for(place.socket(), OnPagerDeath::Stall).expect("it is joined");
    let mut bytes = pager.arena().expect("an arena").region::<u8>(8 << 20).expect("memory");
    for round in 0..3u8 {
        bytes.iter_mut().step_by(4096).for_each(|byte| *byte += round);
    }
    drop((bytes, pager));
    serving.signal(Signal::TERM);
    assert!(serving.end().0.success());
    let replayed = mager(["replay", events.to_str().expect("UTF-8")]);
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.err);
}

#[test]
fn a_service_manager_is_told_when_it_serves_and_when_it_ends() {
    let Some(place) = Place::new() else { return };
    let manager = UnixDatagram::bind(place.path("notify")).expect("a socket");
    manager.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a limit");
    let told = || {
        let mut message = [0; 512];
        let len = manager.recv(&mut message).expect("it is told");
        String::from_utf8_lossy(&message[..len]).into_owned()
    };
    let mut serve = command();
    serve.args(["serve", "--memory", "4M", "--swap", "32M", "--socket"]).arg(place.socket());
    serve.env("NOTIFY_SOCKET", place.path("notify"));
    let serving = Running::start(serve);
    let ready = told();
    assert!(ready.starts_with("READY=1\nSTATUS=serving ") && ready.contains("1024 frames"), "{ready}");
    assert_eq!(place.json()["frames"], 1024, "it serves");
    serving.signal(Signal::TERM);
    assert!(told().starts_with("STOPPING=1"));
    assert!(serving.end().0.success());
}

#[test]
fn limits_of_one_client_are_kept_and_leave_room_for_others() {
    let Some(place) = Place::new() else { return };
    let more = ["--client-swap", "1M", "--clients", "5", "--client-arenas", "2", "--arena-mappings", "3"];
    let _serving = place.serve(&more);
    let joined = || Pager::join_for(place.socket(), OnPagerDeath::Stall);
    let pager = joined().expect("it is joined");
    let (arena, other) = (pager.arena().expect("an arena"), pager.arena().expect("a second one"));
    assert!(refused(pager.arena()).contains("2 arenas"));
    let mut regions: Vec<_> = (0..5).map(|_| arena.region::<u8>(4096).expect("a page")).collect();
    // Neighbours are one mapping.
    [3, 1].iter().for_each(|&gap| drop(regions.remove(gap)));
    assert!(refused(arena.region::<u8>(4096)).contains("3 mappings"));
    assert!(refused(other.region::<u8>((1 << 20) - 8192)).contains("a client can reserve 256"));
    regions.pop();
    assert!(other.region::<u8>((1 << 20) - 8192).is_ok());
    let _more = [joined().expect("a second connection"), joined().expect("and a third")];
    assert!(joined().is_err(), "half of all connections are for others");
    assert!(place.stat(&[]).err.is_empty(), "such as this one");
}

fn refused<T>(what: Result<T, mager::Error>) -> String {
    what.map(drop).expect_err("it is refused").to_string()
}

#[test]
fn what_makes_no_sense_is_told_with_what_to_give() {
    for (wrong, said) in [
        (vec!["--memory", "4M"], "give a swap size, a swap file or a swap directory"),
        (vec!["--memory", "4M", "--compressed", "4M"], "give a swap size, too"),
        (vec!["--memory", "100K", "--swap", "1M"], "give 262144 or more"),
        (vec!["--memory", "4M", "--swap", "1M", "--page-size", "8K"], "give 4K, 16K or 64K"),
        (
            vec!["--memory", "4M", "--swap", "1M", "--client-swap", "1K"],
            "less than the 4096 that a client needs",
        ),
        (vec!["--memory", "4M", "--swap", "1M", "--clients", "0"], "give a number from 1 on"),
        (vec!["--memory", "4M", "--swap", "much"], "`much` is no unit; K, M, G and T are"),
        (vec!["--memory", "4M", "--swap", "1M", "--policy", "lru"], "has to see every access"),
        (vec!["--memory", "4M", "--swap", "1M", "--fd", "99"], "--fd 99: Bad file descriptor"),
        (vec!["--memory", "4M", "--swap", "1M", "--overwrite"], "--swap-file <FILE>"),
        (vec!["--memory", "4M", "--swap", "1M", "--swap-dir", "/nowhere"], "/nowhere"),
        (vec!["--swap", "1M"], "--memory <SIZE>"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut serve = command();
        serve.arg("serve").args(&wrong).env("XDG_RUNTIME_DIR", dir.path());
        let ran = crate::run::finish(&mut serve);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{wrong:?}: {}", ran.err);
        assert_eq!(std::fs::read_dir(dir.path()).expect("it is there").count(), 0, "{wrong:?}");
    }
    let ran = mager(["stat", "--socket", "/nowhere/socket"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("/nowhere/socket: no pager serves there"), "{}", ran.err);
    assert_eq!(mager(["stat", "--watch", "0"]).code, Some(2));
}

#[test]
fn watching_tells_again_and_ends_with_the_pager() {
    let Some(place) = Place::new() else { return };
    let serving = place.serve(&[]);
    let mut stat = command();
    stat.args(["stat", "--json", "--watch", "0.05", "--socket"]).arg(place.socket());
    let watching = Running::start(stat);
    until("it tells", || (watching.out().lines().count() >= 3).then_some(()));
    serving.signal(Signal::TERM);
    assert!(serving.end().0.success());
    let (status, out, err) = watching.end();
    assert_eq!(status.code(), Some(1), "{err}");
    let told: serde_json::Value = serde_json::from_str(out.lines().next().expect("a line")).expect("JSON");
    assert!(told["interval"]["seconds"].as_f64() < Some(10.0), "{told}");
}
