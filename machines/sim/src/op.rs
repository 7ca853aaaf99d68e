//! Operations: what happens in a world, one by one, as plain values.
//!
//! The whole run is a list of these, the disk's answers and failures among them, so that a run can be shortened by
//! leaving some out. An operation that makes no sense any more (its arena is not there, its CPU waits) is skipped.

use mager_pager::{Access, BlockNo, FrameNo, ObjectNo, VirtPage};
use std::fmt;

/// An arena, by the name it has in the story: A, B, C, ...
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(pub u8);

/// A virtual CPU. It runs in any arena, and has at most one access under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CpuNo(pub u8);

/// How an I/O ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// As it should.
    Fine,
    /// It fails and says so; a write leaves the block as it was.
    Fails,
    /// A write fails half way, and the block cannot be read until it is written again. A read just fails.
    Tears,
    /// A write fails, but the block was written. A read just fails.
    FailsLate,
    /// A write is lost without a word; the checksum shows it when the block is read. A read is fine.
    Lies,
}

/// Which way an I/O goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Into a frame.
    Read,
    /// Out of a frame.
    Write,
}

/// What kind of page is mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mapped {
    /// Private memory.
    Swap,
    /// Blocks of a file, from this one on.
    File(ObjectNo, BlockNo),
}

/// One operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// A new, empty arena.
    Create(Name),
    /// The second becomes a copy of the first.
    Fork(Name, Name),
    /// An arena ends.
    Destroy(Name),
    /// Maps at the lowest free virtual page.
    Map(Name, Mapped),
    /// Maps a run at a place.
    MapAt(Name, Mapped, VirtPage, u8),
    /// Unmaps a run.
    Unmap(Name, VirtPage, u8),
    /// Makes a run of private pages zeros again.
    Discard(Name, VirtPage, u8),
    /// A guess that a page will be read (or written).
    Ahead(Name, VirtPage, Access),
    /// A CPU reads (or with `Write` writes) one word.
    Touch(CpuNo, Name, VirtPage, Access, u8),
    /// A resumed CPU tries its access again.
    Run(CpuNo),
    /// Pins a page for this access.
    Pin(Name, VirtPage, Access),
    /// Takes one pin off.
    Unpin(Name, VirtPage),
    /// Takes free frames out of circulation, at most so many.
    Withhold(u8),
    /// Gives withheld frames back, at most so many.
    Restore(u8),
    /// Flushes one file, or all.
    Flush(Option<ObjectNo>),
    /// The I/O in flight on this frame is answered.
    Answer(Direction, FrameNo, How),
    /// Where I/O takes no time: how the next one ends.
    Next(How),
    /// The reference bits are collected.
    Harvest,
    /// Time passes.
    Tick,
    /// The machine loses a mapping, as machines may.
    Lose(Name, VirtPage),
    /// A fault nobody needs: the mapping may well be there.
    Spurious(Name, VirtPage, Access),
    /// A fault at a virtual page of the arena that last lost this name.
    Stale(Name, VirtPage),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(b'A' + self.0))
    }
}

impl fmt::Display for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mapped::Swap => f.write_str("swap"),
            Mapped::File(object, block) => write!(f, "file {object} {block}"),
        }
    }
}
