//! `mager top` in a real terminal, beside a real pager: what it shows, what keys do, and how the terminal is given back.

use crate::place::{Running, until};
use crate::pty::Terminal;
use crate::run::{command, finish, mager};
use crate::serve::Place;
use mager::{OnPagerDeath, Pager, Region};
use rustix::process::{Signal, kill_process};
use std::path::Path;

const MAGER: &str = env!("CARGO_BIN_EXE_mager");

/// `mager top`, asking often.
fn top(place: &Place) -> Terminal {
    let socket = place.socket();
    let socket = socket.to_str().expect("UTF-8");
    let top = Terminal::start(MAGER, ["top", "--interval", "0.1", "--socket", socket]);
    top.shows(&["mager top", "q quit"]);
    top
}

/// 16 MiB of a client, which is this process.
fn client(socket: &Path) -> (Pager, Region<u64>) {
    let pager = Pager::join_for(socket, OnPagerDeath::Stall).expect("it is joined");
    let mut words = pager.arena().expect("an arena").region::<u64>(2 << 20).expect("16 MiB");
    words.fill(3);
    (pager, words)
}

#[test]
fn a_running_pager_is_shown_and_keys_work() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&["--compressed", "1M"]);
    let _client = client(&place.socket());
    let top = top(&place);
    let pid = format!("{} command", std::process::id());
    let shown = top.shows(&[
        "s3-fifo",
        "memory ",
        " of 1M",
        "packed ",
        "16M reserved",
        "\u{25bc}FAULTS/S",
        "arena 0 of",
    ]);
    assert!(shown.lines().any(|line| line.trim_start().starts_with(&pid)), "{shown}");
    top.types("m");
    top.shows(&["\u{25bc}MEMORY"]);
    top.types("m");
    top.shows(&["\u{25b2}MEMORY"]);
    top.types("?");
    top.shows(&[" keys ", "turned round"]);
    top.types("\u{1b}");
    until("the help is gone", || (!top.text().contains(" keys ")).then_some(()));
    top.types("++");
    top.shows(&["every 0.5 s"]);
    top.types(" ");
    let paused = top.shows(&["paused"]);
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(top.text(), paused, "a paused picture stands still");
    top.types("-- ");
    top.shows(&["every 0.1 s"]);
    top.types("q");
    let (status, left) = top.end();
    assert_eq!((status.code(), left.trim()), (Some(0), ""));
}

#[test]
fn the_picture_follows_the_size_of_the_terminal() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&[]);
    let top = top(&place);
    for (columns, rows) in [(120, 40), (60, 16), (80, 24)] {
        top.resize(columns, rows);
        let fits = || {
            let text = top.text();
            let last = text.lines().nth(usize::from(rows) - 1)?;
            last.starts_with("q quit").then_some(())
        };
        until("the last line is the last of the terminal", fits);
    }
    top.resize(40, 10);
    top.shows(&["The terminal is too small: 40x10"]);
    top.types("q");
    assert_eq!(top.end().0.code(), Some(0));
}

#[test]
fn control_c_and_signals_give_the_terminal_back() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&[]);
    let interrupted = top(&place);
    interrupted.types("\u{3}");
    assert_eq!(interrupted.end().0.code(), Some(130));
    for (signal, code) in [(Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131), (Signal::TERM, 143)] {
        let top = top(&place);
        kill_process(top.pid(), signal).expect("it is there");
        assert_eq!(top.end().0.code(), Some(code));
    }
}

/// Of a terminal that is gone one can read for ever.
#[test]
fn when_the_terminal_is_gone_so_is_the_picture() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&[]);
    let socket = place.socket();
    let socket = socket.to_str().expect("UTF-8");
    let status = crate::pty::lost(MAGER, ["top", "--interval", "0.1", "--socket", socket], "q quit");
    // The signal, or what was read, whichever came first.
    assert!([Some(1), Some(129)].contains(&status.code()), "{status}");
}

#[test]
fn when_the_pager_dies_that_is_said_on_a_terminal_as_it_was() {
    let Some(place) = Place::new() else { return };
    for signal in [Signal::KILL, Signal::TERM] {
        let serving = place.serve(&[]);
        let top = top(&place);
        serving.signal(signal);
        let (status, left) = top.end();
        assert_eq!(status.code(), Some(1), "{left}");
        assert!(left.starts_with("mager: the pager went away: "), "{left}");
        assert!(left.contains("no pager serves there"), "{left}");
        let _ = serving.end();
    }
}

#[test]
fn a_pager_that_does_not_answer_is_told_and_keys_work_nevertheless() {
    let Some(place) = Place::new() else { return };
    let serving = place.serve(&[]);
    let top = top(&place);
    serving.signal(Signal::STOP);
    top.shows(&["no answer for 2 s"]);
    serving.signal(Signal::CONT);
    top.shows(&["every 0.1 s"]);
    serving.signal(Signal::STOP);
    top.shows(&["no answer for"]);
    top.types("q");
    assert_eq!(top.end().0.code(), Some(0));
    serving.signal(Signal::CONT);
}

/// Under a shell with job control: Ctrl-Z gives it the terminal, `fg` takes it back.
#[test]
fn control_z_suspends_and_comes_back() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&[]);
    let script =
        r#""$1" top --interval 0.1 --socket "$2"; echo "suspended $?"; read line; fg; echo "ended $?""#;
    let socket = place.socket();
    let socket = socket.to_str().expect("UTF-8");
    let shell = Terminal::start("bash", ["-mc", script, "bash", MAGER, socket]);
    shell.shows(&["q quit"]);
    shell.types("\u{1a}");
    shell.shows(&["suspended 148"]);
    assert!(!shell.is_drawn_on(), "{}", shell.text());
    shell.types("go on\n");
    shell.shows(&["mager top", "q quit"]);
    assert!(shell.is_drawn_on());
    shell.types("q");
    let (_, left) = shell.end();
    assert!(left.contains("ended 0"), "{left}");
}

const PANICS: &str = "MAGER_TEST_PANICS";

/// In a process and a terminal of its own.
#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    if std::env::var_os(PANICS).is_some() {
        let mut screen = mager_cli::top::screen::Screen::enter().expect("a terminal");
        screen.draw(|frame| frame.render_widget("drawn", frame.area())).expect("it can be drawn on");
        // Until the test has seen it.
        let _ = std::io::stdin().read_line(&mut String::new());
        panic!("of the test");
    }
    let test = std::env::current_exe().expect("it knows itself");
    let name = "top::a_panic_gives_the_terminal_back_and_is_told";
    let arguments = ["--exact", name, "--nocapture", "--test-threads=1"];
    let inner = Terminal::start_as("xterm", test, arguments, &[(PANICS, "1"), ("RUST_BACKTRACE", "0")]);
    inner.shows(&["drawn"]);
    assert!(inner.is_drawn_on());
    inner.types("\n");
    let (status, left) = inner.end();
    assert!(!status.success() && left.contains("panicked") && left.contains("of the test"), "{left}");
}

#[test]
fn without_a_terminal_or_a_pager_it_says_so() {
    let ran = mager(["top", "--socket", "/nowhere/socket"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("needs a terminal") && ran.err.contains("mager top --once"), "{}", ran.err);
    let ran = mager(["top", "--once", "--socket", "/nowhere/socket"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("/nowhere/socket: no pager serves there"), "{}", ran.err);
    let dumb = Terminal::start_as("dumb", MAGER, ["top", "--socket", "/nowhere/socket"], &[]);
    let (status, left) = dumb.end();
    assert_eq!(status.code(), Some(2));
    assert!(left.contains("this terminal is dumb"), "{left}");
    let none = Terminal::start(MAGER, ["top", "--socket", "/nowhere/socket"]);
    let (status, left) = none.end();
    assert_eq!(status.code(), Some(2));
    assert!(left.contains("no pager serves there"), "{left}");
}

#[test]
fn one_picture_is_printed_without_a_terminal() {
    let Some(place) = Place::new() else { return };
    let _serving = place.serve(&[]);
    let (_pager, _words) = client(&place.socket());
    let mut once = command();
    once.args(["top", "--once", "--interval", "0.05", "--socket"]).arg(place.socket());
    let ran = finish(once.env("LC_ALL", "C"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.is_ascii() && !ran.out.contains('\u{1b}'), "{}", ran.out);
    let pid = std::process::id().to_string();
    assert!(ran.out.lines().any(|line| line.trim_start().starts_with(&pid)), "{}", ran.out);
    assert!(ran.out.contains("HOTTEST") && !ran.out.contains("q quit"), "{}", ran.out);
}

/// A socket in a directory for everybody can be anyone's, and whoever has the pager has the memory.
#[test]
fn a_pager_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: only root can start a pager of another user");
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .expect("it is ours");
    let socket = dir.path().join("socket");
    let mut serve = command();
    serve.args(["serve", "--memory", "4M", "--swap", "8M", "--swap-dir"]).arg(dir.path());
    serve.arg("--socket").arg(&socket);
    std::os::unix::process::CommandExt::uid(&mut serve, 65_534);
    if let Err(why) = serve.spawn().and_then(|mut child| child.kill().and_then(|()| child.wait())) {
        return eprintln!("SKIPPED: another user cannot run {MAGER}: {why}");
    }
    let serving = Running::start(serve);
    until("it serves", || serving.err().contains("mager: serving").then_some(()));
    for words in [["stat"].as_slice(), &["top", "--once"]] {
        let ran = finish(command().args(words).arg("--socket").arg(&socket));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{words:?}: {}", ran.err);
        assert!(ran.err.contains("belongs to user 65534, not to you"), "{words:?}: {}", ran.err);
    }
    let refused = Pager::join_for(&socket, OnPagerDeath::Stall).expect_err("it is another's");
    assert!(refused.to_string().contains("belongs to user 65534"), "{refused}");
}
