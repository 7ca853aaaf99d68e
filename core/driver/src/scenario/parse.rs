//! Reads a scenario: one line, one command; never panics, whatever the text.

use super::{Command, Direction, Line, Place, Problem, Scenario, ScenarioError, Setup, Target};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::str::SplitWhitespace;
use mager_pager::{Access, Config, Pages, References, Sharing, VirtPage};
use mager_policies::Any;

/// The most frames, swap blocks and pages of an arena: a scenario is told by hand.
const MOST: u32 = 1 << 20;

impl Scenario {
    /// Reads a whole text.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut setup = None;
        let mut commands = Vec::new();
        let mut last = 0;
        for (line, number) in text.lines().zip(1..) {
            last = number;
            let Some(mut words) = Words::of(line) else { continue };
            let at = |problem| ScenarioError { line: number, problem };
            if setup.is_none() {
                setup = Some(words.setup().map_err(at)?);
            } else {
                commands.push(Line { number, command: words.command().map_err(at)? });
            }
        }
        let setup = setup.ok_or(ScenarioError { line: last + 1, problem: Problem::NoPager })?;
        Ok(Scenario { setup, commands })
    }
}

/// What is left of a line.
pub(super) struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    /// The words of a line that says something: not a recorded effect, not a comment, not empty.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        if line.starts_with(char::is_whitespace) {
            return None;
        }
        let words = line.split('#').next()?;
        (!words.trim().is_empty()).then(|| Words(words.split_whitespace()))
    }

    fn setup(&mut self) -> Result<Setup, Problem> {
        self.keyword("pager", "`pager`")?;
        let mut config = Config { arena_pages: 8, ..Config::course(0, 16) };
        let mut policy = "clock".to_owned();
        for word in self.0.by_ref() {
            set(&mut config, &mut policy, word)?;
        }
        let config = config.checked().map_err(Problem::BadConfig)?;
        Any::new(&policy, 1).map_err(Problem::UnknownPolicy)?;
        Ok(Setup { config, policy })
    }

    fn command(&mut self) -> Result<Command, Problem> {
        let verb = self.0.next().unwrap_or_default();
        let command = match verb {
            "create" => Command::Create(self.name()?),
            "fork" => Command::Fork(self.name()?, self.name()?),
            "destroy" => Command::Destroy(self.name()?),
            "map" => Command::Map(self.name()?, self.target()?, self.range_after("at")?),
            "unmap" => Command::Unmap(self.name()?, self.range()?),
            "discard" => Command::Discard(self.name()?, self.range()?),
            "read" => Command::Access(self.place()?, Access::Read),
            "write" => Command::Access(self.place()?, Access::Write),
            "fault" => {
                let access = self.access()?;
                Command::Fault(self.place()?, access)
            }
            "ahead" => {
                let access = self.guess()?;
                Command::Ahead(self.place()?, access)
            }
            "pin" => Command::Pin(self.place()?, self.access()?),
            "unpin" => Command::Unpin(self.place()?),
            "withhold" => Command::Withhold(self.number()?),
            "restore" => Command::Restore(self.number()?),
            "disown" => Command::Disown(self.place()?),
            "flush" => Command::Flush(self.0.next().map(ToOwned::to_owned)),
            "answer" => self.answer(true)?,
            "fail" => self.answer(false)?,
            "evict" => Command::Evict(self.place()?),
            "tick" => Command::Tick,
            word => return Err(Problem::Expected { what: "a command", found: Some(word.to_owned()) }),
        };
        match self.0.next() {
            Some(word) => {
                Err(Problem::Expected { what: "the end of the line", found: Some(word.to_owned()) })
            }
            None => Ok(command),
        }
    }

    fn word(&mut self, what: &'static str) -> Result<&'a str, Problem> {
        self.0.next().ok_or(Problem::Expected { what, found: None })
    }

    fn name(&mut self) -> Result<String, Problem> {
        self.word("a name").map(ToOwned::to_owned)
    }

    fn number(&mut self) -> Result<u32, Problem> {
        number(self.word("a number")?)
    }

    fn keyword(&mut self, keyword: &str, what: &'static str) -> Result<(), Problem> {
        match self.word(what)? {
            word if word == keyword => Ok(()),
            word => Err(Problem::Expected { what, found: Some(word.to_owned()) }),
        }
    }

    fn place(&mut self) -> Result<Place, Problem> {
        Ok(Place { arena: self.name()?, page: self.number()? })
    }

    fn direction(&mut self) -> Result<Direction, Problem> {
        match self.word("`read` or `write`")? {
            "read" => Ok(Direction::Read),
            "write" => Ok(Direction::Write),
            word => Err(Problem::Expected { what: "`read` or `write`", found: Some(word.to_owned()) }),
        }
    }

    fn access(&mut self) -> Result<Access, Problem> {
        Ok(match self.direction()? {
            Direction::Read => Access::Read,
            Direction::Write => Access::Write,
        })
    }

    /// An access, or the mere guess that there will be one.
    fn guess(&mut self) -> Result<Access, Problem> {
        if self.0.clone().next() == Some("trap") {
            self.0.next();
            return Ok(Access::Trap);
        }
        self.access()
    }

    fn target(&mut self) -> Result<Target, Problem> {
        match self.word("`swap` or `file`")? {
            "swap" => Ok(Target::Swap),
            "file" => Ok(Target::File(self.name()?, self.number()?)),
            word => Err(Problem::Expected { what: "`swap` or `file`", found: Some(word.to_owned()) }),
        }
    }

    /// `START`, or `START count COUNT`.
    fn range(&mut self) -> Result<Pages, Problem> {
        let start = VirtPage(self.number()?);
        match self.0.next() {
            None => Ok(Pages::one(start)),
            Some("count") => Ok(Pages { start, count: self.number()? }),
            Some(word) => Err(Problem::Expected { what: "`count`", found: Some(word.to_owned()) }),
        }
    }

    fn range_after(&mut self, keyword: &'static str) -> Result<Option<Pages>, Problem> {
        match self.0.next() {
            None => Ok(None),
            Some(word) if word == keyword => self.range().map(Some),
            Some(word) => Err(Problem::Expected { what: "`at`", found: Some(word.to_owned()) }),
        }
    }

    fn answer(&mut self, well: bool) -> Result<Command, Problem> {
        if well && self.0.clone().next() == Some("all") {
            self.0.next();
            return Ok(Command::AnswerAll);
        }
        Ok(Command::Answer { io: self.direction()?, frame: self.number()?, well })
    }
}

fn number(word: &str) -> Result<u32, Problem> {
    word.parse().map_err(|_| Problem::Expected { what: "a number", found: Some(word.to_owned()) })
}

fn limited(word: &str, what: &'static str) -> Result<u32, Problem> {
    let number = number(word)?;
    if number <= MOST { Ok(number) } else { Err(Problem::TooMany { what, most: MOST }) }
}

/// One `key=value` of the first line.
fn set(config: &mut Config, policy: &mut String, word: &str) -> Result<(), Problem> {
    let expected = |what| Problem::Expected { what, found: Some(word.to_owned()) };
    let (key, value) = word.split_once('=').ok_or(expected("`key=value`"))?;
    match key {
        "frames" => config.frames = limited(value, "frames")?,
        "swap" => config.swap_blocks = limited(value, "swap blocks")?,
        "arena" => config.arena_pages = limited(value, "pages of an arena")?,
        "low-water" => config.low_water = limited(value, "frames")?,
        "policy" => value.clone_into(policy),
        "references" => {
            config.references = match value {
                "trap" => References::Trap,
                "hardware" => References::Hardware,
                "sticky" => References::Sticky,
                "none" => References::None,
                _ => return Err(expected("`trap`, `hardware` or `none`")),
            }
        }
        "sharing" => {
            config.sharing = match value {
                "frame" => Sharing::Frame,
                "place" => Sharing::Place,
                _ => return Err(expected("`frame` or `place`")),
            }
        }
        _ => return Err(expected("frames, swap, arena, references, sharing, policy or low-water")),
    }
    Ok(())
}
