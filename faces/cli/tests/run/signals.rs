//! What is sent to the command reaches the program, once; what stops the one stops the other.

use crate::place::{Place, Running, says, state, until};
use rustix::process::Signal;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// Says the name of each signal it gets; USR2 ends it with 9.
const TELLS: &str =
    "for s in HUP INT QUIT USR1 ALRM TERM TSTP URG WINCH IO VTALRM; do trap \"echo got-$s\" $s; done
trap 'exit 9' USR2
echo ready
while :; do sleep 0.05; done";

#[test]
fn every_signal_that_can_be_sent_is_sent_on() {
    let Some(place) = Place::new() else { return };
    let run = Running::start(place.run(&[], &["bash", "-c", TELLS]));
    says(&run, "ready");
    for (signal, said) in [
        (Signal::HUP, "got-HUP"),
        (Signal::INT, "got-INT"),
        (Signal::QUIT, "got-QUIT"),
        (Signal::USR1, "got-USR1"),
        (Signal::ALARM, "got-ALRM"),
        (Signal::TERM, "got-TERM"),
        (Signal::TSTP, "got-TSTP"),
        (Signal::URG, "got-URG"),
        (Signal::WINCH, "got-WINCH"),
        (Signal::IO, "got-IO"),
        (Signal::VTALARM, "got-VTALRM"),
    ] {
        run.signal(signal);
        says(&run, said);
    }
    run.signal(Signal::USR2);
    let (status, _, err) = run.end();
    assert_eq!((status.code(), err.as_str()), (Some(9), ""));
    place.is_clean();
}

#[test]
fn a_signal_that_the_program_does_not_catch_ends_both() {
    let Some(place) = Place::new() else { return };
    let run = Running::start(place.run(&[], &["sh", "-c", "echo ready; exec sleep 60"]));
    says(&run, "ready");
    run.signal(Signal::TERM);
    assert_eq!(run.end().0.signal(), Some(15));
    place.is_clean();
}

#[test]
fn a_program_that_stops_stops_the_command_until_both_go_on() {
    let Some(place) = Place::new() else { return };
    let run = Running::start(place.run(&[], &["sh", "-c", "kill -STOP $$; echo on; exit 4"]));
    until("it is stopped", || (state(&run) == Some('T')).then_some(()));
    assert_eq!(run.out(), "");
    run.signal(Signal::CONT);
    let (status, out, _) = run.end();
    assert_eq!((status.code(), out.as_str()), (Some(4), "on\n"));
}

#[test]
fn what_the_command_is_started_to_ignore_its_program_ignores() {
    let Some(place) = Place::new() else { return };
    let run = place
        .run(&[], &["sh", "-c", "echo ready; kill -HUP $$; while [ ! -e go ]; do sleep 0.05; done; exit 6"]);
    let mut shell = Command::new("sh");
    let after_env = run.get_args().skip(1);
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).args(after_env);
    shell.current_dir(run.get_current_dir().expect("a place")).env("XDG_RUNTIME_DIR", place.sockets());
    let run = Running::start(shell);
    says(&run, "ready");
    run.signal(Signal::HUP);
    File::create(place.path("go")).expect("it is made");
    assert_eq!(run.end().0.code(), Some(6));
}

/// A terminal tells the whole foreground group: the program must hear of it once, the command live on, and the pager
/// take no notice.
#[test]
fn ctrl_c_reaches_the_program_once_and_ends_nothing_else() {
    let Some(place) = Place::new() else { return };
    let Some((mut keyboard, screen)) = terminal() else { return };
    let script = "n=0; trap 'n=$((n+1)); echo interrupted' INT; echo ready
while [ $n = 0 ]; do sleep 0.05; done; sleep 0.5; echo times-$n; exit 5";
    let run = place.run(&[], &["bash", "-c", script]);
    let mut session = Command::new("setsid");
    session.stdin(screen).args(["--ctty", "--wait"]).arg(run.get_program()).args(run.get_args());
    session.current_dir(run.get_current_dir().expect("a place")).env("XDG_RUNTIME_DIR", place.sockets());
    let run = Running::start(session);
    says(&run, "ready");
    std::io::Write::write_all(&mut keyboard, b"\x03").expect("a key is pressed");
    let (status, out, err) = run.end();
    assert!(out.ends_with("times-1\n"), "{out}{err}");
    assert_eq!((status.code(), err.as_str()), (Some(5), ""));
    place.becomes_clean();
}

/// A terminal's two ends; says loudly if there is none.
fn terminal() -> Option<(File, File)> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let open = || -> std::io::Result<(File, File)> {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&keyboard)?;
        unlockpt(&keyboard)?;
        let name = ptsname(&keyboard, Vec::new())?.into_string().map_err(std::io::Error::other)?;
        Ok((keyboard.into(), File::options().read(true).write(true).open(name)?))
    };
    if Command::new("setsid").arg("--version").output().is_err() {
        eprintln!("SKIPPED: setsid is not installed");
        return None;
    }
    open().inspect_err(|why| eprintln!("SKIPPED: no pseudo terminal: {why}")).ok()
}
