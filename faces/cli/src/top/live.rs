//! The loop: keys, answers of the pager, signals; and a new picture whenever something has changed.

use super::asker::Asker;
use super::draw;
use super::keys::{Do, pressed};
use super::model::Model;
use super::screen::Screen;
use super::signals::{self, ended_by};
use crate::failure::{Failure, Finished};
use ratatui::crossterm::event::{Event, KeyEventKind};
use std::path::Path;
use std::time::{Duration, Instant};

/// An answer is looked for so often; it seldom takes longer.
const SOON: Duration = Duration::from_millis(20);
/// Signals are looked for so often.
const NOW_AND_THEN: Duration = Duration::from_millis(250);
/// Silence that is worth telling.
const LATE: Duration = Duration::from_secs(2);

struct Live<'a> {
    model: &'a mut Model,
    asker: Asker,
    /// When the pager was asked last.
    asked: Instant,
    changed: bool,
}

/// Shows the pager until the user has enough, or it is gone.
pub(super) fn watch(path: &Path, mut model: Model) -> Result<Finished, Failure> {
    signals::listen()?;
    let asker = Asker::start(path)?;
    let mut live = Live { model: &mut model, asker, asked: Instant::now(), changed: true };
    let mut screen = Screen::enter()?;
    loop {
        if let Some(finished) = live.turn(&mut screen)? {
            return Ok(finished);
        }
    }
}

impl Live<'_> {
    fn turn(&mut self, screen: &mut Screen) -> Result<Option<Finished>, Failure> {
        if std::mem::take(&mut self.changed) {
            screen.draw(|frame| draw::screen(self.model, frame.area(), frame.buffer_mut()))?;
        }
        let event = screen.event(self.wait());
        if let Some(signal) = signals::came() {
            return Ok(Some(ended_by(signal)));
        }
        if let Some(event) = event?
            && let Some(finished) = self.happened(&event, screen)?
        {
            return Ok(Some(finished));
        }
        self.ask()?;
        Ok(None)
    }

    /// Until there is something to do.
    fn wait(&self) -> Duration {
        if self.asker.waits().is_some() {
            return SOON;
        }
        let due = self.model.interval.saturating_sub(self.asked.elapsed());
        if self.model.paused { NOW_AND_THEN } else { due.min(NOW_AND_THEN) }
    }

    fn happened(&mut self, event: &Event, screen: &mut Screen) -> Result<Option<Finished>, Failure> {
        let todo = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => pressed(*key, self.model),
            Event::Resize(..) => Do::Draw,
            _ => Do::Nothing,
        };
        self.changed |= todo != Do::Nothing;
        match todo {
            Do::Quit => return Ok(Some(Finished::Well)),
            Do::Interrupt => return Ok(Some(ended_by(signals::SIGINT))),
            Do::Suspend => screen.suspend()?,
            Do::Redraw => screen.forget()?,
            Do::Nothing | Do::Draw => {}
        }
        Ok(None)
    }

    fn ask(&mut self) -> Result<(), Failure> {
        if let Some(answer) = self.asker.answer() {
            self.model.take(answer?);
            self.changed = true;
        }
        let late = self.asker.waits().filter(|&waits| waits >= LATE);
        self.changed |= late.map(|late| late.as_secs()) != self.model.late.map(|late| late.as_secs());
        self.model.late = late;
        if !self.model.paused && self.asked.elapsed() >= self.model.interval {
            self.asker.ask();
            self.asked = Instant::now();
        }
        Ok(())
    }
}
