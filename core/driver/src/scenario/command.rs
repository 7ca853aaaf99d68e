//! What a scenario says, as values; each prints as the line it was read from.

use alloc::{string::String, vec::Vec};
use core::fmt;
use mager_pager::{Access, Config, Pages, References, Sharing};

/// A whole scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// The first line.
    pub setup: Setup,
    /// The others.
    pub commands: Vec<Line>,
}

/// One command, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The line of the text, counted from 1.
    pub number: u32,
    /// What it says.
    pub command: Command,
}

/// The pager a scenario is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// Its fixed facts.
    pub config: Config,
    /// Its policy, by name.
    pub policy: String,
}

/// One page of an arena that has a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The arena.
    pub arena: String,
    /// The page.
    pub page: u32,
}

/// What a map shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Private memory.
    Swap,
    /// A file, from a block on.
    File(String, u32),
}

/// Which kind of I/O is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Read,
    Write,
}

/// One line of a scenario but the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A new arena with this name.
    Create(String),
    /// A child of the first arena, with the second name.
    Fork(String, String),
    /// The arena ends.
    Destroy(String),
    /// Maps at the lowest free page, or at a given place.
    Map(String, Target, Option<Pages>),
    /// Unmaps a range.
    Unmap(String, Pages),
    /// Makes a range of private pages zeros again.
    Discard(String, Pages),
    /// A load or a store: faults unless the mapping lets it happen.
    Access(Place, Access),
    /// A fault, whatever the mapping says.
    Fault(Place, Access),
    /// A guess that a load or a store will come.
    Ahead(Place, Access),
    /// Pins a page.
    Pin(Place, Access),
    /// Takes one pin off.
    Unpin(Place),
    /// Takes free frames out of circulation, at most so many.
    Withhold(u32),
    /// Gives withheld frames back, at most so many.
    Restore(u32),
    /// A clean private page gives its swap block back.
    Disown(Place),
    /// Flushes one file, or all.
    Flush(Option<String>),
    /// An I/O in flight ends, well or not.
    Answer {
        /// Which kind.
        io: Direction,
        /// On which frame.
        frame: u32,
        /// How it ends.
        well: bool,
    },
    /// Every I/O ends well, until none is in flight.
    AnswerAll,
    /// A page is to leave its frame.
    Evict(Place),
    /// Time to work ahead.
    Tick,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { frames, swap_blocks, arena_pages, references, sharing, low_water, .. } = self.config;
        let references = match references {
            References::Hardware => "hardware",
            References::Sticky => "sticky",
            References::Trap => "trap",
            References::None => "none",
        };
        let sharing = match sharing {
            Sharing::Frame => "frame",
            Sharing::Place => "place",
        };
        write!(f, "pager frames={frames} swap={swap_blocks} arena={arena_pages} references={references} ")?;
        write!(f, "sharing={sharing} policy={} low-water={low_water}", self.policy)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.arena, self.page)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Swap => f.write_str("swap"),
            Target::File(file, block) => write!(f, "file {file} {block}"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Read => "read",
            Direction::Write => "write",
        })
    }
}

/// The word for an access: `Trap` counts as a read, as it does in a fault.
pub(super) fn verb(access: Access) -> Direction {
    match access {
        Access::Trap | Access::Read => Direction::Read,
        Access::Write => Direction::Write,
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Create(arena) => write!(f, "create {arena}"),
            Command::Fork(parent, child) => write!(f, "fork {parent} {child}"),
            Command::Destroy(arena) => write!(f, "destroy {arena}"),
            Command::Map(arena, target, None) => write!(f, "map {arena} {target}"),
            Command::Map(arena, target, Some(at)) => {
                write!(f, "map {arena} {target} at {} count {}", at.start, at.count)
            }
            Command::Unmap(arena, at) => write!(f, "unmap {arena} {} count {}", at.start, at.count),
            Command::Discard(arena, at) => write!(f, "discard {arena} {} count {}", at.start, at.count),
            Command::Access(place, access) => write!(f, "{} {place}", verb(*access)),
            Command::Fault(place, access) => write!(f, "fault {} {place}", verb(*access)),
            Command::Ahead(place, Access::Trap) => write!(f, "ahead trap {place}"),
            Command::Ahead(place, access) => write!(f, "ahead {} {place}", verb(*access)),
            Command::Pin(place, access) => write!(f, "pin {place} {}", verb(*access)),
            Command::Unpin(place) => write!(f, "unpin {place}"),
            Command::Withhold(count) => write!(f, "withhold {count}"),
            Command::Restore(count) => write!(f, "restore {count}"),
            Command::Disown(place) => write!(f, "disown {place}"),
            Command::Flush(None) => f.write_str("flush"),
            Command::Flush(Some(file)) => write!(f, "flush {file}"),
            Command::Answer { io, frame, well: true } => write!(f, "answer {io} {frame}"),
            Command::Answer { io, frame, well: false } => write!(f, "fail {io} {frame}"),
            Command::AnswerAll => f.write_str("answer all"),
            Command::Evict(place) => write!(f, "evict {place}"),
            Command::Tick => f.write_str("tick"),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setup)?;
        self.commands.iter().try_for_each(|line| writeln!(f, "{}", line.command))
    }
}
