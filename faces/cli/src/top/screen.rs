//! The terminal while `mager top` has it: raw, on its second screen; and that it is given back, whatever happens.

use crate::failure::Failure;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor::Show, execute};
use ratatui::{DefaultTerminal, Frame, Terminal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, IsTerminal};
use std::mem::ManuallyDrop;
use std::time::Duration;

/// Whether there is a terminal to draw on.
pub fn check() -> Result<(), Failure> {
    let instead = "`mager top --once` prints one picture, `mager stat --watch` goes on";
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Failure::Use(format!(
            "mager top needs a terminal to draw on and to read keys from; {instead}"
        )));
    }
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(Failure::Use(format!("this terminal is dumb (TERM): it cannot be drawn on; {instead}")));
    }
    Ok(())
}

/// The terminal. It is given back when this is dropped, and before a panic is told.
///
/// What draws on it is never dropped itself: of a terminal that is gone it would complain, and to no one.
#[derive(Debug)]
pub struct Screen(ManuallyDrop<DefaultTerminal>);

impl Screen {
    /// Takes the terminal.
    pub fn enter() -> Result<Self, Failure> {
        before_panics();
        take().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout()))).map_or_else(
            |why| {
                give_back();
                Err(Failure::Use(format!("the terminal cannot be drawn on: {why}")))
            },
            |terminal| Ok(Screen(ManuallyDrop::new(terminal))),
        )
    }

    /// Draws what has changed.
    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> Result<(), Failure> {
        self.0.draw(picture).map(drop).map_err(Failure::Output)
    }

    /// What the user does, if it is done within `wait`.
    pub fn event(&mut self, wait: Duration) -> Result<Option<Event>, Failure> {
        // Of a terminal that is gone crossterm would read for ever, so it is asked only about one that is there.
        let stdin = io::stdin();
        let mut input = [PollFd::new(&stdin, PollFlags::IN)];
        let wait = Timespec::try_from(wait).unwrap_or_default();
        // An interruption may be a new size.
        let _ = poll(&mut input, Some(&wait));
        if input[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(Failure::Run("the terminal is gone".into()));
        }
        let any = event::poll(Duration::ZERO).map_err(Failure::Output)?;
        if any { event::read().map(Some).map_err(Failure::Output) } else { Ok(None) }
    }

    /// Draws everything at the next time.
    pub fn forget(&mut self) -> Result<(), Failure> {
        // Not `clear`, which asks the terminal where its cursor is, and waits for an answer.
        let area = self.0.get_frame().area();
        self.0.resize(area).map_err(Failure::Output)
    }

    /// Gives the terminal to the shell, and takes it again when the user comes back.
    pub fn suspend(&mut self) -> Result<(), Failure> {
        give_back();
        let stopped = kill_process(getpid(), Signal::TSTP).map_err(io::Error::from);
        stopped.and_then(|()| take()).map_err(Failure::Output)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen)
}

/// A terminal that is gone cannot be given back; whoever it belonged to does not mind.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
}

/// On the second screen, and with lines that do not begin where they should, nobody could read why.
fn before_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |why| {
        give_back();
        told(why);
    }));
}
