//! Applications that end badly, talk nonsense or misuse the arena; pagers that are killed; two pagers.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Outcome, Place, Running, compiled, run, serve, test_pager, until};
use mager_course_protocol::{Request, VERSION};
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

/// An application that fills three pages, says so, and reads them again when a line comes in.
const HOLDER: &str = r#"
int main(int, char **argv) {
    char *p[3];
    for (int i = 0; i < 3; ++i) { p[i] = page(); p[i][7] = static_cast<char>('x' + i); }
    std::printf("filled by %s\n", argv[1]); std::fflush(stdout);
    vm_yield();
    for (;;) {
        FILE *go = std::fopen(argv[2], "r");
        if (go != nullptr) { break; }
        usleep(2000); vm_yield();
    }
    for (int i = 0; i < 3; ++i) if (p[i][7] != 'x' + i) { std::puts("MISMATCH"); return 1; }
    std::puts("intact"); return 0;
}
"#;

fn hold(place: &Place, program: &PathBuf, name: &str) -> Running {
    let mut command = place.command(program);
    command.arg(name).arg(place.beside("go"));
    let running = Running::start(command);
    until("the application has filled its pages", || running.out().contains("filled").then_some(()));
    running
}

fn let_go(place: &Place) {
    std::fs::write(place.beside("go"), "").unwrap();
}

#[test]
fn a_killed_application_takes_nobody_along_and_its_pages_go() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    // Room for two of them: the third can map only if the killed one's reservations are free again.
    let pager = serve(test_pager(), &place, &["-m", "4", "-s", "6"]);
    let (first, second) = (hold(&place, &program, "first"), hold(&place, &program, "second"));
    second.signal(Signal::KILL);
    assert_eq!(second.finish().status.signal(), Some(9));
    let third = hold(&place, &program, "third");
    let_go(&place);
    for application in [first, third] {
        let ended = application.finish();
        assert!(ended.status.success() && ended.out.ends_with("intact\n"), "{ended:?}");
    }
    pager.signal(Signal::TERM);
    let ended = pager.finish();
    assert!(ended.status.success() && ended.err.contains("3 processes,"), "{ended:?}");
    assert!(place.left_in_sockets().is_empty() && !place.sockets().exists());
}

#[test]
fn a_stopped_pager_ends_its_applications_with_a_reason() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &[]);
    let held = [hold(&place, &program, "first"), hold(&place, &program, "second")];
    pager.signal(Signal::INT);
    assert!(pager.finish().status.success());
    let ended: Vec<Outcome> = held.into_iter().map(Running::finish).collect();
    assert!(ended.iter().all(|ended| !ended.status.success()), "{ended:?}");
    assert!(
        ended.iter().any(|ended| ended.err.contains("this program ends, since the pager was stopped")),
        "{ended:?}"
    );
}

#[test]
fn the_applications_of_a_killed_pager_end_and_the_next_pager_cleans_up() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &[]);
    let held = [hold(&place, &program, "first"), hold(&place, &program, "second")];
    pager.signal(Signal::KILL);
    assert_eq!(pager.finish().status.signal(), Some(9));
    for application in held {
        let ended = application.finish();
        assert_eq!(ended.status.code(), Some(69), "{ended:?}");
        assert!(ended.err.contains("the pager has gone"), "{ended:?}");
    }
    let left = place.left_in_sockets();
    assert_eq!(left.len(), 1, "a killed pager cannot clean up: {left:?}");
    let another = Place::new();
    let mut next = another.command(test_pager());
    next.env("MAGER_RUNTIME_DIR", place.sockets());
    let next = Running::start(next);
    until("the next pager has removed the leftover", || (!left[0].exists()).then_some(()));
    until("the next pager listens", || (place.left_in_sockets().len() == 1).then_some(()));
    next.signal(Signal::TERM);
    assert!(next.finish().status.success());
    assert!(!place.sockets().exists());
}

#[test]
fn a_pager_asked_for_its_state_answers_and_goes_on() {
    let place = Place::new();
    let program = compiled(&place, "app", "int main() { page(); std::puts(\"let in\"); }");
    let pager = serve(test_pager(), &place, &[]);
    pager.signal(Signal::USR1);
    until("the pager answers", || pager.err().contains("does not describe its state").then_some(()));
    assert_eq!(run(place.command(&program)).out, "let in\n");
    pager.signal(Signal::TERM);
    assert!(pager.finish().status.success());
}

#[test]
fn sockets_are_for_the_user_alone() {
    let place = Place::new();
    let pager = serve(test_pager(), &place, &[]);
    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&place.sockets()), 0o700);
    assert_eq!(mode(&place.left_in_sockets()[0]), 0o600);
    pager.signal(Signal::TERM);
    pager.finish();
}

#[test]
fn a_process_of_another_user_is_turned_away() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let open =
        |path: &PathBuf, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let place = Place::new();
    let program = compiled(&place, "app", "int main() { page(); std::puts(\"let in\"); }");
    let pager = serve(test_pager(), &place, &[]);
    let socket = place.left_in_sockets()[0].clone();
    let mut command = place.command(&program);
    command.env("MAGER_COURSE_SOCKET", &socket);
    if rustix::process::geteuid().is_root() {
        // Even with every door open.
        for dir in [place.beside("."), place.work(), place.sockets()] {
            open(&dir, 0o755);
        }
        open(&socket, 0o666);
        command.uid(65534).gid(65534);
        let ended = run(command);
        assert!(ended.err.contains("is another user's") && ended.out.is_empty(), "{ended:?}");
        until("the pager says so", || pager.err().contains("(uid 65534) was turned away").then_some(()));
    } else {
        // Who cannot become another user can only see that this one is let in.
        assert_eq!(run(command).out, "let in\n");
    }
    pager.signal(Signal::TERM);
    assert!(pager.finish().status.success());
}

#[test]
fn nonsense_ends_the_one_who_talks_it_alone() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &["-s", "40"]);
    let held = hold(&place, &program, "first");
    let socket = place.left_in_sockets()[0].clone();
    // In a process of its own, since whoever talks nonsense is killed.
    for messages in nonsense() {
        let mut talker = place.command(std::env::current_exe().unwrap());
        talker.args(["--exact", "talks_nonsense_when_asked_to", "--include-ignored"]);
        talker.env("TALK_TO", &socket).env("TALK", &messages);
        let ended = run(talker);
        assert_eq!(ended.status.signal(), Some(9), "{messages}: {ended:?}");
    }
    let_go(&place);
    assert!(held.finish().out.ends_with("intact\n"));
    pager.signal(Signal::TERM);
    let ended = pager.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.err.matches("was ended, since").count(), nonsense().len(), "{ended:?}");
}

/// What no application would say: messages in hexadecimal, with a dash between one and the next.
fn nonsense() -> Vec<String> {
    let hello = Request::Hello { version: VERSION, parent: 1 };
    let malformed = [&b"nonsense"[..], &[255; 24], &[0; 24], &[7; 4000]].map(hex);
    let out_of_turn = [
        vec![Request::Yield],
        vec![Request::Fault { address: 0x6_0000_0000, write: true }],
        vec![hello, hello],
        vec![hello, Request::Ready],
        vec![hello, Request::Fork { child: 1 }],
        vec![hello, Request::Yield, Request::Wait { child: None }, Request::Yield],
    ];
    let said = |requests: Vec<Request>| {
        requests.into_iter().map(|request| hex(&request.encode())).collect::<Vec<_>>().join("-")
    };
    malformed.into_iter().chain(out_of_turn.into_iter().map(said)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn talks_nonsense_when_asked_to() {
    let Some(socket) = std::env::var_os("TALK_TO") else { return };
    let conn = connected(&PathBuf::from(socket));
    for message in std::env::var("TALK").unwrap().split('-') {
        rustix::net::send(&conn, &bytes(message), rustix::net::SendFlags::NOSIGNAL).unwrap();
    }
    // Long enough for the host to end this process.
    std::thread::sleep(std::time::Duration::from_secs(30));
}

fn connected(socket: &Path) -> OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect};
    let conn = rustix::net::socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
    connect(&conn, &SocketAddrUnix::new(socket).unwrap()).unwrap();
    conn
}

#[test]
fn a_silent_connection_disturbs_nobody() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &[]);
    let socket = place.left_in_sockets()[0].clone();
    let _conn = connected(&socket);
    let held = hold(&place, &program, "first");
    let_go(&place);
    assert!(held.finish().status.success());
    pager.signal(Signal::TERM);
    assert!(pager.finish().status.success());
}

#[test]
fn two_pagers_in_two_directories_do_not_meet() {
    let (one, other) = (Place::new(), Place::new());
    let program = compiled(&one, "holder", HOLDER);
    let pagers = [serve(test_pager(), &one, &["-s", "3"]), serve(test_pager(), &other, &["-s", "3"])];
    // Each has room for one application only.
    let held = [hold(&one, &program, "first"), hold(&other, &program, "second")];
    let_go(&one);
    let_go(&other);
    assert!(held.into_iter().all(|application| application.finish().out.ends_with("intact\n")));
    for pager in pagers {
        pager.signal(Signal::TERM);
        let ended = pager.finish();
        assert!(ended.err.contains("1 process,"), "{ended:?}");
    }
}

#[test]
fn many_applications_at_once_all_end_well() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &["-m", "4", "-s", "40"]);
    let held: Vec<Running> = (0..8).map(|no| hold(&place, &program, &no.to_string())).collect();
    let_go(&place);
    assert!(held.into_iter().all(|application| application.finish().out.ends_with("intact\n")));
    pager.signal(Signal::TERM);
    assert!(pager.finish().status.success());
}
