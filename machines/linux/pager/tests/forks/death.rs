//! A pager that dies while a forked child has memory already, and no agent yet that would notice; or when the child has
//! executed another program.

use crate::apart::{Child, alone, fork, pager_and_socket, sys};
use crate::common::options;
use crate::words::{fill, word};
use mager_linux_client::{Arena, Connection, OnPagerDeath, PAGER_DIED, Pages};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, id};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

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

static NEVER: OnceLock<PipeReader> = OnceLock::new();

/// Has the parent never come back from its fork.
extern "C" fn wait_for_ever() {
    if let Some(mut never) = NEVER.get() {
        let _ = never.read(&mut [0]);
    }
}

/// A pager, and a program that has memory of it, forks a child, and leaves it to whoever adopts it.
fn pager_and_program(
    on_death: OnPagerDeath,
    before: impl FnOnce(&Arena, Pages),
    child: impl FnOnce(),
) -> (Child, Child) {
    sys::adopt_orphans();
    let (socket, pager) = pager_and_socket(options(64, 4096));
    let mut socket = Some(socket);
    let program = fork(|| {
        let socket = socket.take().expect("nobody else takes it");
        let connection = Connection::over(socket, on_death).expect("a connection");
        connection.follow_forks().expect("it can follow");
        let arena = Arena::new(&connection).expect("an arena");
        let pages = arena.map(16).expect("memory");
        fill(&arena, pages, 1);
        before(&arena, pages);
        let _left_alone = fork(child);
        loop {
            std::thread::park();
        }
    });
    (pager, program)
}

fn until(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_stopped(number: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

fn waits_for_a_page(number: i32) -> bool {
    fs::read_to_string(format!("/proc/{number}/wchan")).is_ok_and(|place| place == "handle_userfault")
}

/// A program, and its child that waits for a page, both without a pager.
fn without_a_pager(on_death: OnPagerDeath) -> (Child, Child) {
    // Registered first, it runs first.
    sys::in_children(touch_twice);
    let ((mut says, attached), (go, mut told)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    let early = |arena: &Arena, pages: Pages| {
        let addresses = [0, 5].map(|page| arena.pointer(pages.page + page).expose_provenance());
        assert!(EARLY.set(Early { addresses, attached, go }).is_ok(), "nobody else does it");
    };
    let (pager, program) = pager_and_program(on_death, early, || {});
    let mut number = [0; 4];
    says.read_exact(&mut number).expect("a child");
    let child = Child(i32::from_le_bytes(number));
    kill_process(Pid::from_raw(pager.0).expect("a process"), Signal::STOP).expect("it is there");
    until("the pager is stopped", || is_stopped(pager.0));
    told.write_all(&[0]).expect("it waits");
    until("the child waits", || waits_for_a_page(child.0));
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
        assert_eq!(child.died_by(), libc::SIGKILL);
    });
}

#[test]
fn a_child_without_an_agent_stalls_where_it_is_to_stall() {
    alone("death::a_child_without_an_agent_stalls_where_it_is_to_stall", || {
        let (program, child) = without_a_pager(OnPagerDeath::Stall);
        std::thread::sleep(Duration::from_millis(100));
        assert!(waits_for_a_page(child.0));
        for process in [program, child] {
            sys::kill(process.0);
            assert_eq!(process.died_by(), libc::SIGKILL);
        }
    });
}

/// Its parent, which has not come back from the fork yet, still has all that the child was given.
#[test]
fn a_child_that_executes_another_program_outlives_the_pager() {
    alone("death::a_child_that_executes_another_program_outlives_the_pager", || {
        // Registered first, it runs first.
        sys::in_parents(wait_for_ever);
        let ((never, _kept), (mut says, out)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
        let (input, told) = pipe().expect("a pipe");
        let holds = |_: &Arena, _| assert!(NEVER.set(never).is_ok(), "nobody else does it");
        let (pager, program) = pager_and_program(OnPagerDeath::End, holds, || {
            let mut other = Command::new("sh");
            other.args(["-c", "echo $$; read end; exit 7"]).stdin(input).stdout(out);
            panic!("{}", other.exec());
        });
        let mut number = [0; 16];
        let length = says.read(&mut number).expect("a child");
        let child = String::from_utf8_lossy(&number[..length]).trim().parse().expect("its number");
        sys::kill(pager.0);
        assert_eq!(pager.died_by(), libc::SIGKILL);
        assert_eq!(libc::WEXITSTATUS(sys::wait(program.0)), PAGER_DIED);
        drop(told);
        assert_eq!(sys::wait(child), 7 << 8);
    });
}
