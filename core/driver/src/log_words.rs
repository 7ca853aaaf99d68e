//! How values are spelled in the event log, the way out; `log_parse` is the way in.

use crate::{Control, Outcome};
use core::fmt;
use mager_pager::{
    Access, Denied, Effect, Event, Home, IoFailed, IoResult, References, Refused, Sharing, What,
};

/// A value that is one word out of a few.
pub(crate) trait Word: Copy + 'static {
    const ALL: &'static [Self];
    const KIND: &'static str;
    fn word(self) -> &'static str;
}

impl Word for Access {
    const ALL: &'static [Self] = &[Access::Trap, Access::Read, Access::Write];
    const KIND: &'static str = "an access (trap, read or write)";
    fn word(self) -> &'static str {
        match self {
            Access::Trap => "trap",
            Access::Read => "read",
            Access::Write => "write",
        }
    }
}

impl Word for References {
    const ALL: &'static [Self] = &References::ALL;
    const KIND: &'static str = "references (hardware, sticky, trap or none)";
    fn word(self) -> &'static str {
        match self {
            References::Hardware => "hardware",
            References::Sticky => "sticky",
            References::Trap => "trap",
            References::None => "none",
        }
    }
}

impl Word for Sharing {
    const ALL: &'static [Self] = &[Sharing::Frame, Sharing::Place];
    const KIND: &'static str = "sharing (frame or place)";
    fn word(self) -> &'static str {
        match self {
            Sharing::Frame => "frame",
            Sharing::Place => "place",
        }
    }
}

impl Word for IoResult {
    const ALL: &'static [Self] = &[Ok(()), Err(IoFailed)];
    const KIND: &'static str = "how the I/O ended (ok or failed)";
    fn word(self) -> &'static str {
        if self.is_ok() { "ok" } else { "failed" }
    }
}

impl Word for Result<(), Denied> {
    const ALL: &'static [Self] = &[Ok(()), Err(Denied::BadAddress), Err(Denied::Io), Err(Denied::NoMemory)];
    const KIND: &'static str = "an outcome (ok, bad-address, io or no-memory)";
    fn word(self) -> &'static str {
        match self {
            Ok(()) => "ok",
            Err(Denied::BadAddress) => "bad-address",
            Err(Denied::Io) => "io",
            Err(Denied::NoMemory) => "no-memory",
        }
    }
}

/// `ALL` has the refusals that need no numbers; the other two are put together where they are read.
impl Word for Refused {
    const ALL: &'static [Self] = &[
        Refused::ArenaFull,
        Refused::BadRange,
        Refused::Taken,
        Refused::NotMapped,
        Refused::NotPrivate,
        Refused::BadBlock,
        Refused::NotResident,
        Refused::Pinned,
        Refused::NotPinned,
        Refused::NoFrames,
        Refused::Full,
    ];
    const KIND: &'static str = "a reason for a refusal (no-arena, no-swap, arena-full, bad-range, taken, not-mapped, \
                                not-private, bad-block, not-resident, pinned, not-pinned, no-frames or full)";
    fn word(self) -> &'static str {
        match self {
            Refused::NoArena(_) => "no-arena",
            Refused::NoSwap { .. } => "no-swap",
            Refused::ArenaFull => "arena-full",
            Refused::BadRange => "bad-range",
            Refused::Taken => "taken",
            Refused::NotMapped => "not-mapped",
            Refused::NotPrivate => "not-private",
            Refused::BadBlock => "bad-block",
            Refused::NotResident => "not-resident",
            Refused::Pinned => "pinned",
            Refused::NotPinned => "not-pinned",
            Refused::NoFrames => "no-frames",
            Refused::Full => "full",
        }
    }
}

/// A call, an outcome, an event or an effect, as the event log spells it.
#[derive(Clone, Copy, Debug)]
pub struct Spelled<T>(pub T);

impl fmt::Display for Spelled<Control> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Control::Create => f.write_str("create"),
            Control::Fork(parent) => write!(f, "fork {parent}"),
            Control::MapSwap(arena) => write!(f, "map-swap {arena}"),
            Control::MapSwapAt(arena, pages) => write!(f, "map-swap-at {arena}:{pages}"),
            Control::MapObject(arena, object, block) => {
                write!(f, "map-object {arena} {}", Home::Object(object, block))
            }
            Control::MapObjectAt(arena, pages, object, block) => {
                write!(f, "map-object-at {arena}:{pages} {}", Home::Object(object, block))
            }
            Control::Unmap(arena, pages) => write!(f, "unmap {arena}:{pages}"),
            Control::Discard(arena, pages) => write!(f, "discard {arena}:{pages}"),
            Control::Destroy(arena) => write!(f, "destroy {arena}"),
            Control::Pin(at, access) => write!(f, "pin {at} {}", access.word()),
            Control::Unpin(at) => write!(f, "unpin {at}"),
            Control::Withhold(count) => write!(f, "withhold {count}"),
            Control::Restore(count) => write!(f, "restore {count}"),
            Control::Disown(at) => write!(f, "disown {at}"),
            Control::Flush(What::All, who) => write!(f, "flush all by {who}"),
            Control::Flush(What::Object(object), who) => write!(f, "flush object:{object} by {who}"),
        }
    }
}

impl fmt::Display for Spelled<Outcome> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Outcome::Done => f.write_str("done"),
            Outcome::Arena(arena) => write!(f, "arena {arena}"),
            Outcome::Page(page) => write!(f, "page {page}"),
            Outcome::Frame(frame) => write!(f, "frame {frame}"),
            Outcome::Frames(count) => write!(f, "frames {count}"),
            Outcome::Refused(why) => {
                write!(f, "refused {}", why.word())?;
                if let Refused::NoArena(arena) = why {
                    write!(f, " {arena}")?;
                }
                if let Refused::NoSwap { wanted, free } = why {
                    write!(f, " wanted {wanted} free {free}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Spelled<Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Fault(fault) => write!(f, "fault {} {} by {}", fault.at, fault.access.word(), fault.who),
            Event::Read { frame, result } => write!(f, "read frame {frame} {}", result.word()),
            Event::Written { frame, result } => write!(f, "written frame {frame} {}", result.word()),
            Event::Touched { frame, access } => write!(f, "touched frame {frame} {}", access.word()),
            Event::Ahead { at, access } => write!(f, "ahead {at} {}", access.word()),
            Event::Evict { at } => write!(f, "evict {at}"),
            Event::Tick => f.write_str("tick"),
        }
    }
}

impl fmt::Display for Spelled<Effect> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Effect::Map { at, frame, access } => write!(f, "map {at} frame {frame} {}", access.word()),
            Effect::Clear { at, frame } => write!(f, "clear {at} frame {frame}"),
            Effect::Unmap { at, frame } => write!(f, "unmap {at} frame {frame}"),
            Effect::Zero { frame, at } => write!(f, "zero frame {frame} for {at}"),
            Effect::Copy { from, to, at } => write!(f, "copy frame {from} to frame {to} for {at}"),
            Effect::Read { frame, home, at } => write!(f, "read frame {frame} from {home} for {at}"),
            Effect::Write { frame, home } => write!(f, "write frame {frame} to {home}"),
            Effect::Empty { frame } => write!(f, "empty frame {frame}"),
            Effect::Release { block } => write!(f, "release {}", Home::Swap(block)),
            Effect::Resume { who, outcome } => write!(f, "resume {who} {}", outcome.word()),
        }
    }
}
