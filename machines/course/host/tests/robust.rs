//! Applications that end badly, talk nonsense or misuse the arena; pagers that are killed; two pagers.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Outcome, Place, Running, application_from, run, run_under, serve, test_pager, until};
use mager_course_protocol_probe::connect_and_send;
use rustix::process::{Pid, Signal, test_kill_process};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

/// A connection that says what no application would.
mod mager_course_protocol_probe {
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
        socket_with,
    };
    use std::os::fd::OwnedFd;
    use std::path::Path;

    pub fn connect_and_send(socket: &Path, bytes: &[u8]) -> OwnedFd {
        let conn =
            socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        connect(&conn, &SocketAddrUnix::new(socket).unwrap()).unwrap();
        send(&conn, bytes, SendFlags::NOSIGNAL).unwrap();
        conn
    }

    /// Waits until the host has closed the connection.
    pub fn is_closed(conn: &OwnedFd) -> bool {
        let mut bytes = [0_u8; 4096];
        loop {
            match recv(conn, &mut bytes[..], RecvFlags::empty()) {
                Ok((0, _)) | Err(_) => return true,
                Ok(_) => {}
            }
        }
    }
}

const PRELUDE: &str = r#"
#include "vm_app.h"
#include <csignal>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static char *page() {
    char *p = static_cast<char *>(vm_map(nullptr, 0));
    if (p == nullptr) { std::puts("null"); std::exit(9); }
    return p;
}
"#;

/// Compiles `body` as an application in this place.
fn compiled(place: &Place, name: &str, body: &str) -> PathBuf {
    let program = place.beside(name);
    application_from(&format!("{PRELUDE}{body}"), &program, &["-pthread"]);
    program
}

fn ran(body: &str) -> Outcome {
    let place = Place::new();
    let program = compiled(&place, "app", body);
    let ran = run_under(test_pager(), &place, &["-m", "4", "-s", "40"], &[program.as_os_str()]);
    assert!(place.left_in_sockets().is_empty(), "sockets are left behind");
    ran
}

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
    assert!(ended.status.success() && ended.err.contains("3 processes"), "{ended:?}");
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
    for bytes in [&b"nonsense"[..], &[255; 24], &[0; 24], &[7; 4000], &request_yield()] {
        let mut talker = place.command(std::env::current_exe().unwrap());
        talker.args(["--exact", "talks_nonsense_when_asked_to", "--include-ignored"]);
        talker.env("TALK_TO", &socket).env("TALK", hex(bytes));
        let ended = run(talker);
        assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
    }
    let_go(&place);
    assert!(held.finish().out.ends_with("intact\n"));
    pager.signal(Signal::TERM);
    let ended = pager.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.err.matches("was ended, since").count(), 5, "{ended:?}");
}

/// A well-formed request that nobody may make before a greeting.
fn request_yield() -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[0] = 4;
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn talks_nonsense_when_asked_to() {
    let Some(socket) = std::env::var_os("TALK_TO") else { return };
    let text = std::env::var("TALK").unwrap();
    let bytes: Vec<u8> =
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let conn = connect_and_send(&PathBuf::from(socket), &bytes);
    mager_course_protocol_probe::is_closed(&conn);
    std::thread::sleep(std::time::Duration::from_secs(30));
}

#[test]
fn a_silent_connection_disturbs_nobody() {
    let place = Place::new();
    let program = compiled(&place, "holder", HOLDER);
    let pager = serve(test_pager(), &place, &[]);
    let socket = place.left_in_sockets()[0].clone();
    let conn =
        rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::SEQPACKET, None)
            .unwrap();
    rustix::net::connect(&conn, &rustix::net::SocketAddrUnix::new(&socket).unwrap()).unwrap();
    let held = hold(&place, &program, "first");
    let_go(&place);
    assert!(held.finish().status.success());
    pager.signal(Signal::TERM);
    assert!(pager.finish().status.success());
    assert!(test_kill_process(Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap()).is_ok());
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
        assert!(ended.err.contains("1 processes"), "{ended:?}");
    }
}

#[test]
fn however_a_process_ends_its_parent_goes_on() {
    let ran = ran(r#"
int main() {
    char *p = page(); p[0] = 'p';
    for (int how = 0; how < 4; ++how) {
        std::fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            p[0] = 'c';
            if (how == 0) _exit(3);
            if (how == 1) std::exit(3);
            if (how == 2) raise(SIGKILL);
            *reinterpret_cast<volatile char *>(8) = 1;
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child) return 1;
        std::printf("%d %d %c\n", WEXITSTATUS(status), WTERMSIG(status), p[0]);
    }
}
"#);
    assert_eq!(ran.out, "3 0 p\n3 0 p\n0 9 p\n0 11 p\n", "{ran:?}");
}

#[test]
fn an_access_outside_the_arena_is_an_ordinary_crash() {
    let ran = ran("int main() { page(); *reinterpret_cast<volatile char *>(8) = 1; }");
    assert_eq!(ran.status.code(), Some(128 + 11), "{ran:?}");
    assert!(!ran.err.contains("refused:"), "{ran:?}");
}

#[test]
fn a_refused_access_says_what_and_why_and_ends_as_sigsegv_does() {
    let beyond = ran("int main() { char *p = page(); p[65536 * 3 + 5] = 1; }");
    assert_eq!(beyond.status.code(), Some(128 + 11), "{beyond:?}");
    let sentence = "the write at 0x600030005 (page 3 of the arena, from 0x600030000) was refused";
    assert!(beyond.err.contains(sentence), "{beyond:?}");

    let missing = ran(
        r#"int main() { char *p = page(); std::strcpy(p, "no such file"); char *f = (char *)vm_map(p, 7); return f[1]; }"#,
    );
    let sentence = "was refused: block 7 of file \"no such file\" cannot be read: there is no such file";
    assert!(missing.status.code() == Some(139) && missing.err.contains(sentence), "{missing:?}");

    let directory =
        ran(r#"int main() { char *p = page(); std::strcpy(p, "."); return ((char *)vm_map(p, 0))[1]; }"#);
    assert!(directory.err.contains("cannot be read: it is a directory, not a file"), "{directory:?}");
}

#[test]
fn a_second_thread_is_refused_with_a_message() {
    let ran = ran(r#"
static char *p;
static void *other(void *) { p[0] = 1; return nullptr; }
int main() { p = page(); pthread_t thread; pthread_create(&thread, nullptr, other, nullptr); pthread_join(thread, nullptr); }
"#);
    assert_eq!(ran.status.code(), Some(139), "{ran:?}");
    assert!(
        ran.err.contains("only the first thread of a process that the pager knows may touch the arena"),
        "{ran:?}"
    );
}

#[test]
fn a_system_call_with_an_arena_address_fails_where_the_page_lacks_the_right() {
    let ran = ran(r#"
int main() {
    char *p = page();
    int zero = open("/dev/zero", O_RDONLY);
    long got = read(zero, p, 10);
    std::printf("%ld %d\n", got, errno == EFAULT);
    p[0] = 1;
    std::printf("%ld\n", (long)read(zero, p, 10));
}
"#);
    assert_eq!(ran.out, "-1 1\n10\n", "{ran:?}");
}

#[test]
fn exec_brings_an_arena_of_its_parent_and_a_failed_exec_keeps_the_old_one() {
    let ran = ran(r#"
int main(int argc, char **argv) {
    char *base = static_cast<char *>(VM_ARENA_BASEADDR);
    if (argc > 1) { std::printf("new image sees %c\n", base[9]); base[9] = 'n'; return base[9] == 'n' ? 0 : 1; }
    char *p = page(); p[9] = 'q';
    pid_t child = fork();
    if (child == 0) {
        p[9] = 'o';
        execl("/no/such/program", "x", (char *)nullptr);
        std::printf("after a failed exec %c\n", p[9]); std::fflush(stdout);
        execl(argv[0], argv[0], "again", (char *)nullptr);
    }
    int status = 1;
    waitpid(child, &status, 0);
    std::printf("parent sees %c, status %d\n", p[9], status);
}
"#);
    assert_eq!(ran.out, "after a failed exec o\nnew image sees q\nparent sees q, status 0\n", "{ran:?}");
}

#[test]
fn equal_runs_with_exec_give_equal_logs() {
    let place = Place::new();
    let body = r#"
int main(int argc, char **argv) {
    char *p = page(); p[0] = 1;
    if (argc > 1) { vm_yield(); return p[0] - 1; }
    for (int i = 0; i < 3; ++i) if (fork() == 0) { vm_yield(); execl(argv[0], argv[0], "again", (char *)nullptr); }
    while (wait(nullptr) > 0) p[0] = 2;
}
"#;
    let program = compiled(&place, "app", body);
    let log = || {
        let options = ["-m", "4", "-s", "40", "--log", "-", "--log-pids", "ordinal"];
        run_under(test_pager(), &place, &options, &[program.as_os_str()]).out
    };
    let first = log();
    assert_eq!(first.matches("vm_create\t").count(), 7, "{first}");
    for _ in 0..5 {
        assert!(log() == first, "the log of an equal run differs");
    }
}

#[test]
fn a_child_that_is_no_application_is_waited_for_as_well() {
    let ran = ran(r#"
int main() {
    char *p = page(); p[0] = 'p';
    pid_t child = fork();
    if (child == 0) { execl("/bin/sh", "sh", "-c", "sleep 0.5; exit 4", (char *)nullptr); }
    int status = 0;
    pid_t ended = wait(&status);
    std::printf("%d %d %c\n", ended == child, WEXITSTATUS(status), p[0]);
    pid_t none = wait(nullptr);
    std::printf("%d %d\n", none, errno == ECHILD);
}
"#);
    assert_eq!(ran.out, "1 4 p\n-1 1\n", "{ran:?}");
}

#[test]
fn fork_is_refused_without_a_child_when_swap_has_no_room() {
    let ran = ran(r#"
int main() {
    for (int i = 0; i < 25; ++i) page()[0] = 1;
    pid_t child = fork();
    std::printf("%d %d\n", child, errno == ENOMEM);
    pid_t none = wait(nullptr);
    std::printf("%d %d\n", none, errno == ECHILD);
}
"#);
    assert_eq!(ran.out, "-1 1\n-1 1\n", "{ran:?}");
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
