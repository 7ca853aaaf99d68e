//! The parts that troublemakers play, each in a process of its own, since the host may end it.

use crate::conn::{Conn, Said, pair};
use crate::storm;
use crate::walk::{self, How, Walk};
use mager_course_host::{Host, Options};
use mager_course_pager::CoursePager;
use mager_course_protocol::{Request, VERSION};
use rustix::process::getpid;
use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

pub const PAGE: u64 = 0x6_0000_0000;

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_millis(1500);

#[test]
#[ignore = "run by other tests, in processes of their own"]
fn plays_its_part() {
    let Ok(part) = std::env::var("PART") else { return };
    let (name, rest) = part.split_once(':').unwrap_or((&part, ""));
    match name {
        "walk" => walk::whole(&mut Walk::new(None, How::Kill)),
        "kill" => walk::whole(&mut Walk::new(rest.parse().ok(), How::Kill)),
        "hang-up" => walk::whole(&mut Walk::new(rest.parse().ok(), How::HangUp)),
        "fall-silent" => walk::whole(&mut Walk::new(rest.parse().ok(), How::FallSilent)),
        "storm" => storm::storm(rest.parse().unwrap()),
        "steals-a-parent" => steals_a_parent(rest.parse().unwrap()),
        "claims-a-child" => claims_a_child(rest.parse().unwrap()),
        "no-socket" => no_socket(rest),
        "never-reads" => never_reads(),
        "fast" => fast(),
        "connections" => connections(),
        "huge-blocks" => huge_blocks(),
        "many-descriptors" => many_descriptors(),
        "pager" => pager(),
        "closes-and-stays" => closes_and_stays(),
        child => walk::be_child(child),
    }
}

/// The pager of a scene: few frames, much swap.
fn pager() {
    let options = Options { frames: 4, swap_blocks: 200, ..Options::default() };
    let report = Host::new(options, Box::new(CoursePager::new("clock", ()).unwrap())).unwrap().run().unwrap();
    assert!(!report.lost(), "{report:?}");
}

/// The processes that a troublemaker may lie about: the pager, the honest ones.
pub fn known_pids() -> Vec<i32> {
    std::env::var("KNOWN_PIDS").unwrap().split(' ').map(|pid| pid.parse().unwrap()).collect()
}

/// Names an honest process as its parent: it must not get that one's pages.
fn steals_a_parent(known: usize) {
    let conn = Conn::open();
    conn.say(Request::Hello { version: VERSION, parent: known_pids()[known] });
    assert_eq!(conn.hear(), Said::Welcome);
    assert_eq!(conn.hear(), Said::Resume(0));
    let answer = conn.ask(Request::Fault { address: PAGE, write: true });
    assert!(matches!(answer, Said::Refused(_)), "{answer:?}");
    println!("nothing stolen");
}

/// Names somebody else as its child, then talks nonsense in its name: that one must not be ended for it.
fn claims_a_child(known: usize) {
    let conn = Conn::running();
    let (mine, hosts) = pair();
    let child = known_pids().get(known).copied().unwrap_or_else(|| getpid().as_raw_nonzero().get());
    conn.say_bytes(&Request::Fork { child }.encode(), &[hosts.as_fd()]);
    Conn(mine).say_bytes(b"nonsense", &[]);
    std::thread::sleep(Duration::from_secs(20));
}

/// Tells of a real child, but what comes along is no connection.
fn no_socket(what: &str) {
    let conn = Conn::running();
    let (childs, _hosts) = pair();
    let mut child = walk::spawn("child-ends", childs);
    let along = match what {
        "file" => File::open(std::env::current_exe().unwrap()).unwrap().into(),
        "device" => File::open("/dev/zero").unwrap().into(),
        "pipe" => rustix::pipe::pipe().unwrap().0,
        "epoll" => rustix::event::epoll::create(rustix::event::epoll::CreateFlags::empty()).unwrap(),
        "stream" => std::os::unix::net::UnixStream::pair().unwrap().0.into(),
        _ => rustix::io::dup(&conn).unwrap(),
    };
    walk::tell_of(&conn, &child, along);
    std::thread::sleep(Duration::from_secs(20));
    child.wait().unwrap();
}

/// Asks and asks while it runs, and reads no answer; then lets others run, and reads nothing still.
fn never_reads() {
    let conn = Conn::running();
    let start = Instant::now();
    let mut page = 0;
    conn.say(Request::Map { filename: 0, block: 0 });
    while start.elapsed() < FLOOD {
        page = (page + 1) % 40;
        conn.say(Request::Map { filename: 0, block: 0 });
        conn.say(Request::Fault { address: PAGE + page * 65536, write: page % 2 == 0 });
    }
    conn.say(Request::Yield);
    std::thread::sleep(FLOOD);
}

/// As fast as it can, in all order: faults, and a turn for the others after each hundred.
fn fast() {
    let conn = Conn::running();
    (0..8).for_each(|_| drop(conn.ask(Request::Map { filename: 0, block: 0 })));
    let (start, mut asked) = (Instant::now(), 0_u64);
    while start.elapsed() < FLOOD {
        let address = PAGE + asked % 8 * 65536;
        assert_eq!(conn.ask(Request::Fault { address, write: asked % 3 == 0 }), Said::Resume(0));
        asked += 1;
        if asked % 100 == 0 {
            assert_eq!(conn.ask(Request::Yield), Said::Resume(0));
        }
    }
    println!("asked {asked}");
}

/// As many connections as it can have, all silent, held for a while; then many that come and go.
fn connections() {
    let held: Vec<Conn> = (0..200).map(|_| Conn::open()).collect();
    println!("held {}", held.len());
    std::thread::sleep(FLOOD);
    drop(held);
    (0..500).for_each(|_| drop(Conn::open()));
}

/// Maps blocks far behind any end, of names of all kinds, and touches them; the name is written a byte at a time into
/// no memory of its own, so all names are empty or are what the zero page holds.
fn huge_blocks() {
    let conn = Conn::running();
    conn.ask(Request::Map { filename: 0, block: u32::MAX });
    for (page, block) in (1..).zip([u32::MAX, u32::MAX - 1, 1 << 31, 1 << 24, 1 << 16]) {
        for filename in [PAGE, PAGE + 65535] {
            assert!(matches!(conn.ask(Request::Map { filename, block }), Said::Resume(_)));
        }
        for write in [false, true] {
            let answer = conn.ask(Request::Fault { address: PAGE + page * 65536, write });
            assert!(matches!(answer, Said::Refused(_)), "{answer:?}");
        }
    }
    for filename in [1, PAGE - 1, PAGE + 255 * 65536, PAGE + 256 * 65536, u64::MAX] {
        assert_eq!(conn.ask(Request::Map { filename, block: u32::MAX }), Said::Resume(0));
    }
    println!("all refused");
}

/// Eight descriptors with each message, wanted or not.
fn many_descriptors() {
    let conn = Conn::running();
    let null = File::open("/dev/null").unwrap();
    let eight = [null.as_fd(); 8];
    for _ in 0..200 {
        conn.say_bytes(&Request::Map { filename: PAGE, block: 0 }.encode(), &eight);
        conn.hear();
    }
    println!("not minded");
}

/// Closes its connection while it runs, with pages of its own, and stays.
fn closes_and_stays() {
    let conn = Conn::running();
    conn.ask(Request::Map { filename: 0, block: 0 });
    conn.ask(Request::Fault { address: PAGE, write: true });
    drop(conn);
    std::thread::sleep(Duration::from_secs(3));
    println!("stayed");
}
