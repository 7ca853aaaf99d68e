//! A run told in plain words while it goes on: each fault with what it needed, and each decision with its reason.
//!
//! A [`Story`] is a recorder. It knows only what a recorder sees, so that it can be told of any machine, and again
//! from an event log. What a fault was about shows in its effects, so a fault is told when it is resumed.

use crate::Names;
use mager_driver::{Control, Outcome, Recorder};
use mager_pager::{Access, ArenaId, Effect, Event, Fault, FrameNo, Home, Site};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

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
    fn count(&mut self, effect: &Effect) {
        match effect {
            Effect::Zero { .. } => self.zero_fills += 1,
            Effect::Read { .. } => self.page_ins += 1,
            Effect::Write { .. } => self.write_backs += 1,
            Effect::Copy { .. } => self.copies += 1,
            Effect::Map { .. } | Effect::Unmap { .. } | Effect::Resume { .. } => {}
        }
    }
}

/// Tells a run line by line to whatever takes text.
#[derive(Debug)]
pub struct Story<W> {
    out: W,
    arenas: BTreeMap<ArenaId, String>,
    names: Names,
    shown: BTreeMap<FrameNo, Vec<Site>>,
    homes: BTreeMap<FrameNo, Home>,
    telling: Option<(Fault, Vec<Effect>)>,
    /// What was counted so far.
    pub tally: Tally,
}

impl<W: Write> Story<W> {
    /// A story told to `out`.
    pub fn new(out: W) -> Self {
        Story {
            out,
            arenas: BTreeMap::new(),
            names: Names::default(),
            shown: BTreeMap::new(),
            homes: BTreeMap::new(),
            telling: None,
            tally: Tally::default(),
        }
    }

    /// A story that nobody hears cannot be told better: what cannot be written is left out.
    fn tell(&mut self, line: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(format_args!("{line}\n"));
    }

    fn arena(&self, arena: ArenaId) -> String {
        self.arenas.get(&arena).cloned().unwrap_or_else(|| format!("arena {arena}"))
    }

    fn site(&self, at: Site) -> String {
        format!("{} page {}", self.arena(at.arena), at.page)
    }

    fn home(&self, home: Home) -> String {
        match home {
            Home::Swap(block) => format!("swap block {block}"),
            Home::Object(object, block) => match self.names.get(object) {
                Some(name) => format!("block {block} of {name}"),
                None => format!("block {block} of object {object}"),
            },
        }
    }

    /// Whose page is in `frame`: its sites, or its home for a ghost.
    fn contents(&self, frame: FrameNo) -> String {
        let sites = self.shown.get(&frame).map(Vec::as_slice).unwrap_or_default();
        let mut named: Vec<String> = sites.iter().map(|&at| self.site(at)).collect();
        named.sort_unstable();
        match (named.is_empty(), self.homes.get(&frame)) {
            (false, _) => named.join(" and "),
            (true, Some(&home)) => format!("{}, mapped by nobody now", self.home(home)),
            (true, None) => String::from("a page"),
        }
    }

    /// A name for a new arena: A, B, C, ...
    fn name_arena(&mut self, arena: ArenaId) -> String {
        let number = self.arenas.len();
        let letter = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
        let name = if number < 26 { letter.to_string() } else { format!("{letter}{}", number / 26) };
        self.arenas.insert(arena, name.clone());
        name
    }

    /// Keeps track of which frame shows where.
    fn follow(&mut self, effect: &Effect) {
        match *effect {
            Effect::Map { at, frame, .. } => {
                self.shown.values_mut().for_each(|sites| sites.retain(|&site| site != at));
                self.shown.entry(frame).or_default().push(at);
            }
            Effect::Unmap { at, frame } => {
                self.shown.entry(frame).or_default().retain(|&site| site != at);
            }
            Effect::Read { frame, home, .. } | Effect::Write { frame, home } => {
                self.homes.insert(frame, home);
            }
            Effect::Zero { frame, .. } | Effect::Copy { to: frame, .. } => {
                self.homes.remove(&frame);
            }
            Effect::Resume { .. } => {}
        }
    }

    /// Effects of one step: told as they come, but for the fault's own sentence, which comes first.
    fn effects(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.tally.count(effect);
            if let Some((_, seen)) = &mut self.telling {
                seen.push(*effect);
            }
            if let Effect::Resume { .. } = effect {
                self.fault_is_over();
            } else if self.telling.is_none() {
                self.follow(effect);
            }
        }
    }

    fn fault_is_over(&mut self) {
        let Some((fault, seen)) = self.telling.take() else { return };
        let kind = self.kind(&fault, &seen);
        *self.tally.faults.entry(kind).or_default() += 1;
        let verb = if fault.access == Access::Write { "writes to" } else { "reads" };
        let who = self.arena(fault.at.arena);
        self.tell(format_args!("  {who} {verb} page {}: {}", fault.at.page, because(kind, fault.access)));
        let mut told = Vec::new();
        for effect in &seen {
            self.tell_effect(&fault, effect, &seen, kind, &mut told);
            self.follow(effect);
        }
    }

    fn kind(&mut self, fault: &Fault, seen: &[Effect]) -> Kind {
        let denied = seen.iter().any(|effect| matches!(effect, Effect::Resume { outcome: Err(_), .. }));
        let zero = seen.iter().any(|effect| matches!(effect, Effect::Zero { .. }));
        let copy = seen.iter().any(|effect| matches!(effect, Effect::Copy { .. }));
        let stolen = !zero && !copy && stolen_frame(fault, seen).is_some();
        self.tally.steals += u64::from(stolen);
        match () {
            () if denied => Kind::Denied,
            () if zero => Kind::ZeroFill,
            () if copy || stolen => Kind::Copy,
            () if seen.iter().any(|effect| matches!(effect, Effect::Read { .. })) => Kind::PageIn,
            () => Kind::Reference,
        }
    }

    fn tell_effect(
        &mut self,
        fault: &Fault,
        effect: &Effect,
        seen: &[Effect],
        kind: Kind,
        told: &mut Vec<(FrameNo, Hand)>,
    ) {
        match *effect {
            Effect::Map { at, frame, access: Access::Trap } if at != fault.at => {
                self.tell_hand(told, frame, Hand::SecondChance);
            }
            Effect::Write { frame, home } => self.tell_hand(told, frame, Hand::Dirty(home)),
            Effect::Unmap { frame, .. } if !writes(seen, frame) => self.tell_hand(told, frame, Hand::Clean),
            Effect::Zero { frame, .. } => self.tell(format_args!("      frame {frame} is filled with zeros")),
            Effect::Copy { from, to, .. } => {
                self.tell(format_args!("      frame {from} is copied to frame {to}"));
            }
            Effect::Read { frame, home, .. } => {
                let home = self.home(home);
                self.tell(format_args!("      frame {frame} is read from {home}"));
            }
            Effect::Map { at, frame, access } if at == fault.at && access > Access::Trap => {
                let rights = if access == Access::Write { "read and write" } else { "read" };
                let site = self.site(at);
                let stolen =
                    kind == Kind::Copy && self.shown.get(&frame).is_some_and(|sites| sites.contains(&at));
                let how = if stolen { "; the others' copy is at home, so no copy was needed" } else { "" };
                self.tell(format_args!("      {site} shows frame {frame}: {rights}{how}"));
            }
            Effect::Resume { outcome: Err(why), .. } => self.tell(format_args!("      refused: {why}")),
            Effect::Map { .. } | Effect::Unmap { .. } | Effect::Resume { .. } => {}
        }
    }

    /// What the hand does with `frame`: told once, however many sites the frame is shown at.
    fn tell_hand(&mut self, told: &mut Vec<(FrameNo, Hand)>, frame: FrameNo, hand: Hand) {
        if told.contains(&(frame, hand)) {
            return;
        }
        if told.is_empty() {
            self.tell(format_args!(
                "      no frame is free: the clock's hand looks for one not touched since it last passed"
            ));
        }
        told.push((frame, hand));
        let contents = self.contents(frame);
        match hand {
            Hand::SecondChance => {
                self.tell(format_args!("      frame {frame} ({contents}) was touched: second chance"));
            }
            Hand::Clean => {
                self.tell(format_args!(
                    "      frame {frame} ({contents}) was not: the victim; it is clean, so no write"
                ));
            }
            Hand::Dirty(home) => {
                let home = self.home(home);
                self.tell(format_args!(
                    "      frame {frame} ({contents}) was not: the victim; it is dirty, so written to {home}"
                ));
            }
        }
    }

    fn tell_call(&mut self, call: &Control, outcome: &Outcome) {
        if let Outcome::Refused(why) = outcome {
            self.tally.refusals += 1;
            let what = match call {
                Control::Fork(parent) => format!("{} forks", self.arena(*parent)),
                Control::MapSwap(arena) | Control::MapObject(arena, ..) => {
                    format!("{} asks for a page", self.arena(*arena))
                }
                other => format!("{other:?}"),
            };
            return self.tell(format_args!("  {what}: refused, nothing has changed: {why}"));
        }
        match (call, outcome) {
            (Control::Create, Outcome::Arena(arena)) => {
                let name = self.name_arena(*arena);
                self.tell(format_args!("  process {name} is new: an empty arena"));
            }
            (Control::Fork(parent), Outcome::Arena(child)) => {
                let (parent, child) = (self.arena(*parent), self.name_arena(*child));
                self.tell(format_args!(
                    "  {parent} forks {child}: nothing is copied; both show the same frames, read-only for now"
                ));
            }
            (Control::MapSwap(arena), Outcome::Page(page)) => {
                let who = self.arena(*arena);
                self.tell(format_args!(
                    "  {who} maps page {page}: it shows the zero page, and costs no frame"
                ));
            }
            (Control::Destroy(arena), Outcome::Done) => {
                let who = self.arena(*arena);
                self.tell(format_args!("  {who} ends: what it alone had is freed, and nothing is written"));
            }
            _ => {}
        }
    }

    fn tell_file(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        let (Control::MapObject(arena, object, block), Outcome::Page(page)) = (call, outcome) else { return };
        let (who, home) = (self.arena(*arena), self.home(Home::Object(*object, *block)));
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Map { frame, .. } => Some(*frame),
            _ => None,
        });
        let Some(frame) = found else {
            return self.tell(format_args!("  {who} maps page {page} to {home}: nothing is read yet"));
        };
        let ghost = self.shown.get(&frame).is_none_or(Vec::is_empty);
        self.tally.ghosts += u64::from(ghost);
        let why =
            if ghost { "a ghost, still there though nobody had it mapped" } else { "shared with who has it" };
        self.tell(format_args!("  {who} maps page {page} to {home}: in frame {frame} already, {why}"));
    }
}

impl<W: Write> Recorder for Story<W> {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.tell_call(call, outcome);
        self.tell_file(call, outcome, effects);
        if let Control::Flush(..) = call {
            for effect in effects {
                if let Effect::Write { frame, home } = *effect {
                    let home = self.home(home);
                    self.tell(format_args!("  frame {frame} is written home: {home}"));
                }
            }
        }
        for effect in effects {
            self.tally.count(effect);
            self.follow(effect);
        }
    }

    fn event(&mut self, event: &Event, effects: &[Effect]) {
        if let Event::Fault(fault) = event {
            self.telling = Some((*fault, Vec::new()));
        }
        self.effects(effects);
    }

    fn note(&mut self, text: fmt::Arguments<'_>) {
        self.names.learn(&text.to_string());
    }
}

/// What the clock's hand does with a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hand {
    SecondChance,
    Clean,
    Dirty(Home),
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

fn writes(seen: &[Effect], frame: FrameNo) -> bool {
    seen.iter().any(|effect| matches!(effect, Effect::Write { frame: written, .. } if *written == frame))
}

/// The frame that passed from the other sharers to the faulter with its bytes.
fn stolen_frame(fault: &Fault, seen: &[Effect]) -> Option<FrameNo> {
    let mine = seen.iter().rev().find_map(|effect| match effect {
        Effect::Map { at, frame, access: Access::Write } if *at == fault.at => Some(*frame),
        _ => None,
    })?;
    let read = seen.iter().any(|effect| matches!(effect, Effect::Read { frame, .. } if *frame == mine));
    let lost = seen.iter().any(|effect| matches!(effect, Effect::Unmap { frame, .. } if *frame == mine));
    (lost && !read).then_some(mine)
}
