//! Writes the event log as the run goes on.

use crate::log::{Header, LOG_VERSION, Line, MAX_LOG_LINE, Step};
use crate::log_words::{Spelled, Word};
use crate::{Control, Outcome, Recorder};
use core::fmt::{self, Write};
use mager_pager::{Config, Effect, Event};

/// Records a run as text, into anything that takes text.
///
/// A recorder cannot fail, so a failure to write is kept, nothing more is written, and [`LogWriter::finish`] tells.
#[derive(Debug)]
pub struct LogWriter<W> {
    out: W,
    steps: u64,
    written: fmt::Result,
}

impl<W: Write> LogWriter<W> {
    /// A log that begins with `header`.
    pub fn new(out: W, header: &Header) -> Self {
        let mut log = LogWriter { out, steps: 0, written: Ok(()) };
        log.line(format_args!("mager-events {LOG_VERSION}"));
        log.line(format_args!("{}", Spelled(header.config)));
        log.line(format_args!("policy {}", header.policy));
        log.line(format_args!("seed {}", header.seed));
        log
    }

    /// Adds a note for people, as comment lines. Control characters are escaped, and what is too long is cut.
    pub fn note(&mut self, note: impl fmt::Display) {
        if self.written.is_ok() {
            let mut comment = Comment { out: &mut self.out, column: 0 };
            self.written = write!(comment, "{note}").and_then(|()| comment.end());
        }
    }

    /// How many steps were written.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Where the text goes, to be flushed or looked at.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the log, so that a reader knows that nothing is missing. An error if anything could not be written.
    pub fn finish(mut self) -> Result<W, fmt::Error> {
        let steps = self.steps;
        self.line(format_args!("end {steps}"));
        self.written.map(|()| self.out)
    }

    /// One step and its effects.
    pub fn step(&mut self, step: &Step, effects: &[Effect]) {
        self.steps += 1;
        match *step {
            Step::Call(call, outcome) => {
                self.line(format_args!("call {} -> {}", Spelled(call), Spelled(outcome)));
            }
            Step::Event(event) => self.line(format_args!("event {}", Spelled(event))),
        }
        for &effect in effects {
            self.line(format_args!("  {}", Spelled(effect)));
        }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        if self.written.is_ok() {
            self.written = self.out.write_fmt(line).and_then(|()| self.out.write_char('\n'));
        }
    }
}

impl<W: Write> Recorder for LogWriter<W> {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.step(&Step::Call(*call, *outcome), effects);
    }

    fn event(&mut self, event: &Event, effects: &[Effect]) {
        self.step(&Step::Event(*event), effects);
    }

    fn note(&mut self, text: fmt::Arguments<'_>) {
        LogWriter::note(self, text);
    }
}

impl fmt::Display for Spelled<Config> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config {
            page_size,
            arena_pages,
            arena_base,
            frames,
            swap_blocks,
            references,
            sharing,
            low_water,
        } = self.0;
        write!(f, "config page-size={page_size} arena-pages={arena_pages} arena-base={arena_base:#x} ")?;
        write!(f, "frames={frames} swap-blocks={swap_blocks} ")?;
        write!(f, "references={} sharing={} low-water={low_water}", references.word(), sharing.word())
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Nothing => Ok(()),
            Line::Note(note) => write!(f, "# {note}"),
            Line::Header(header) => {
                write!(f, "{}, policy {}, seed {}", Spelled(header.config), header.policy, header.seed)
            }
            Line::Step(Step::Call(call, outcome)) => {
                write!(f, "call {} -> {}", Spelled(*call), Spelled(*outcome))
            }
            Line::Step(Step::Event(event)) => write!(f, "event {}", Spelled(*event)),
            Line::Effect(effect) => write!(f, "  {}", Spelled(*effect)),
            Line::End(steps) => write!(f, "end {steps}"),
        }
    }
}

/// Turns any text into comment lines that a log can hold.
struct Comment<'a, W> {
    out: &'a mut W,
    /// Bytes in this line so far.
    column: usize,
}

impl<W: Write> Comment<'_, W> {
    /// Room for the three dots that say that something was cut, and for the longest escape.
    const FULL: usize = MAX_LOG_LINE - 16;

    fn end(&mut self) -> fmt::Result {
        self.open()?;
        self.column = 0;
        self.out.write_char('\n')
    }

    fn open(&mut self) -> fmt::Result {
        if self.column == 0 {
            self.column = 2;
            self.out.write_str("# ")?;
        }
        Ok(())
    }

    fn put(&mut self, c: char) -> fmt::Result {
        if self.column >= Self::FULL {
            let first = self.column == Self::FULL;
            self.column = Self::FULL + 1;
            return if first { self.out.write_str("...") } else { Ok(()) };
        }
        self.column = (self.column + c.len_utf8()).min(Self::FULL);
        self.out.write_char(c)
    }
}

impl<W: Write> Write for Comment<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\n' => self.end()?,
                c if c.is_control() => {
                    self.open()?;
                    c.escape_default().try_for_each(|c| self.put(c))?;
                }
                c => {
                    self.open()?;
                    self.put(c)?;
                }
            }
        }
        Ok(())
    }
}
