//! The life of one virtual page: what changed for it, and by which step.

use mager_driver::{Line, Replay, Step};
use mager_pager::{Access, ArenaId, Kind, Pte, Shown, Site, VirtPage};
use mager_view::{Names, PageState};
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// A site as it is given on the command line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(Site);

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected ARENA:PAGE, such as 0:3 (an arena is SLOT or SLOT.GENERATION)";
        let parsed = || {
            let (arena, page) = text.split_once(':')?;
            let (slot, generation) = arena.split_once('.').unwrap_or((arena, "0"));
            let arena = ArenaId { slot: slot.parse().ok()?, generation: generation.parse().ok()? };
            Some(Place(Site { arena, page: VirtPage(page.parse().ok()?) }))
        };
        parsed().ok_or(WANTED)
    }
}

/// One change, and what brought it about.
#[derive(Serialize, Debug)]
pub(super) struct Change {
    step: u64,
    line: u64,
    cause: String,
    now: String,
}

/// What has become of one page so far.
#[derive(Debug)]
pub(super) struct Life {
    at: Site,
    now: String,
    changes: Vec<Change>,
}

const NOTHING: &str = "nothing is mapped here";

impl Life {
    pub(super) fn new(place: Place) -> Self {
        Life { at: place.0, now: NOTHING.to_owned(), changes: Vec::new() }
    }

    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Looks at the page after the step of line `line`.
    pub(super) fn look(&mut self, replay: &Replay, names: &Names, cause: Option<(u64, Step)>) {
        let Some((line, step)) = cause else { return };
        let now = described(replay, names, self.at);
        if now != self.now {
            self.now.clone_from(&now);
            let cause = Line::Step(step).to_string();
            self.changes.push(Change { step: replay.steps(), line, cause, now });
        }
    }
}

fn described(replay: &Replay, names: &Names, at: Site) -> String {
    let view = replay.view();
    let (Some(kind), Some(pte)) = (view.region(at), view.pte(at)) else { return NOTHING.to_owned() };
    let what = match (pte.shown, kind) {
        (Shown::Page(number), _) => view.page(number).map_or_else(String::new, |page| {
            let page = PageState::of(number, &page, &|object| names.get(object));
            let others: Vec<&String> = page.sharers.iter().filter(|site| **site != at.to_string()).collect();
            let shared = others.iter().map(|site| format!(", shared with {site}")).collect::<String>();
            format!("{}, {}{shared}", page.name(), page.whereabouts())
        }),
        (Shown::Untouched | Shown::Unread, Kind::Swap) => "zeros, never written".to_owned(),
        (Shown::Untouched | Shown::Unread, Kind::Object(object, block)) => {
            let name =
                names.get(object).map_or_else(|| format!("object {object}"), |name| format!("{name:?}"));
            format!("{name} block {block}, never touched here")
        }
    };
    format!("{what}; {}", rights(pte))
}

fn rights(pte: Pte) -> &'static str {
    match pte.access {
        Some(Access::Write) => "reads and writes go on",
        Some(Access::Read) => "reads go on, a write traps",
        Some(Access::Trap) => "unreferenced: the next touch traps",
        None => "not mapped: the next touch traps",
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "page {} of arena {}", self.at.page, self.at.arena)?;
        for Change { step, line, cause, now } in &self.changes {
            writeln!(f, "  step {step:<5} {cause}  (line {line})\n             {now}")?;
        }
        if self.changes.is_empty() {
            writeln!(f, "  nothing was ever mapped there")?;
        }
        Ok(())
    }
}
