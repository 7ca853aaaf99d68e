//! Reads an event log back, line by line; no bytes whatever make it panic.

use crate::log::{BadLine, Expected, Header, LOG_VERSION, Line, MAX_LOG_LINE, Step};
use crate::log_parse::{Parsed, Words, Wrong, address};
use alloc::{borrow::ToOwned, string::String};
use mager_pager::Config;

/// Which line comes next.
#[derive(Clone, Debug)]
enum Place {
    Version,
    Config,
    Policy(Config),
    Seed(Config, String),
    Steps(u64),
    Ended,
}

/// A reader that is given one line after the other, and knows what may come where.
#[derive(Clone, Debug)]
pub struct LogReader {
    line: u64,
    place: Place,
}

impl Default for LogReader {
    fn default() -> Self {
        LogReader::new()
    }
}

impl LogReader {
    /// A reader at the beginning of a log.
    #[must_use]
    pub fn new() -> Self {
        LogReader { line: 0, place: Place::Version }
    }

    /// The number of the line read last, counted from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.line
    }

    /// How many steps were read.
    #[must_use]
    pub fn steps(&self) -> u64 {
        if let Place::Steps(steps) = self.place { steps } else { 0 }
    }

    /// Whether the line that ends a log was read. Without it the log was cut off.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.place, Place::Ended)
    }

    /// Reads the next line, with or without its line end. After an error, the line counts as not there.
    pub fn line<'a>(&mut self, bytes: &'a [u8]) -> Result<Line<'a>, BadLine> {
        self.line += 1;
        let line = self.line;
        text(bytes).and_then(|text| self.text(text)).map_err(|wrong| BadLine {
            line,
            expected: wrong.expected,
            found: wrong.found.map(shortened),
        })
    }

    fn text<'a>(&mut self, text: &'a str) -> Parsed<'a, Line<'a>> {
        let trimmed = text.trim_ascii();
        if let Some(note) = trimmed.strip_prefix('#')
            && !matches!(self.place, Place::Version)
        {
            return Ok(Line::Note(note.strip_prefix(' ').unwrap_or(note)));
        }
        if trimmed.is_empty() && !matches!(self.place, Place::Version) {
            return Ok(Line::Nothing);
        }
        let mut words = Words::of(trimmed);
        match &mut self.place {
            Place::Version => self.version(&mut words),
            Place::Config => self.config(&mut words),
            Place::Policy(config) => {
                let config = *config;
                self.policy(config, &mut words)
            }
            Place::Seed(config, policy) => {
                let (config, policy) = (*config, core::mem::take(policy));
                self.seed(config, policy, &mut words)
            }
            &mut Place::Steps(steps) => self.step(steps, &mut words),
            Place::Ended => Err(Wrong {
                expected: Expected::Kind("nothing after the end of the log"),
                found: Some(trimmed),
            }),
        }
    }

    fn version<'a>(&mut self, words: &mut Words<'a>) -> Parsed<'a, Line<'a>> {
        words.exactly("mager-events")?;
        let expected = Expected::Kind("version 3 of the event log");
        let word = words.next("version 3 of the event log")?;
        if word.parse() != Ok(LOG_VERSION) {
            return Err(Wrong { expected, found: Some(word) });
        }
        words.end(())?;
        self.place = Place::Config;
        Ok(Line::Nothing)
    }

    fn config<'a>(&mut self, words: &mut Words<'a>) -> Parsed<'a, Line<'a>> {
        words.exactly("config")?;
        let config = Config {
            page_size: words.small_field("page-size")?,
            arena_pages: words.small_field("arena-pages")?,
            arena_base: words.field("arena-base", "an address in hexadecimal (0x...)", address)?,
            frames: words.small_field("frames")?,
            swap_blocks: words.small_field("swap-blocks")?,
            references: words.word_field("references")?,
            sharing: words.word_field("sharing")?,
            low_water: words.small_field("low-water")?,
        };
        self.place = Place::Policy(words.end(config)?);
        Ok(Line::Nothing)
    }

    fn policy<'a>(&mut self, config: Config, words: &mut Words<'a>) -> Parsed<'a, Line<'a>> {
        words.exactly("policy")?;
        let name = words.next("the name of a policy")?;
        words.end(())?;
        self.place = Place::Seed(config, name.to_owned());
        Ok(Line::Nothing)
    }

    /// The policy's name was taken out of the place for this; it goes into the header, or back.
    fn seed<'a>(&mut self, config: Config, policy: String, words: &mut Words<'a>) -> Parsed<'a, Line<'a>> {
        let seed = words.exactly("seed").and_then(|()| words.number()).and_then(|seed| words.end(seed));
        match seed {
            Ok(seed) => {
                self.place = Place::Steps(0);
                Ok(Line::Header(Header { config, policy, seed }))
            }
            Err(wrong) => {
                self.place = Place::Seed(config, policy);
                Err(wrong)
            }
        }
    }

    fn step<'a>(&mut self, steps: u64, words: &mut Words<'a>) -> Parsed<'a, Line<'a>> {
        const LINE: &str = "a call, an event, an effect (map, unmap, zero, copy, read, write, empty, release or resume) or the end";
        match words.next(LINE)? {
            "call" => {
                let call = words.control()?;
                words.exactly("->")?;
                let outcome = words.outcome()?;
                self.count(steps, words.end(Step::Call(call, outcome))?)
            }
            "event" => {
                let event = words.event()?;
                self.count(steps, words.end(Step::Event(event))?)
            }
            "end" => {
                let counted = words.number()?;
                words.end(())?;
                self.place = Place::Ended;
                Ok(Line::End(counted))
            }
            name => match words.effect(name)? {
                Some(_) if steps == 0 => {
                    Err(Wrong { expected: Expected::Kind("a step before its effects"), found: Some(name) })
                }
                Some(effect) => words.end(Line::Effect(effect)),
                None => Err(Wrong { expected: Expected::Kind(LINE), found: Some(name) }),
            },
        }
    }

    fn count<'a>(&mut self, steps: u64, step: Step) -> Parsed<'a, Line<'a>> {
        self.place = Place::Steps(steps + 1);
        Ok(Line::Step(step))
    }
}

fn text(bytes: &[u8]) -> Parsed<'_, &str> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.len() > MAX_LOG_LINE {
        return Err(Wrong {
            expected: Expected::Kind("a line of at most 4096 bytes"),
            found: Some("a longer one"),
        });
    }
    core::str::from_utf8(bytes)
        .map_err(|_| Wrong { expected: Expected::Kind("text in UTF-8"), found: Some("other bytes") })
}

/// Enough of a word to recognise it by.
fn shortened(word: &str) -> String {
    const ENOUGH: usize = 40;
    let mut short: String = word.chars().take(ENOUGH).collect();
    if short.len() < word.len() {
        short.push_str("...");
    }
    short
}
