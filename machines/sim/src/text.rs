//! Scenarios as text: the pager on the first line, the world around it on the second, then one operation a line.
//!
//! ```text
//! pager frames=2 swap=4 arena=4 references=trap sharing=frame policy=clock low-water=0
//! world files=1 blocks=2 cpus=2 async
//! create A
//! map A swap
//! cpu 0 write A 0 word 1
//! fork A B
//! answer write 1
//! ```
//! `#` begins a comment. Printing and parsing are inverse to each other.

use crate::op::{CpuNo, Direction, How, Mapped, Name, Op};
use crate::setup::{NAMES, Setup, WORDS, policies};
use mager_pager::{Access, BlockNo, FrameNo, ObjectNo, References, Sharing, VirtPage};
use std::fmt;
use std::str::FromStr;

/// A world and what happens in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// The world.
    pub setup: Setup,
    /// What happens.
    pub ops: Vec<Op>,
}

/// A text that is no scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadScenario {
    /// The line, from 1.
    pub line: usize,
    /// What was expected there.
    pub expected: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for BadScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, found \"{}\"", self.line, self.expected, self.found)
    }
}

impl std::error::Error for BadScenario {}

const HOWS: [(&str, How); 5] = [
    ("answer", How::Fine),
    ("fail", How::Fails),
    ("tear", How::Tears),
    ("fail-late", How::FailsLate),
    ("lie", How::Lies),
];

const DIRECTIONS: [(&str, Direction); 2] = [("read", Direction::Read), ("write", Direction::Write)];

const REFERENCES: [(&str, References); 4] = [
    ("hardware", References::Hardware),
    ("sticky", References::Sticky),
    ("trap", References::Trap),
    ("none", References::None),
];

const SHARINGS: [(&str, Sharing); 2] = [("frame", Sharing::Frame), ("place", Sharing::Place)];

/// A faint guess of an access, and the accesses.
const GUESSES: [(&str, Access); 3] =
    [("trap", Access::Trap), ("read", Access::Read), ("write", Access::Write)];

/// The word for a value, which is in its table.
fn word_for<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, other)| *other == value).map_or("read", |(word, _)| word)
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = |access| word_for(&GUESSES, access);
        match *self {
            Op::Create(name) => write!(f, "create {name}"),
            Op::Fork(parent, child) => write!(f, "fork {parent} {child}"),
            Op::Destroy(name) => write!(f, "destroy {name}"),
            Op::Map(name, what) => write!(f, "map {name} {what}"),
            Op::MapAt(name, what, at, count) => write!(f, "map {name} {what} at {at} count {count}"),
            Op::Unmap(name, at, count) => write!(f, "unmap {name} {at} count {count}"),
            Op::Discard(name, at, count) => write!(f, "discard {name} {at} count {count}"),
            Op::Ahead(name, page, right) => write!(f, "ahead {} {name} {page}", access(right)),
            Op::Touch(CpuNo(cpu), name, page, access, word) => {
                write!(f, "cpu {cpu} {} {name} {page} word {word}", word_for(&GUESSES, access))
            }
            Op::Run(CpuNo(cpu)) => write!(f, "cpu {cpu} goes on"),
            Op::Pin(name, page, right) => write!(f, "pin {name} {page} {}", access(right)),
            Op::Unpin(name, page) => write!(f, "unpin {name} {page}"),
            Op::Withhold(count) => write!(f, "withhold {count}"),
            Op::Restore(count) => write!(f, "restore {count}"),
            Op::Flush(None) => f.write_str("flush"),
            Op::Flush(Some(object)) => write!(f, "flush {object}"),
            Op::Answer(direction, frame, how) => {
                write!(f, "{} {} {frame}", word_for(&HOWS, how), word_for(&DIRECTIONS, direction))
            }
            Op::Next(how) => write!(f, "next {}", word_for(&HOWS, how)),
            Op::Harvest => f.write_str("harvest"),
            Op::Tick => f.write_str("tick"),
            Op::Lose(name, page) => write!(f, "lose {name} {page}"),
            Op::Spurious(name, page, right) => write!(f, "fault {} {name} {page}", access(right)),
            Op::Stale(name, page) => write!(f, "stale {name} {page}"),
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let references = word_for(&REFERENCES, self.references);
        let sharing = word_for(&SHARINGS, self.sharing);
        write!(f, "pager frames={} swap={} arena={}", self.frames, self.swap_blocks, self.arena_pages)?;
        write!(f, " references={references} sharing={sharing}")?;
        writeln!(f, " policy={} low-water={}", self.policy, self.low_water)?;
        write!(f, "world files={} blocks={} cpus={}", self.files, self.blocks, self.cpus)?;
        let flags = [(self.asynchronous, " async"), (self.eager, " eager")];
        flags.iter().filter(|(on, _)| *on).try_for_each(|(_, word)| f.write_str(word))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setup)?;
        self.ops.iter().try_for_each(|op| writeln!(f, "{op}"))
    }
}

/// The words of one line, taken one by one.
struct Words<'a> {
    words: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
    line: usize,
}

type Parsed<T> = Result<T, BadScenario>;

impl<'a> Words<'a> {
    fn wrong<T>(&self, expected: &'static str, found: Option<&str>) -> Parsed<T> {
        let found = found.unwrap_or("the end of the line").to_owned();
        Err(BadScenario { line: self.line, expected, found })
    }

    fn word(&mut self, expected: &'static str) -> Parsed<&'a str> {
        match self.words.next() {
            Some(word) => Ok(word),
            None => self.wrong(expected, None),
        }
    }

    fn literal(&mut self, literal: &'static str) -> Parsed<()> {
        let word = self.word(literal)?;
        if word == literal { Ok(()) } else { self.wrong(literal, Some(word)) }
    }

    fn number<T: FromStr>(&mut self, expected: &'static str) -> Parsed<T> {
        let word = self.word(expected)?;
        word.parse().or_else(|_| self.wrong(expected, Some(word)))
    }

    fn one_of<T: Copy>(&mut self, table: &[(&'static str, T)], expected: &'static str) -> Parsed<T> {
        let word = self.word(expected)?;
        match table.iter().find(|(known, _)| *known == word) {
            Some((_, value)) => Ok(*value),
            None => self.wrong(expected, Some(word)),
        }
    }

    fn name(&mut self) -> Parsed<Name> {
        let word = self.word("the name of an arena, A to H")?;
        match word.as_bytes() {
            [letter @ b'A'..=b'Z'] if letter - b'A' < NAMES => Ok(Name(letter - b'A')),
            _ => self.wrong("the name of an arena, A to H", Some(word)),
        }
    }

    fn page(&mut self) -> Parsed<VirtPage> {
        self.number("the number of a page").map(VirtPage)
    }

    fn count(&mut self) -> Parsed<u8> {
        self.literal("count")?;
        self.number("how many pages")
    }

    fn access(&mut self) -> Parsed<Access> {
        self.one_of(&GUESSES[1..], "read or write")
    }

    fn mapped(&mut self) -> Parsed<Mapped> {
        match self.word("swap or file")? {
            "swap" => Ok(Mapped::Swap),
            "file" => {
                let object = self.number("the number of a file").map(ObjectNo)?;
                Ok(Mapped::File(object, self.number("the number of a block").map(BlockNo)?))
            }
            other => self.wrong("swap or file", Some(other)),
        }
    }

    fn end(&mut self) -> Parsed<()> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => self.wrong("the end of the line", Some(word)),
        }
    }

    fn op(&mut self) -> Parsed<Op> {
        let verb = self.word("an operation")?;
        Ok(match verb {
            "create" => Op::Create(self.name()?),
            "fork" => Op::Fork(self.name()?, self.name()?),
            "destroy" => Op::Destroy(self.name()?),
            "map" => self.map()?,
            "unmap" => Op::Unmap(self.name()?, self.page()?, self.count()?),
            "discard" => Op::Discard(self.name()?, self.page()?, self.count()?),
            "ahead" => {
                let access = self.one_of(&GUESSES, "trap, read or write")?;
                Op::Ahead(self.name()?, self.page()?, access)
            }
            "cpu" => self.cpu()?,
            "pin" => Op::Pin(self.name()?, self.page()?, self.access()?),
            "unpin" => Op::Unpin(self.name()?, self.page()?),
            "withhold" => Op::Withhold(self.number("how many frames")?),
            "restore" => Op::Restore(self.number("how many frames")?),
            "flush" if self.words.peek().is_none() => Op::Flush(None),
            "flush" => Op::Flush(Some(ObjectNo(self.number("the number of a file")?))),
            "next" => Op::Next(self.one_of(&HOWS, "answer, fail, tear, fail-late or lie")?),
            "harvest" => Op::Harvest,
            "tick" => Op::Tick,
            "lose" => Op::Lose(self.name()?, self.page()?),
            "fault" => {
                let access = self.access()?;
                Op::Spurious(self.name()?, self.page()?, access)
            }
            "stale" => Op::Stale(self.name()?, self.page()?),
            other => match HOWS.iter().find(|(word, _)| *word == other) {
                Some((_, how)) => self.answer(*how)?,
                None => return self.wrong("an operation", Some(other)),
            },
        })
    }

    /// Numbers that lie outside the world would be our mistakes, not the pager's.
    fn inside(&self, setup: &Setup, op: Op) -> Parsed<Op> {
        let object = match op {
            Op::Map(_, Mapped::File(object, _)) | Op::MapAt(_, Mapped::File(object, _), ..) => Some(object),
            Op::Flush(object) => object,
            _ => None,
        };
        match object {
            Some(object) if object.0 >= setup.files => {
                self.wrong("a file of this world", Some(&object.to_string()))
            }
            _ => Ok(op),
        }
    }

    fn answer(&mut self, how: How) -> Parsed<Op> {
        let direction = self.one_of(&DIRECTIONS, "read or write")?;
        Ok(Op::Answer(direction, FrameNo(self.number("the number of a frame")?), how))
    }

    fn map(&mut self) -> Parsed<Op> {
        let (name, what) = (self.name()?, self.mapped()?);
        if self.words.peek().is_none() {
            return Ok(Op::Map(name, what));
        }
        self.literal("at")?;
        Ok(Op::MapAt(name, what, self.page()?, self.count()?))
    }

    fn cpu(&mut self) -> Parsed<Op> {
        let cpu = CpuNo(self.number("the number of a CPU")?);
        if self.words.peek() == Some(&"goes") {
            self.literal("goes")?;
            self.literal("on")?;
            return Ok(Op::Run(cpu));
        }
        let access = self.one_of(&GUESSES[1..], "read, write or goes on")?;
        let (name, page) = (self.name()?, self.page()?);
        self.literal("word")?;
        let word: u8 = self.number("the number of a word")?;
        if usize::from(word) >= WORDS {
            return self.wrong("a word of the page, from 0 to 3", Some(&word.to_string()));
        }
        Ok(Op::Touch(cpu, name, page, access, word))
    }

    /// The first line.
    fn pager(&mut self) -> Parsed<Setup> {
        self.literal("pager")?;
        let mut setup = Setup::small();
        while let Some(word) = self.words.next() {
            let (fact, mut value) = self.fact(word)?;
            match fact {
                "frames" => setup.frames = value.number("how many frames")?,
                "swap" => setup.swap_blocks = value.number("how many swap blocks")?,
                "arena" => setup.arena_pages = value.number("how many pages an arena has")?,
                "low-water" => setup.low_water = value.number("how many frames to keep free")?,
                "references" => {
                    setup.references = value.one_of(&REFERENCES, "hardware, sticky, trap or none")?
                }
                "sharing" => setup.sharing = value.one_of(&SHARINGS, "frame or place")?,
                "policy" => setup.policy = value.policy()?,
                other => return self.wrong("a fact of the pager", Some(other)),
            }
        }
        Ok(setup)
    }

    /// The second line.
    fn world(&mut self, setup: &mut Setup) -> Parsed<()> {
        self.literal("world")?;
        while let Some(word) = self.words.next() {
            match word {
                "async" => setup.asynchronous = true,
                "eager" => setup.eager = true,
                _ => match self.fact(word)? {
                    ("files", mut value) => setup.files = value.number("how many files")?,
                    ("blocks", mut value) => setup.blocks = value.number("how many blocks a file has")?,
                    ("cpus", mut value) => setup.cpus = value.number("how many CPUs")?,
                    (other, _) => return self.wrong("a fact of the world", Some(other)),
                },
            }
        }
        self.possible(setup)
    }

    /// `name=value`; the value as words of its own.
    fn fact(&self, word: &'a str) -> Parsed<(&'a str, Words<'a>)> {
        match word.split_once('=') {
            Some((fact, value)) => {
                Ok((fact, Words { words: value.split_whitespace().peekable(), line: self.line }))
            }
            None => self.wrong("name=value", Some(word)),
        }
    }

    fn policy(&mut self) -> Parsed<&'static str> {
        let word = self.word("the name of a policy")?;
        match policies().find(|known| *known == word) {
            Some(known) => Ok(known),
            None => self.wrong("a policy that can run here", Some(word)),
        }
    }

    fn possible(&self, setup: &Setup) -> Parsed<()> {
        let limits = [setup.frames, setup.swap_blocks, setup.arena_pages, setup.files, setup.blocks];
        if limits.iter().any(|&limit| limit > 1 << 16) || setup.cpus == 0 {
            return self.wrong("a world with a CPU and nothing above 65536", Some("a larger one"));
        }
        match setup.config().checked() {
            Ok(_) => Ok(()),
            Err(why) => self.wrong("a possible world", Some(&why.to_string())),
        }
    }
}

impl FromStr for Op {
    type Err = BadScenario;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut words = Words { words: text.split_whitespace().peekable(), line: 1 };
        let op = words.op()?;
        words.end().map(|()| op)
    }
}

impl FromStr for Scenario {
    type Err = BadScenario;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut lines = (1..).zip(text.lines()).filter_map(|(line, text)| {
            let text = text.split('#').next().unwrap_or_default().trim();
            (!text.is_empty()).then(|| Words { words: text.split_whitespace().peekable(), line })
        });
        let (Some(mut pager), Some(mut world)) = (lines.next(), lines.next()) else {
            let (line, found) = (text.lines().count() + 1, "the end of the text".into());
            return Err(BadScenario { line, expected: "a pager and a world", found });
        };
        let mut setup = pager.pager()?;
        world.world(&mut setup)?;
        let op = |mut words: Words| {
            let op = words.op().and_then(|op| words.inside(&setup, op))?;
            words.end().map(|()| op)
        };
        Ok(Scenario { setup, ops: lines.map(op).collect::<Parsed<_>>()? })
    }
}
