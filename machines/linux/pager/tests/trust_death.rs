//! A pager that is killed shows nobody wrong bytes, and a client that is killed leaves nothing behind.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::process::{Ended, again, role, word};
use common::sys::{load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Connection, OnPagerDeath, PAGER_DIED};
use mager_linux_pager::Server;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const PAGES: u32 = 512;
const WRONG: i32 = 3;

fn pattern(page: u32, round: u64) -> u64 {
    (u64::from(page) << 32 | round).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

/// Serves at a socket until it is killed.
fn serve(path: &str) -> ! {
    let options = mager_linux_pager::Options { socket: Some(path.into()), ..options(128, 4096) };
    let mut server = Server::new(options).expect("a pager");
    server.run(None).expect("it serves");
    // It ends with its first client, if nobody kills it before.
    loop {
        std::thread::park();
    }
}

/// Writes and reads for ever, and says so if a byte is wrong.
fn work(path: &str, on_death: OnPagerDeath) -> ! {
    let connection = connect(Path::new(path), on_death);
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(PAGES).expect("memory");
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let arena = &arena;
            scope.spawn(move || {
                for round in 0.. {
                    for page in (thread..PAGES).step_by(2) {
                        let found = load(arena, pages.page + page);
                        let expected = if round == 0 { 0 } else { pattern(page, round) };
                        if found != expected {
                            eprintln!("page {page} is {found:#x} instead of {expected:#x} in round {round}");
                            mager_linux_sys::exit_now(WRONG);
                        }
                        store(arena, pages.page + page, pattern(page, round + 1));
                    }
                }
            });
        }
    });
    unreachable!("it goes on for ever")
}

fn connect(path: &Path, on_death: OnPagerDeath) -> std::sync::Arc<Connection> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match Connection::to(path, on_death) {
            Ok(connection) => return connection,
            Err(why) => assert!(Instant::now() < until, "no pager: {why}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn play_a_role() {
    match role().as_deref() {
        Some("pager") => serve(&word()),
        Some("client") => work(&word(), OnPagerDeath::End),
        Some("patient") => work(&word(), OnPagerDeath::Stall),
        Some(_) | None => {}
    }
}

/// A pager and a client, both processes; the pager is killed after some time under load.
fn kill_a_pager(
    test: &str,
    as_what: &str,
    after: Duration,
) -> (Option<std::process::ExitStatus>, String, Duration) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("socket");
    let path = path.to_str().expect("a plain name");
    let mut pager = Ended(again(test, "pager", path).spawn().expect("a pager"));
    let mut client = again(test, as_what, path).stderr(Stdio::piped()).spawn().expect("a client");
    let mut errors = client.stderr.take().expect("its errors");
    let mut client = Ended(client);
    let until = Instant::now() + Duration::from_secs(20);
    while Connection::observe(Path::new(path)).map_or(true, |figures| !busy(&figures)) {
        assert!(Instant::now() < until, "the client does not begin");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(after);
    pager.0.kill().expect("it is killed");
    let killed = Instant::now();
    let status = client.within(Duration::from_secs(1));
    let took = killed.elapsed();
    drop(client);
    let mut said = String::new();
    let _ = errors.read_to_string(&mut said);
    (status, said, took)
}

fn busy(figures: &str) -> bool {
    let figures: serde_json::Value = serde_json::from_str(figures).expect("JSON");
    figures["evictions"].as_u64().is_some_and(|evictions| evictions > 0)
}

#[test]
fn a_client_ends_within_a_second_of_its_pager_and_reads_no_wrong_byte() {
    play_a_role();
    if !possible() {
        return;
    }
    let test = "a_client_ends_within_a_second_of_its_pager_and_reads_no_wrong_byte";
    let times = std::env::var("MAGER_DEATHS").ok().and_then(|times| times.parse().ok()).unwrap_or(100);
    let mut longest = Duration::ZERO;
    for time in 0..times {
        let (status, said, took) = kill_a_pager(test, "client", Duration::from_micros(time * 137 % 5000));
        assert_eq!(status.and_then(|status| status.code()), Some(PAGER_DIED), "time {time}: {said}");
        assert!(said.contains("the pager has died"), "{said}");
        longest = longest.max(took);
    }
    println!("{times} pagers killed; a client took {longest:?} at most to end");
}

#[test]
fn a_client_that_is_to_wait_stalls_and_reads_no_wrong_byte() {
    play_a_role();
    if !possible() {
        return;
    }
    for time in 0..3 {
        let test = "a_client_that_is_to_wait_stalls_and_reads_no_wrong_byte";
        let (status, said, _) = kill_a_pager(test, "patient", Duration::from_millis(time));
        assert!(status.is_none(), "it has ended: {status:?} {said}");
        assert!(!said.contains("instead of"), "{said}");
    }
}

#[test]
fn clients_that_are_killed_leave_nothing_behind() {
    play_a_role();
    if !possible() {
        return;
    }
    let pager = Standing::start(options(128, 8192));
    let path = pager.path.to_str().expect("a plain name");
    for time in 0..20 {
        let test = "clients_that_are_killed_leave_nothing_behind";
        let clients: Vec<_> =
            (0..2).map(|_| Ended(again(test, "client", path).spawn().expect("a client"))).collect();
        let before = pager.figure("evictions");
        let until = Instant::now() + Duration::from_secs(20);
        while pager.figure("evictions") <= before {
            assert!(Instant::now() < until, "the clients do not begin");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(time * 391 % 3000));
        drop(clients);
        pager.reaches("free_frames", 128);
        for (figure, value) in [("swap_reserved", 0), ("swap_assigned", 0), ("expelled", 0)] {
            pager.reaches(figure, value);
        }
        assert_eq!(pager.figures()["clients"].as_array().map(Vec::len), Some(0));
    }
}
