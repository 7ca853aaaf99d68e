//! What is counted while a run is told.

use mager_pager::Effect;
use std::collections::BTreeMap;

/// What a fault needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The page was in a frame, and its access only noted.
    Reference,
    /// First write to an untouched page.
    ZeroFill,
    /// The page was at home.
    PageIn,
    /// First write to a page shared by fork.
    Copy,
    /// It was refused.
    Denied,
}

impl Kind {
    /// Every kind, in the order of a table.
    pub const ALL: [Kind; 5] = [Kind::Reference, Kind::ZeroFill, Kind::PageIn, Kind::Copy, Kind::Denied];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Reference => "re-reference",
            Kind::ZeroFill => "zero-fill",
            Kind::PageIn => "page-in",
            Kind::Copy => "copy-on-write",
            Kind::Denied => "refused",
        }
    }
}

/// What was counted on the way.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Faults by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// Frames filled with zeros.
    pub zero_fills: u64,
    /// Pages read.
    pub page_ins: u64,
    /// Pages written home.
    pub write_backs: u64,
    /// Frames copied.
    pub copies: u64,
    /// Copies saved: the frame itself passed to the writer.
    pub steals: u64,
    /// File pages found in a frame although nobody had them mapped any more.
    pub ghosts: u64,
    /// Control calls refused.
    pub refusals: u64,
}

impl Tally {
    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Zero { .. } => self.zero_fills += 1,
            Effect::Read { .. } => self.page_ins += 1,
            Effect::Write { .. } => self.write_backs += 1,
            Effect::Copy { .. } => self.copies += 1,
            Effect::Map { .. }
            | Effect::Clear { .. }
            | Effect::Unmap { .. }
            | Effect::Empty { .. }
            | Effect::Release { .. }
            | Effect::Resume { .. } => {}
        }
    }

    pub(super) fn fault(&mut self, kind: Kind) {
        *self.faults.entry(kind).or_default() += 1;
    }
}
