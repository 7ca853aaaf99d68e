//! A terminal of which a test is the other side: it types, resizes, and reads what is shown.

use crate::place::until;
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use vt100::Parser;

pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    screen: Arc<Mutex<Parser>>,
    reader: Option<JoinHandle<()>>,
    modes: LocalModes,
}

impl Terminal {
    /// A program in a terminal of its own, 80x24.
    pub fn start<S: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::start_as("xterm-256color", program, arguments, &[])
    }

    pub fn start_as<S: AsRef<OsStr>>(
        term: &str,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
        environment: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = open().expect("a terminal");
        pty.resize(Size::new(24, 80)).expect("it takes a size");
        let modes = modes(&pty);
        let command = Command::new(program).args(arguments).env("TERM", term).env("LC_ALL", "C.UTF-8");
        let child = command.envs(environment.iter().copied()).spawn(pts).expect("it starts");
        let (pty, screen) = (Arc::new(pty), Arc::new(Mutex::new(parser())));
        let reader = std::thread::spawn({
            let (pty, screen) = (Arc::clone(&pty), Arc::clone(&screen));
            move || read(&pty, &screen)
        });
        Terminal { pty, child, screen, reader: Some(reader), modes }
    }

    pub fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).expect("it takes keys");
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let size = |number: u16| number.try_into().expect("not zero");
        lock(&self.screen).screen_mut().set_size(size(rows), size(columns));
        self.pty.resize(Size::new(rows, columns)).expect("it takes a size");
    }

    /// What it shows now.
    pub fn text(&self) -> String {
        lock(&self.screen).screen().contents()
    }

    /// Waits until it shows all of this.
    #[track_caller]
    pub fn shows(&self, parts: &[&str]) -> String {
        let what = format!("the terminal shows {parts:?}");
        until(&what, || {
            let text = self.text();
            parts.iter().all(|part| text.contains(part)).then_some(text)
        })
    }

    /// Whether a picture is there, and not lines one after another.
    pub fn is_drawn_on(&self) -> bool {
        lock(&self.screen).screen().alternate_screen()
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        pid.expect("a process id")
    }

    /// Waits for the program's end; what is left on the terminal, which must be as it was before.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = until("it ends", || self.child.try_wait().expect("it is a child"));
        let modes = modes(&self.pty);
        self.reader.take().map(JoinHandle::join).expect("a reader").expect("it reads to the end");
        let parser = lock(&self.screen);
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", screen.contents());
        assert!(modes == self.modes && modes.contains(LocalModes::ECHO | LocalModes::ICANON), "{modes:?}");
        (status, screen.contents())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program ends whose terminal goes away once it shows `what`, as when a connection is lost.
pub fn lost<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    what: &str,
) -> ExitStatus {
    let (mut pty, pts) = open().expect("a terminal");
    pty.resize(Size::new(24, 80)).expect("it takes a size");
    let command = Command::new(program).args(arguments).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
    let mut child = command.spawn(pts).expect("it starts");
    let (mut screen, mut bytes) = (parser(), [0; 4096]);
    while !screen.screen().contents().contains(what) {
        let count = pty.read(&mut bytes).expect("it goes on");
        screen.process(&bytes[..count]);
    }
    drop(pty);
    until("it ends", || child.try_wait().expect("it is a child"))
}

fn parser() -> Parser {
    let size = |number: u16| number.try_into().expect("not zero");
    Parser::new(size(24), size(80), 0)
}

fn lock(screen: &Mutex<Parser>) -> MutexGuard<'_, Parser> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn modes(pty: &Pty) -> LocalModes {
    tcgetattr(pty).expect("it is a terminal").local_modes
}

/// Until nobody has the terminal any more.
fn read(mut pty: &Pty, screen: &Mutex<Parser>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = pty.read(&mut bytes) {
        lock(screen).process(&bytes[..count]);
    }
}
