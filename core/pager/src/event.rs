//! What the core is told, and what it decides: plain values, in both directions.

use crate::{ArenaId, BlockNo, ObjectNo, Site, SwapBlock, Ticket};
use alloc::vec::Vec;
use core::fmt;
use mager_policies::FrameNo;

/// What the hardware lets happen without telling us: `Trap < Read < Write`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// Nothing: the next touch faults.
    Trap,
    /// Loads.
    Read,
    /// Loads and stores.
    Write,
}

/// One access that could not go on. `access` says what was tried; `Trap` counts as `Read`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where.
    pub at: Site,
    /// What was tried.
    pub access: Access,
    /// Whom to resume.
    pub who: Ticket,
}

/// An I/O did not succeed; the store knows why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IoFailed;

/// How an I/O ended.
pub type IoResult = Result<(), IoFailed>;

/// Something happened in the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An access could not go on.
    Fault(Fault),
    /// Answers [`Effect::Read`], exactly once.
    Read {
        /// The frame that was read into.
        frame: FrameNo,
        /// How it ended.
        result: IoResult,
    },
    /// Answers [`Effect::Write`], exactly once.
    Written {
        /// The frame that was written out.
        frame: FrameNo,
        /// How it ended.
        result: IoResult,
    },
    /// A harvested hardware reference bit, or any single access where the policy needs to see it.
    Touched {
        /// The frame that was touched.
        frame: FrameNo,
        /// How.
        access: Access,
    },
    /// A guess that this access will come. If nobody waits for a frame and one is free, what the access needs is
    /// done now, so that it will not fault; if not, nothing. A private page that is in memory, clean, and shared with
    /// nobody counts as written to, if that is the access. Nobody is resumed.
    Ahead {
        /// Where.
        at: Site,
        /// What will be tried. `Trap`: a faint guess; a page comes in from its home, but counts as untouched, and
        /// untouched memory is left alone.
        access: Access,
    },
    /// The page at `at` is to leave its frame, though nobody needs it: its client has as many as it may. It does unless it
    /// is pinned, in flight, or was touched since this was asked of it last. Nobody is resumed.
    Evict {
        /// Where it lives.
        at: Site,
    },
    /// Time to work ahead.
    Tick,
}

/// Where a page's contents live when it is not resident.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Home {
    /// A block of the swap store.
    Swap(SwapBlock),
    /// A block of a memory object.
    Object(ObjectNo, BlockNo),
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Swap(block) => write!(f, "swap:{block}"),
            Home::Object(object, block) => write!(f, "object:{object}:{block}"),
        }
    }
}

/// Why a fault or a flush did not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denied {
    /// Nothing is mapped there, or the arena is gone.
    BadAddress,
    /// The page, or the victim that had to make room for it, could not be read or written.
    Io,
    /// No frame can ever become free.
    NoMemory,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Denied::BadAddress => "bad address",
            Denied::Io => "I/O error",
            Denied::NoMemory => "no memory",
        })
    }
}

impl core::error::Error for Denied {}

/// One thing the machine has to do. Effects are carried out in the order given.
///
/// `Map`, `Unmap`, `Zero`, `Copy` and `Resume` are finished before the next event, `Clear` before the next harvest that
/// counts; `Read` and `Write` are only started, and answered exactly once. A frame in flight is untouchable. `Empty` and
/// `Release` may be left undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Install or change a mapping. `Trap` keeps the frame there and traps the next touch.
    Map {
        /// Where.
        at: Site,
        /// What is shown.
        frame: FrameNo,
        /// What goes on without a fault.
        access: Access,
    },
    /// Only under [`References::Sticky`](crate::References::Sticky): take the reference bit of a mapping away. A touch
    /// from here on is one to harvest.
    Clear {
        /// Where.
        at: Site,
        /// What is shown.
        frame: FrameNo,
    },
    /// Take a mapping away. The frame may be in flight: its bytes are still needed then. Where frames live at sites, this is
    /// also told of a frame that is being written and mapped nowhere, when its site is to be free for another.
    Unmap {
        /// Where.
        at: Site,
        /// What was shown.
        frame: FrameNo,
    },
    /// Fill a frame with zeros.
    Zero {
        /// The frame.
        frame: FrameNo,
        /// The site it is for.
        at: Site,
    },
    /// Copy a frame's bytes. `from == to` only under [`Sharing::Place`](crate::Sharing::Place): the frame moves from the site
    /// where it lives to `at`, through a buffer; its old site loses it without an `Unmap`, if it was not unmapped
    /// already while the frame was in flight.
    Copy {
        /// The source.
        from: FrameNo,
        /// The destination.
        to: FrameNo,
        /// The site the destination is for.
        at: Site,
    },
    /// Start reading a page in.
    Read {
        /// The frame to fill.
        frame: FrameNo,
        /// Where the contents are.
        home: Home,
        /// The site it is for.
        at: Site,
    },
    /// Start writing a frame's contents home.
    Write {
        /// The frame to write.
        frame: FrameNo,
        /// Where to.
        home: Home,
    },
    /// Only under [`Sharing::Place`](crate::Sharing::Place): the frame's bytes are not needed any more, and the
    /// machine may give their memory back. Comes once between two fillings (by `Zero`, `Read` or `Copy`), when the
    /// frame is mapped nowhere and not in flight; not for a frame that passes on with its bytes. A frame whose site
    /// was unmapped or discarded while it was in flight is emptied late: by then another may live there.
    Empty {
        /// The frame.
        frame: FrameNo,
    },
    /// A swap block's contents are not needed any more: the page whose home it was is gone. The machine may discard
    /// them. No I/O on the block is in flight, and it is written before it is read again: perhaps in this very step.
    Release {
        /// The block.
        block: SwapBlock,
    },
    /// Let a faulter, or whoever asked for a flush, go on.
    Resume {
        /// Whom.
        who: Ticket,
        /// With what outcome.
        outcome: Result<(), Denied>,
    },
}

/// A reused buffer of decisions; the driver carries them out in order and clears it.
pub type Effects = Vec<Effect>;

/// A control call that was refused. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// No such arena (any more).
    NoArena(ArenaId),
    /// Not enough swap blocks are unreserved.
    NoSwap {
        /// How many reservations were asked for.
        wanted: u32,
        /// How many are free.
        free: u32,
    },
    /// No virtual page of the arena is free.
    ArenaFull,
    /// The range is empty or leaves the arena.
    BadRange,
    /// Part of the range is mapped already.
    Taken,
    /// Part of the range is not mapped.
    NotMapped,
    /// Part of the range is a file's.
    NotPrivate,
    /// The block numbers of the range run off the largest object.
    BadBlock,
    /// The page is not there with the access asked for: fault it in first.
    NotResident,
    /// A page of the range, or of the arena, is pinned.
    Pinned,
    /// The page is not pinned here.
    NotPinned,
    /// A pin too many: at least one frame must stay replaceable.
    NoFrames,
    /// Tables are at their limit.
    Full,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NoArena(arena) => write!(f, "no arena {arena}"),
            Refused::NoSwap { wanted, free } => write!(f, "out of swap blocks: {wanted} wanted, {free} free"),
            Refused::ArenaFull => f.write_str("arena full"),
            Refused::BadRange => f.write_str("range is empty or outside the arena"),
            Refused::Taken => f.write_str("range is mapped already"),
            Refused::NotMapped => f.write_str("range is not mapped"),
            Refused::NotPrivate => f.write_str("range is not private memory alone"),
            Refused::BadBlock => f.write_str("block numbers out of range"),
            Refused::NotResident => f.write_str("page not resident with that access"),
            Refused::Pinned => f.write_str("page is pinned"),
            Refused::NotPinned => f.write_str("page is not pinned here"),
            Refused::NoFrames => f.write_str("too many pinned frames"),
            Refused::Full => f.write_str("tables are full"),
        }
    }
}

impl core::error::Error for Refused {}
