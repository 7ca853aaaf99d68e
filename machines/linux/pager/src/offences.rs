//! What clients do to memory that they and the pager share, and must not. Whoever is found out is expelled; the pager
//! and everybody else go on.

use crate::frames::Place;
use mager_pager::{ArenaId, ObjectNo};
use std::fmt;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offence {
    /// Memory files hold more than the pager has put there.
    Exceeds,
    /// A memory file was made shorter.
    Cut,
    /// The kernel would not take memory back.
    NotPunched,
    /// The kernel would not have stores to a page fault.
    NotProtected,
    /// More pages that are not mapped were touched than can be told from a program that means it.
    Wild,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Offence::Exceeds => "its memory holds more than the pager has put there",
            Offence::Cut => "its memory was cut short",
            Offence::NotPunched => "its memory could not be taken back",
            Offence::NotProtected => "its memory could not be protected",
            Offence::Wild => "it touches page after page that is not mapped",
        })
    }
}

/// Whose memory it was done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// The client who has this arena.
    Arena(ArenaId),
    /// Every client who maps this file: which of them it was cannot be seen.
    Object(ObjectNo),
}

/// Offences found out, and not dealt with yet.
#[derive(Debug, Default)]
pub(crate) struct Offences(Vec<(Owner, Offence)>);

impl Offences {
    pub(crate) fn commit(&mut self, place: Place, what: Offence) {
        match place {
            Place::None => {}
            Place::Private(site) => self.by(Owner::Arena(site.arena), what),
            Place::Object(object, _) => self.by(Owner::Object(object), what),
        }
    }

    pub(crate) fn by(&mut self, owner: Owner, what: Offence) {
        if !self.0.iter().any(|&(other, _)| other == owner) {
            self.0.push((owner, what));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self) -> Vec<(Owner, Offence)> {
        std::mem::take(&mut self.0)
    }
}
