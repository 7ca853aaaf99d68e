//! How values are read from the words of a line of the event log; `log_words` has the spelling.

use crate::log::Expected;
use crate::log_words::Word;
use crate::{Control, Outcome};
use core::str::SplitAsciiWhitespace;
use mager_pager::{
    ArenaId, BlockNo, Effect, Event, Fault, FrameNo, Home, ObjectNo, Pages, Refused, Site, SwapBlock, Ticket,
    VirtPage, What,
};

/// What went wrong in a line, before it is known which one.
pub(crate) struct Wrong<'a> {
    pub(crate) expected: Expected,
    pub(crate) found: Option<&'a str>,
}

pub(crate) type Parsed<'a, T> = Result<T, Wrong<'a>>;

fn kind<'a, T>(value: Option<T>, kind: &'static str, found: &'a str) -> Parsed<'a, T> {
    value.ok_or(Wrong { expected: Expected::Kind(kind), found: Some(found) })
}

/// Digits only: signs and blanks are no part of a number.
fn digits(word: &str) -> Option<u64> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}

fn small(word: &str) -> Option<u32> {
    digits(word).and_then(|number| u32::try_from(number).ok())
}

fn arena(word: &str) -> Option<ArenaId> {
    let (slot, generation) = word.split_once('.')?;
    Some(ArenaId { slot: small(slot)?, generation: small(generation)? })
}

fn site(word: &str) -> Option<Site> {
    let (at, page) = word.split_once(':')?;
    Some(Site { arena: arena(at)?, page: VirtPage(small(page)?) })
}

fn range(word: &str) -> Option<(ArenaId, Pages)> {
    let (start, count) = word.split_once('+')?;
    let Site { arena, page } = site(start)?;
    Some((arena, Pages { start: page, count: small(count)? }))
}

fn object(word: &str) -> Option<ObjectNo> {
    small(word.strip_prefix("object:")?).filter(|&number| number != u32::MAX).map(ObjectNo)
}

fn object_block(word: &str) -> Option<(ObjectNo, BlockNo)> {
    let (front, block) = word.rsplit_once(':')?;
    Some((object(front)?, BlockNo(small(block)?)))
}

fn home(word: &str) -> Option<Home> {
    match word.strip_prefix("swap:") {
        Some(block) => Some(Home::Swap(SwapBlock(small(block)?))),
        None => object_block(word).map(|(object, block)| Home::Object(object, block)),
    }
}

/// The words of one line, taken from the front.
#[derive(Clone)]
pub(crate) struct Words<'a>(SplitAsciiWhitespace<'a>);

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str) -> Self {
        Words(line.split_ascii_whitespace())
    }

    pub(crate) fn next(&mut self, kind: &'static str) -> Parsed<'a, &'a str> {
        self.0.next().ok_or(Wrong { expected: Expected::Kind(kind), found: None })
    }

    /// Exactly this word comes next.
    pub(crate) fn exactly(&mut self, word: &'static str) -> Parsed<'a, ()> {
        let found = self.0.next();
        if found == Some(word) { Ok(()) } else { Err(Wrong { expected: Expected::Word(word), found }) }
    }

    /// Nothing comes any more.
    pub(crate) fn end<T>(&mut self, value: T) -> Parsed<'a, T> {
        match self.0.next() {
            None => Ok(value),
            found => Err(Wrong { expected: Expected::Kind("the end of the line"), found }),
        }
    }

    fn read<T>(&mut self, name: &'static str, parse: impl Fn(&'a str) -> Option<T>) -> Parsed<'a, T> {
        let word = self.next(name)?;
        kind(parse(word), name, word)
    }

    pub(crate) fn one_of<T: Word>(&mut self) -> Parsed<'a, T> {
        self.read(T::KIND, |word| T::ALL.iter().copied().find(|value| value.word() == word))
    }

    pub(crate) fn number(&mut self) -> Parsed<'a, u64> {
        self.read("a number below 2^64", digits)
    }

    fn small(&mut self) -> Parsed<'a, u32> {
        self.read("a number below 2^32", small)
    }

    /// `key=value`, the value by `parse`.
    pub(crate) fn field<T>(
        &mut self,
        key: &'static str,
        name: &'static str,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Parsed<'a, T> {
        let found = self.0.next();
        let value = found.and_then(|word| word.strip_prefix(key)?.strip_prefix('='));
        let value = value.ok_or(Wrong { expected: Expected::Word(key), found })?;
        kind(parse(value), name, value)
    }

    pub(crate) fn small_field(&mut self, key: &'static str) -> Parsed<'a, u32> {
        self.field(key, "a number below 2^32", small)
    }

    pub(crate) fn word_field<T: Word>(&mut self, key: &'static str) -> Parsed<'a, T> {
        self.field(key, T::KIND, |word| T::ALL.iter().copied().find(|value| value.word() == word))
    }

    fn arena(&mut self) -> Parsed<'a, ArenaId> {
        self.read("an arena (SLOT.GENERATION)", arena)
    }

    fn site(&mut self) -> Parsed<'a, Site> {
        self.read("a site (SLOT.GENERATION:PAGE)", site)
    }

    fn range(&mut self) -> Parsed<'a, (ArenaId, Pages)> {
        self.read("a run of pages (SLOT.GENERATION:PAGE+COUNT)", range)
    }

    fn object_block(&mut self) -> Parsed<'a, (ObjectNo, BlockNo)> {
        self.read("a block of an object (object:OBJECT:BLOCK)", object_block)
    }

    fn home(&mut self) -> Parsed<'a, Home> {
        self.read("a home (swap:BLOCK or object:OBJECT:BLOCK)", home)
    }

    fn swap_block(&mut self) -> Parsed<'a, SwapBlock> {
        self.read("a swap block (swap:BLOCK)", |word| match home(word)? {
            Home::Swap(block) => Some(block),
            Home::Object(..) => None,
        })
    }

    fn after<T>(&mut self, word: &'static str, value: impl Fn(&mut Self) -> Parsed<'a, T>) -> Parsed<'a, T> {
        self.exactly(word)?;
        value(self)
    }

    fn frame(&mut self) -> Parsed<'a, FrameNo> {
        self.after("frame", |words| words.small().map(FrameNo))
    }

    fn by(&mut self) -> Parsed<'a, Ticket> {
        self.after("by", |words| words.number().map(Ticket))
    }

    fn what(&mut self) -> Parsed<'a, What> {
        self.read("what to flush (all or object:OBJECT)", |word| match word {
            "all" => Some(What::All),
            _ => object(word).map(What::Object),
        })
    }

    pub(crate) fn control(&mut self) -> Parsed<'a, Control> {
        const CALL: &str = "a control call (create, fork, map-swap, map-swap-at, map-object, map-object-at, unmap, \
                            discard, destroy, pin, unpin, withhold, restore, disown or flush)";
        Ok(match self.next(CALL)? {
            "create" => Control::Create,
            "fork" => Control::Fork(self.arena()?),
            "map-swap" => Control::MapSwap(self.arena()?),
            "map-swap-at" => self.range().map(|(arena, pages)| Control::MapSwapAt(arena, pages))?,
            "map-object" => {
                let (arena, (object, block)) = (self.arena()?, self.object_block()?);
                Control::MapObject(arena, object, block)
            }
            "map-object-at" => {
                let ((arena, pages), (object, block)) = (self.range()?, self.object_block()?);
                Control::MapObjectAt(arena, pages, object, block)
            }
            "unmap" => self.range().map(|(arena, pages)| Control::Unmap(arena, pages))?,
            "discard" => self.range().map(|(arena, pages)| Control::Discard(arena, pages))?,
            "destroy" => Control::Destroy(self.arena()?),
            "pin" => Control::Pin(self.site()?, self.one_of()?),
            "unpin" => Control::Unpin(self.site()?),
            "withhold" => Control::Withhold(self.small()?),
            "restore" => Control::Restore(self.small()?),
            "disown" => Control::Disown(self.site()?),
            "flush" => Control::Flush(self.what()?, self.by()?),
            other => return kind(None, CALL, other),
        })
    }

    pub(crate) fn outcome(&mut self) -> Parsed<'a, Outcome> {
        const OUTCOME: &str = "what the call returned (done, arena, page, frame, frames or refused)";
        Ok(match self.next(OUTCOME)? {
            "done" => Outcome::Done,
            "arena" => Outcome::Arena(self.arena()?),
            "page" => Outcome::Page(VirtPage(self.small()?)),
            "frame" => Outcome::Frame(FrameNo(self.small()?)),
            "frames" => Outcome::Frames(self.small()?),
            "refused" => Outcome::Refused(self.refusal()?),
            other => return kind(None, OUTCOME, other),
        })
    }

    fn refusal(&mut self) -> Parsed<'a, Refused> {
        let mut ahead = self.clone();
        match ahead.next(Refused::KIND)? {
            "no-arena" => {
                *self = ahead;
                self.arena().map(Refused::NoArena)
            }
            "no-swap" => {
                *self = ahead;
                let wanted = self.after("wanted", Self::small)?;
                let free = self.after("free", Self::small)?;
                Ok(Refused::NoSwap { wanted, free })
            }
            _ => self.one_of(),
        }
    }

    pub(crate) fn event(&mut self) -> Parsed<'a, Event> {
        const EVENT: &str = "an event (fault, read, written, touched, ahead, evict or tick)";
        Ok(match self.next(EVENT)? {
            "fault" => Event::Fault(Fault { at: self.site()?, access: self.one_of()?, who: self.by()? }),
            "read" => Event::Read { frame: self.frame()?, result: self.one_of()? },
            "written" => Event::Written { frame: self.frame()?, result: self.one_of()? },
            "touched" => Event::Touched { frame: self.frame()?, access: self.one_of()? },
            "ahead" => Event::Ahead { at: self.site()?, access: self.one_of()? },
            "evict" => Event::Evict { at: self.site()? },
            "tick" => Event::Tick,
            other => return kind(None, EVENT, other),
        })
    }

    /// `None`: the next word names no effect.
    pub(crate) fn effect(&mut self, name: &str) -> Parsed<'a, Option<Effect>> {
        Ok(Some(match name {
            "map" => {
                let (at, frame, access) = (self.site()?, self.frame()?, self.one_of()?);
                Effect::Map { at, frame, access }
            }
            "clear" => Effect::Clear { at: self.site()?, frame: self.frame()? },
            "unmap" => Effect::Unmap { at: self.site()?, frame: self.frame()? },
            "zero" => Effect::Zero { frame: self.frame()?, at: self.after("for", Self::site)? },
            "copy" => {
                let (from, to) = (self.frame()?, self.after("to", Self::frame)?);
                Effect::Copy { from, to, at: self.after("for", Self::site)? }
            }
            "read" => {
                let (frame, home) = (self.frame()?, self.after("from", Self::home)?);
                Effect::Read { frame, home, at: self.after("for", Self::site)? }
            }
            "write" => Effect::Write { frame: self.frame()?, home: self.after("to", Self::home)? },
            "empty" => Effect::Empty { frame: self.frame()? },
            "release" => Effect::Release { block: self.swap_block()? },
            "resume" => Effect::Resume { who: Ticket(self.number()?), outcome: self.one_of()? },
            _ => return Ok(None),
        }))
    }
}

/// An address in hexadecimal, with its `0x`.
pub(crate) fn address(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16).ok())?
}
