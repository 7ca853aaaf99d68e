//! One fault, from trap to resume: what it needed, and how it got it.

use super::scene::Scene;
use super::tally::Kind;
use mager_pager::{Access, Effect, Fault, FrameNo, Home, Site};
use std::fmt::{self, Write};

/// Something that happened while a fault was handled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// The core decided this.
    Decided(Effect),
    /// A read or write that was decided on failed.
    Failed,
}

/// A fault, and what has happened since.
#[derive(Debug)]
pub(super) struct Course {
    fault: Fault,
    pub(super) moments: Vec<Moment>,
}

/// What the clock's hand does with a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hand {
    SecondChance,
    Clean,
    Dirty(Home),
}

impl Course {
    pub(super) fn new(fault: Fault) -> Self {
        Course { fault, moments: Vec::new() }
    }

    fn effects(&self) -> impl DoubleEndedIterator<Item = &Effect> {
        self.moments.iter().filter_map(|moment| match moment {
            Moment::Decided(effect) => Some(effect),
            Moment::Failed => None,
        })
    }

    /// The frame passed from the other sharers to the writer, with its bytes: no copy was needed.
    pub(super) fn steals(&self) -> bool {
        let mine = self.effects().rev().find_map(|effect| match *effect {
            Effect::Map { at, frame, access: Access::Write } if at == self.fault.at => Some(frame),
            _ => None,
        });
        let last = self.effects().rev().find_map(|effect| match *effect {
            Effect::Unmap { frame, .. } if Some(frame) == mine => Some(true),
            _ if mine.is_some() && fills(effect) == mine => Some(false),
            _ => None,
        });
        last == Some(true)
    }

    /// What the fault needed, now that it is over.
    pub(super) fn kind(&self) -> Kind {
        let any = |wanted: fn(&Effect) -> bool| self.effects().any(wanted);
        match () {
            () if any(|effect| matches!(effect, Effect::Resume { outcome: Err(_), .. })) => Kind::Denied,
            () if any(|effect| matches!(effect, Effect::Zero { .. })) => Kind::ZeroFill,
            () if any(|effect| matches!(effect, Effect::Copy { .. })) || self.steals() => Kind::Copy,
            () if any(|effect| matches!(effect, Effect::Read { .. })) => Kind::PageIn,
            () => Kind::Reference,
        }
    }

    /// Tells it all: the fault's own sentence first, then what was done, in order. The scene follows.
    pub(super) fn tell(&self, scene: &mut Scene, out: &mut impl Write) -> fmt::Result {
        let Fault { at, access, .. } = self.fault;
        let verb = if access == Access::Write { "writes to" } else { "reads" };
        let kind = self.kind();
        writeln!(out, "  {} {verb} page {}: {}", scene.arena(at.arena), at.page, because(kind, access))?;
        let mut telling = Telling { fault: &self.fault, stolen: self.steals(), told: Vec::new(), scene, out };
        self.moments.iter().try_for_each(|moment| telling.moment(moment))
    }
}

/// What tells the moments of a fault.
struct Telling<'a, W> {
    fault: &'a Fault,
    stolen: bool,
    /// What the hand has done since it last found a frame.
    told: Vec<(FrameNo, Hand)>,
    scene: &'a mut Scene,
    out: &'a mut W,
}

impl<W: Write> Telling<'_, W> {
    fn moment(&mut self, moment: &Moment) -> fmt::Result {
        let effect = match moment {
            Moment::Decided(effect) => effect,
            Moment::Failed => return writeln!(self.out, "      that failed"),
        };
        self.effect(effect)?;
        if fills(effect).is_some() {
            // The search is over; another one may follow.
            self.told.clear();
        }
        self.scene.follow(effect);
        Ok(())
    }

    fn effect(&mut self, effect: &Effect) -> fmt::Result {
        match *effect {
            Effect::Map { at, frame, access: Access::Trap } if at != self.fault.at => {
                self.hand(frame, Hand::SecondChance)
            }
            Effect::Map { at, frame, access } if at == self.fault.at && access > Access::Trap => {
                self.shows(at, frame, access)
            }
            Effect::Write { frame, home } => self.hand(frame, Hand::Dirty(home)),
            Effect::Unmap { frame, .. } if !self.was_written(frame) => self.hand(frame, Hand::Clean),
            Effect::Zero { frame, .. } => writeln!(self.out, "      frame {frame} is filled with zeros"),
            Effect::Copy { from, to, .. } => {
                writeln!(self.out, "      frame {from} is copied to frame {to}")
            }
            Effect::Read { frame, home, .. } => {
                writeln!(self.out, "      frame {frame} is read from {}", self.scene.home(home))
            }
            Effect::Resume { outcome: Err(why), .. } => writeln!(self.out, "      refused: {why}"),
            Effect::Clear { frame, .. } => self.hand(frame, Hand::SecondChance),
            Effect::Map { .. }
            | Effect::Unmap { .. }
            | Effect::Empty { .. }
            | Effect::Release { .. }
            | Effect::Resume { .. } => Ok(()),
        }
    }

    fn was_written(&self, frame: FrameNo) -> bool {
        self.told.iter().any(|&(told, hand)| told == frame && matches!(hand, Hand::Dirty(_)))
    }

    fn shows(&mut self, at: Site, frame: FrameNo, access: Access) -> fmt::Result {
        let write = access == Access::Write;
        let rights = if write { "read and write" } else { "read" };
        let how = match self.stolen && write {
            true => "; the others' copy is at home, so it passes on without being copied",
            false => "",
        };
        writeln!(self.out, "      {} shows frame {frame}: {rights}{how}", self.scene.site(at))
    }

    /// What the hand does with `frame`: told once, however many sites the frame is shown at.
    fn hand(&mut self, frame: FrameNo, hand: Hand) -> fmt::Result {
        if self.told.contains(&(frame, hand)) {
            return Ok(());
        }
        if self.told.is_empty() {
            let why = "no frame is free: the clock's hand looks for one not touched since it last passed";
            writeln!(self.out, "      {why}")?;
        }
        self.told.push((frame, hand));
        let what = match hand {
            Hand::SecondChance => String::from("was touched: second chance"),
            Hand::Clean => String::from("was not: the victim; it is clean, so no write"),
            Hand::Dirty(home) => {
                format!("was not: the victim; it is dirty, so written to {}", self.scene.home(home))
            }
        };
        writeln!(self.out, "      frame {frame} ({}) {what}", self.scene.contents(frame))
    }
}

/// The frame that gets new bytes by `effect`.
fn fills(effect: &Effect) -> Option<FrameNo> {
    match *effect {
        Effect::Zero { frame, .. } | Effect::Read { frame, .. } | Effect::Copy { to: frame, .. } => {
            Some(frame)
        }
        Effect::Map { .. }
        | Effect::Clear { .. }
        | Effect::Unmap { .. }
        | Effect::Write { .. }
        | Effect::Empty { .. }
        | Effect::Release { .. }
        | Effect::Resume { .. } => None,
    }
}

fn because(kind: Kind, access: Access) -> &'static str {
    match (kind, access) {
        (Kind::Reference, Access::Write) => "it is in a frame; now it is dirty",
        (Kind::Reference, _) => "it is in a frame; now it counts as touched",
        (Kind::ZeroFill, _) => "its first write needs a frame of its own, filled with zeros",
        (Kind::PageIn, _) => "it is not in a frame and must come in",
        (Kind::Copy, _) => "it is shared by a fork, so the writer gets a copy of its own",
        (Kind::Denied, _) => "it cannot go on",
    }
}
