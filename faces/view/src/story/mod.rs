//! A run told in plain words while it goes on: each fault with what it needed, and each decision with its reason.
//!
//! A [`Story`] is a recorder. It knows only what a recorder sees, so it can be told again from an event log. What a
//! fault was about shows in its effects, so a fault is told when it is resumed; and so a story is for machines that
//! handle each fault to completion. Of faults that overlap it would tell the last.
//!
//! | file | owns |
//! |---|---|
//! | `mod` | calls, and what happens outside of faults |
//! | `fault` | one fault's sentences |
//! | `scene` | names, and which frame shows where |
//! | `tally` | what is counted |

mod fault;
mod scene;
mod tally;

use fault::{Course, Moment};
use mager_driver::{Control, Outcome, Recorder};
use mager_pager::{Effect, Event, Home, Site};
use scene::Scene;
use std::fmt::{self, Write};

pub use tally::{Kind, Tally};

/// Tells a run line by line to whatever takes text.
#[derive(Debug)]
pub struct Story<W> {
    out: W,
    scene: Scene,
    telling: Option<Course>,
    /// What was counted so far.
    pub tally: Tally,
}

impl<W: Write> Story<W> {
    /// A story told to `out`.
    pub fn new(out: W) -> Self {
        Story { out, scene: Scene::default(), telling: None, tally: Tally::default() }
    }

    /// What takes the text.
    #[must_use]
    pub fn text(&self) -> &W {
        &self.out
    }

    /// A story that nobody hears cannot be told better: what cannot be written is left out.
    fn tell(&mut self, line: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(format_args!("  {line}\n"));
    }

    fn effect(&mut self, effect: &Effect) {
        self.tally.effect(effect);
        match (&mut self.telling, effect) {
            (Some(course), effect) => course.moments.push(Moment::Decided(*effect)),
            (None, effect) => self.aside(effect),
        }
        if let Effect::Resume { .. } = effect {
            self.fault_is_over();
        }
    }

    /// What happens outside of faults.
    fn aside(&mut self, effect: &Effect) {
        if let Effect::Write { frame, home } = *effect {
            let home = self.scene.home(home);
            self.tell(format_args!("frame {frame} is written home: {home}"));
        }
        self.scene.follow(effect);
    }

    fn fault_is_over(&mut self) {
        let Some(course) = self.telling.take() else { return };
        self.tally.fault(course.kind());
        self.tally.steals += u64::from(course.steals());
        let _ = course.tell(&mut self.scene, &mut self.out);
    }

    fn failed(&mut self) {
        match &mut self.telling {
            Some(course) => course.moments.push(Moment::Failed),
            None => self.tell(format_args!("that failed")),
        }
    }

    fn refused(&mut self, call: &Control, why: &mager_pager::Refused) {
        self.tally.refusals += 1;
        let what = match call {
            Control::Fork(parent) => format!("{} forks", self.scene.arena(*parent)),
            Control::MapSwap(arena) | Control::MapObject(arena, ..) => {
                format!("{} asks for a page", self.scene.arena(*arena))
            }
            other => format!("{other:?}"),
        };
        self.tell(format_args!("{what}: refused, nothing has changed: {why}"));
    }

    fn called(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        match (call, outcome) {
            (call, Outcome::Refused(why)) => self.refused(call, why),
            (Control::Create, Outcome::Arena(arena)) => {
                let name = self.scene.name_arena(*arena);
                self.tell(format_args!("process {name} is new: an empty arena"));
            }
            (Control::Fork(parent), Outcome::Arena(child)) => {
                let (parent, child) = (self.scene.arena(*parent), self.scene.name_arena(*child));
                self.tell(format_args!(
                    "{parent} forks {child}: nothing is copied; both show the same frames, and private pages only for reading"
                ));
            }
            (Control::MapSwap(arena), Outcome::Page(page)) => {
                let who = self.scene.arena(*arena);
                self.tell(format_args!("{who} maps page {page}: it shows the zero page, and costs no frame"));
            }
            (Control::MapObject(arena, object, block), Outcome::Page(page)) => {
                let place = format!("{} maps page {page}", self.scene.arena(*arena));
                self.mapped(&place, Home::Object(*object, *block), effects);
            }
            (Control::Discard(arena, pages), Outcome::Done) => {
                let who = self.scene.arena(*arena);
                self.tell(format_args!(
                    "{who} discards pages {pages}: they are zeros again, and cost nothing"
                ));
            }
            (Control::Destroy(arena), Outcome::Done) => {
                let who = self.scene.arena(*arena);
                self.tell(format_args!("{who} ends: what it alone had is freed, and nothing is written"));
            }
            _ => {}
        }
    }

    /// Nobody has faulted; so a frame is filled or read into only if it is to spare.
    fn ahead(&mut self, at: Site, effects: &[Effect]) {
        let site = self.scene.site(at);
        for effect in effects {
            match *effect {
                Effect::Zero { frame, .. } => {
                    self.tell(format_args!("{site} is likely next: frame {frame} is filled with zeros"));
                }
                Effect::Read { frame, home, .. } => {
                    let home = self.scene.home(home);
                    self.tell(format_args!("{site} is likely next: frame {frame} is read from {home}"));
                }
                _ => {}
            }
        }
    }

    fn mapped(&mut self, place: &str, home: Home, effects: &[Effect]) {
        let home = self.scene.home(home);
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Map { frame, .. } => Some(*frame),
            _ => None,
        });
        let Some(frame) = found else {
            return self.tell(format_args!("{place} to {home}: nothing is read yet"));
        };
        let ghost = self.scene.sites(frame).is_empty();
        self.tally.ghosts += u64::from(ghost);
        let why =
            if ghost { "a ghost, still there though nobody had it mapped" } else { "shared with who has it" };
        self.tell(format_args!("{place} to {home}: in frame {frame} already, {why}"));
    }
}

impl<W: Write> Recorder for Story<W> {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.called(call, outcome, effects);
        effects.iter().for_each(|effect| self.effect(effect));
    }

    fn event(&mut self, event: &Event, effects: &[Effect]) {
        match event {
            Event::Fault(fault) => self.telling = Some(Course::new(*fault)),
            Event::Ahead { at, .. } => self.ahead(*at, effects),
            Event::Read { result: Err(_), .. } | Event::Written { result: Err(_), .. } => self.failed(),
            _ => {}
        }
        effects.iter().for_each(|effect| self.effect(effect));
    }

    fn note(&mut self, text: fmt::Arguments<'_>) {
        self.scene.names.learn(&text.to_string());
    }
}
