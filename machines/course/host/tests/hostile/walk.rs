//! The whole conversation of an application and its host, step by step, and an end at any step of it.

use crate::conn::{Conn, Said, pair};
use mager_course_protocol::{Request, VERSION};
use rustix::net::Shutdown;
use rustix::process::{Signal, getpid, getppid, kill_process};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PAGE: u64 = 0x6_0000_0000;

/// How the conversation ends.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// SIGKILL.
    Kill,
    /// The connection is closed; the process lives on for a moment.
    HangUp,
    /// The process says no more but listens, and lives on for a moment.
    FallSilent,
}

/// Counts the steps, and ends at one of them.
pub struct Walk {
    end_at: Option<usize>,
    how: How,
    at: usize,
}

impl Walk {
    pub fn new(end_at: Option<usize>, how: How) -> Walk {
        Walk { end_at, how, at: 0 }
    }

    fn step(&mut self, conn: &Conn, name: &str) {
        println!("step {name}");
        if self.end_at == Some(self.at) {
            end(conn, self.how);
        }
        self.at += 1;
    }

    /// Says `request`; a step before the answer is heard, and one behind it.
    fn ask(&mut self, conn: &Conn, name: &str, request: Request) -> Said {
        assert!(conn.say(request));
        self.step(conn, &format!("{name} said"));
        let answer = conn.hear();
        self.step(conn, &format!("{name} answered"));
        answer
    }
}

fn end(conn: &Conn, how: How) -> ! {
    match how {
        How::Kill => kill_process(getpid(), Signal::KILL).unwrap(),
        How::HangUp => conn.shut(Shutdown::Both),
        How::FallSilent => conn.shut(Shutdown::Write),
    }
    std::thread::sleep(Duration::from_millis(30));
    std::process::exit(0);
}

/// The conversation: every request there is, each answer there is.
pub fn whole(walk: &mut Walk) {
    let conn = Conn::open();
    walk.step(&conn, "connected");
    let parent = getppid().unwrap().as_raw_nonzero().get();
    let hello = Request::Hello { version: VERSION, parent };
    assert_eq!(walk.ask(&conn, "hello", hello), Said::Welcome);
    assert_eq!(conn.hear(), Said::Resume(0));
    walk.step(&conn, "first turn");
    pages(walk, &conn);
    assert_eq!(walk.ask(&conn, "yield", Request::Yield), Said::Resume(0));
    family(walk, &conn);
    assert_eq!(walk.ask(&conn, "wait for nobody", Request::Wait { child: None }), Said::WaitYourself);
    assert_eq!(walk.ask(&conn, "ready", Request::Ready), Said::Resume(0));
    let outside = Request::Fault { address: PAGE + 200 * 65536, write: false };
    assert!(matches!(walk.ask(&conn, "bad access", outside), Said::Refused(_)));
}

fn pages(walk: &mut Walk, conn: &Conn) {
    let map = |filename, block| Request::Map { filename, block };
    let fault = |page: u64, write| Request::Fault { address: PAGE + page * 65536, write };
    assert_eq!(walk.ask(conn, "map of swap", map(0, 0)), Said::Resume(PAGE));
    assert_eq!(walk.ask(conn, "read fault", fault(0, false)), Said::Resume(0));
    assert_eq!(walk.ask(conn, "write fault", fault(0, true)), Said::Resume(0));
    // The name is empty, for page 0 holds zeros: the map succeeds, the access does not.
    assert_eq!(walk.ask(conn, "map of a file", map(PAGE, u32::MAX)), Said::Resume(PAGE + 65536));
    assert!(matches!(walk.ask(conn, "fault on no file", fault(1, true)), Said::Refused(_)));
    // More than there are frames, so that pages of others must go.
    for page in 2..6 {
        assert_eq!(conn.ask(map(0, 0)), Said::Resume(PAGE + page * 65536));
        assert_eq!(conn.ask(fault(page, true)), Said::Resume(0));
    }
    walk.step(conn, "frames taken from others");
}

fn family(walk: &mut Walk, conn: &Conn) {
    for part in ["child-dies-unborn", "child-dies-in-its-turn", "child-hangs-up", "child-ends"] {
        let (childs, hosts) = pair();
        let mut child = spawn(part, childs);
        walk.step(conn, &format!("{part}: not told yet"));
        tell_of(conn, &child, hosts);
        walk.step(conn, &format!("{part}: told"));
        assert_eq!(conn.hear(), Said::Resume(0));
        walk.step(conn, &format!("{part}: answered"));
        let pid = i32::try_from(child.id()).unwrap();
        // A child that died at once may be unknown again by now.
        match walk.ask(conn, &format!("{part}: wait"), Request::Wait { child: Some(pid) }) {
            Said::Resume(0) => {}
            Said::WaitYourself => assert_eq!(conn.ask(Request::Ready), Said::Resume(0)),
            other => panic!("{other:?}"),
        }
        child.wait().unwrap();
    }
}

/// A real child, the connection its standard input.
pub fn spawn(part: &str, conn: OwnedFd) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "parts::plays_its_part", "--include-ignored"]);
    command.env("PART", part).stdin(conn).stdout(Stdio::null()).spawn().unwrap()
}

/// Tells the host of `child`, whose connection's other end is `hosts`.
pub fn tell_of(conn: &Conn, child: &Child, hosts: OwnedFd) {
    let fork = Request::Fork { child: i32::try_from(child.id()).unwrap() };
    assert!(conn.say_bytes(&fork.encode(), &[hosts.as_fd()]));
}

/// What a child does with its connection.
pub fn be_child(part: &str) {
    let conn = Conn(rustix::io::dup(std::io::stdin()).unwrap());
    match part {
        "child-dies-unborn" => end(&conn, How::Kill),
        "child-hangs-up" => end(&conn, How::HangUp),
        _ => {}
    }
    if conn.hear() == Said::Resume(0) && part == "child-dies-in-its-turn" {
        end(&conn, How::Kill);
    }
}
