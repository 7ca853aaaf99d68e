//! A pager that dies while a forked child has memory already, and no agent yet that would notice.

use crate::apart::{Child, alone, fork, pager_and_socket, sys};
use crate::common::options;
use crate::words::{fill, word};
use mager_linux_client::{Arena, Connection, OnPagerDeath, PAGER_DIED};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::process::id;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const PAGES: u32 = 16;

/// What a child does before the handlers of its fork.
struct Early {
    /// Of a page each.
    addresses: [usize; 2],
    attached: PipeWriter,
    go: PipeReader,
}

static EARLY: OnceLock<Early> = OnceLock::new();

/// Touches a page, says who it is, waits to be told, and touches another.
extern "C" fn touch_twice() {
    let Some(early) = EARLY.get() else { return };
    let [first, second] = early.addresses.map(std::ptr::with_exposed_provenance);
    assert_eq!(sys::peek(first), word(0, 1).to_le_bytes()[0]);
    (&early.attached).write_all(&id().to_le_bytes()).expect("somebody listens");
    (&early.go).read_exact(&mut [0]).expect("it is told");
    let _ = sys::peek(second);
}

/// A program that forks such a child, and leaves it to whoever adopts it.
fn parent(socket: OwnedFd, on_death: OnPagerDeath, attached: PipeWriter, go: PipeReader) -> ! {
    let connection = Connection::over(socket, on_death).expect("a connection");
    connection.follow_forks().expect("it can follow");
    let arena = Arena::new(&connection).expect("an arena");
    let pages = arena.map(PAGES).expect("memory");
    fill(&arena, pages, 1);
    let addresses = [0, 5].map(|page| arena.pointer(pages.page + page).expose_provenance());
    assert!(EARLY.set(Early { addresses, attached, go }).is_ok(), "nobody else does it");
    let _left_alone = fork(|| {});
    loop {
        std::thread::park();
    }
}

fn process(number: i32) -> Pid {
    Pid::from_raw(number).expect("a process")
}

fn waits_for_a_page(number: i32) -> bool {
    fs::read_to_string(format!("/proc/{number}/wchan")).is_ok_and(|place| place == "handle_userfault")
}

/// The program, and its child that waits for a page, both without a pager.
fn without_a_pager(on_death: OnPagerDeath) -> (Child, i32) {
    sys::adopt_orphans();
    // Registered first, it runs first.
    sys::in_children(touch_twice);
    let (socket, pager) = pager_and_socket(options(64, 4096));
    let ((mut attached, says), (waits, mut go)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    let mut its = Some((socket, says, waits));
    let program = fork(|| {
        let (socket, says, waits) = its.take().expect("nobody else takes them");
        parent(socket, on_death, says, waits)
    });
    drop(its);
    let mut number = [0; 4];
    attached.read_exact(&mut number).expect("a child");
    let child = i32::from_le_bytes(number);
    kill_process(process(pager.0), Signal::STOP).expect("it is there");
    go.write_all(&[0]).expect("it waits");
    let until = Instant::now() + Duration::from_secs(10);
    while !waits_for_a_page(child) {
        assert!(Instant::now() < until, "the child does not wait");
        std::thread::sleep(Duration::from_millis(1));
    }
    sys::kill(pager.0);
    assert_eq!(pager.died_by(), libc::SIGKILL);
    (program, child)
}

/// Once seven in 180 kills of a shell's pager left a child of it waiting for ever.
#[test]
fn a_child_without_an_agent_ends_with_the_pager() {
    alone("death::a_child_without_an_agent_ends_with_the_pager", || {
        let (program, child) = without_a_pager(OnPagerDeath::End);
        assert_eq!(libc::WEXITSTATUS(sys::wait(program.0)), PAGER_DIED);
        assert_eq!(Child(child).died_by(), libc::SIGKILL);
    });
}

#[test]
fn a_child_without_an_agent_stalls_where_it_is_to_stall() {
    alone("death::a_child_without_an_agent_stalls_where_it_is_to_stall", || {
        let (program, child) = without_a_pager(OnPagerDeath::Stall);
        std::thread::sleep(Duration::from_millis(100));
        assert!(waits_for_a_page(child));
        for process in [program, Child(child)] {
            sys::kill(process.0);
            assert_eq!(process.died_by(), libc::SIGKILL);
        }
    });
}
