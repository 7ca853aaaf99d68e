//! Plays a scenario: the pager, the page table its effects make, and the I/O in flight, answered by hand.

use super::command::verb;
use super::words::Names;
use super::{Command, Direction, Place, Problem, Scenario, ScenarioError, Setup, Target};
use crate::{Control, Outcome, apply};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use mager_pager::{
    Access, ArenaId, BlockNo, Effect, Effects, Event, Fault, FrameNo, IoFailed, Pager, References, Site,
    VirtPage, What,
};
use mager_policies::{Any, Observes, Policy};

/// A pager and all a machine has to remember for it, but the bytes.
#[derive(Debug)]
pub struct Player {
    pager: Pager<Any>,
    every_access: bool,
    names: Names,
    mapped: BTreeMap<Site, (FrameNo, Access)>,
    /// In the order in which they were started.
    in_flight: Vec<(Direction, FrameNo)>,
    effects: Effects,
}

impl Player {
    /// A new pager.
    pub fn new(setup: &Setup) -> Result<Self, Problem> {
        let policy = Any::new(&setup.policy, setup.config.frames).map_err(Problem::UnknownPolicy)?;
        let harvests = matches!(setup.config.references, References::Hardware | References::Sticky);
        let every_access = harvests || policy.needs() >= Observes::EveryAccess;
        Ok(Player {
            pager: Pager::new(setup.config, policy).map_err(Problem::BadConfig)?,
            every_access,
            names: Names::default(),
            mapped: BTreeMap::new(),
            in_flight: Vec::new(),
            effects: Effects::new(),
        })
    }

    /// The pager, to be looked at and checked.
    pub fn pager(&self) -> &Pager<Any> {
        &self.pager
    }

    /// The pager alone, to go on with.
    #[must_use]
    pub fn into_pager(self) -> Pager<Any> {
        self.pager
    }

    /// The arena that has this name now.
    pub fn arena(&self, name: &str) -> Option<ArenaId> {
        self.names.arena(name)
    }

    /// Does what one line says. What came of it, a line each.
    pub fn play(&mut self, command: &Command) -> Result<Vec<String>, Problem> {
        self.effects.clear();
        let mut said = Vec::new();
        match command {
            Command::Create(name) => self.create(None, name, &mut said)?,
            Command::Fork(parent, child) => self.create(Some(parent), child, &mut said)?,
            Command::Destroy(name) => self.destroy(name, &mut said)?,
            Command::Access(place, access) => self.access(place, *access, &mut said)?,
            Command::Fault(place, access) => self.fault(place, *access, &mut said)?,
            Command::Answer { io, frame, well } => self.answer(*io, FrameNo(*frame), *well, &mut said)?,
            Command::AnswerAll => self.answer_all(&mut said)?,
            Command::Tick => self.step(Event::Tick, &mut said),
            Command::Evict(place) => {
                let at = self.site(place)?;
                self.step(Event::Evict { at }, &mut said);
            }
            Command::Ahead(place, access) => {
                let (at, access) = (self.site(place)?, *access);
                self.step(Event::Ahead { at, access }, &mut said);
            }
            Command::Map(..)
            | Command::Unmap(..)
            | Command::Discard(..)
            | Command::Pin(..)
            | Command::Unpin(_)
            | Command::Withhold(_)
            | Command::Restore(_)
            | Command::Disown(_)
            | Command::Flush(_) => {
                let call = self.call(command)?;
                self.control(call, &mut said);
            }
        }
        Ok(said)
    }

    fn living(&self, name: &str) -> Result<ArenaId, Problem> {
        self.names.arena(name).ok_or_else(|| Problem::NoArena(name.into()))
    }

    fn site(&self, place: &Place) -> Result<Site, Problem> {
        Ok(Site { arena: self.living(&place.arena)?, page: VirtPage(place.page) })
    }

    fn create(&mut self, parent: Option<&String>, name: &str, said: &mut Vec<String>) -> Result<(), Problem> {
        if self.names.arena(name).is_some() {
            return Err(Problem::NameTaken(name.into()));
        }
        let call = match parent {
            None => Control::Create,
            Some(parent) => Control::Fork(self.living(parent)?),
        };
        let outcome = apply(&mut self.pager, call, &mut self.effects);
        if let Outcome::Arena(arena) = outcome {
            self.names.call(arena, name);
        }
        self.tell_outcome(outcome, said);
        self.tell(said);
        Ok(())
    }

    fn destroy(&mut self, name: &str, said: &mut Vec<String>) -> Result<(), Problem> {
        let arena = self.living(name)?;
        self.names.bury(name);
        self.control(Control::Destroy(arena), said);
        Ok(())
    }

    /// The control call that a line asks for, of those that need nothing else done.
    fn call(&mut self, command: &Command) -> Result<Control, Problem> {
        Ok(match command {
            Command::Map(arena, target, at) => self.map_call(self.living(arena)?, target, *at),
            Command::Unmap(arena, pages) => Control::Unmap(self.living(arena)?, *pages),
            Command::Discard(arena, pages) => Control::Discard(self.living(arena)?, *pages),
            Command::Pin(place, access) => Control::Pin(self.site(place)?, *access),
            Command::Unpin(place) => Control::Unpin(self.site(place)?),
            Command::Withhold(count) => Control::Withhold(*count),
            Command::Restore(count) => Control::Restore(*count),
            Command::Disown(place) => Control::Disown(self.site(place)?),
            Command::Flush(file) => {
                let who = self.names.ticket(format!("{command}"));
                let what = file.as_ref().map_or(What::All, |file| What::Object(self.names.file(file)));
                Control::Flush(what, who)
            }
            Command::Create(_)
            | Command::Fork(..)
            | Command::Destroy(_)
            | Command::Access(..)
            | Command::Fault(..)
            | Command::Ahead(..)
            | Command::Answer { .. }
            | Command::AnswerAll
            | Command::Evict(_)
            | Command::Tick => unreachable!("scenario: not a plain control call"),
        })
    }

    fn map_call(&mut self, arena: ArenaId, target: &Target, at: Option<mager_pager::Pages>) -> Control {
        match (target, at) {
            (Target::Swap, None) => Control::MapSwap(arena),
            (Target::Swap, Some(pages)) => Control::MapSwapAt(arena, pages),
            (Target::File(file, block), at) => {
                let (object, block) = (self.names.file(file), BlockNo(*block));
                match at {
                    None => Control::MapObject(arena, object, block),
                    Some(pages) => Control::MapObjectAt(arena, pages, object, block),
                }
            }
        }
    }

    fn control(&mut self, call: Control, said: &mut Vec<String>) {
        let outcome = apply(&mut self.pager, call, &mut self.effects);
        self.tell_outcome(outcome, said);
        self.tell(said);
    }

    fn access(&mut self, place: &Place, access: Access, said: &mut Vec<String>) -> Result<(), Problem> {
        let site = self.site(place)?;
        match self.mapped.get(&site) {
            Some(&(frame, now)) if now >= access => {
                said.push("no fault".into());
                if self.every_access {
                    self.step(Event::Touched { frame, access }, said);
                }
                Ok(())
            }
            _ => self.fault(place, access, said),
        }
    }

    fn fault(&mut self, place: &Place, access: Access, said: &mut Vec<String>) -> Result<(), Problem> {
        let at = self.site(place)?;
        let who = self.names.ticket(format!("{place} {}", verb(access)));
        self.step(Event::Fault(Fault { at, access, who }), said);
        Ok(())
    }

    fn answer(
        &mut self,
        io: Direction,
        frame: FrameNo,
        well: bool,
        said: &mut Vec<String>,
    ) -> Result<(), Problem> {
        let started = self.in_flight.iter().position(|&started| started == (io, frame));
        self.in_flight.remove(started.ok_or(Problem::NotInFlight(io, frame.0))?);
        let result = if well { Ok(()) } else { Err(IoFailed) };
        let event = match io {
            Direction::Read => Event::Read { frame, result },
            Direction::Write => Event::Written { frame, result },
        };
        self.step(event, said);
        Ok(())
    }

    fn answer_all(&mut self, said: &mut Vec<String>) -> Result<(), Problem> {
        while let Some(&(io, frame)) = self.in_flight.first() {
            said.push(format!("(answer {io} {frame})"));
            self.answer(io, frame, true, said)?;
        }
        Ok(())
    }

    fn step(&mut self, event: Event, said: &mut Vec<String>) {
        self.effects.clear();
        self.pager.step(event, &mut self.effects);
        self.tell(said);
    }

    fn tell_outcome(&self, outcome: Outcome, said: &mut Vec<String>) {
        match outcome {
            Outcome::Done | Outcome::Arena(_) => {}
            Outcome::Page(page) => said.push(format!("page {page}")),
            Outcome::Frame(frame) => said.push(format!("frame {frame}")),
            Outcome::Frames(count) => said.push(format!("frames {count}")),
            Outcome::Refused(why) => said.push(format!("refused: {why}")),
        }
    }

    fn tell(&mut self, said: &mut Vec<String>) {
        for &effect in &self.effects {
            said.push(self.names.effect(&effect));
            match effect {
                Effect::Map { at, frame, access } => drop(self.mapped.insert(at, (frame, access))),
                Effect::Unmap { at, .. } => drop(self.mapped.remove(&at)),
                Effect::Read { frame, .. } => self.in_flight.push((Direction::Read, frame)),
                Effect::Write { frame, .. } => self.in_flight.push((Direction::Write, frame)),
                // A frame that moves leaves its old site without being unmapped there.
                Effect::Copy { from, to, .. } if from == to => {
                    self.mapped.retain(|_, &mut (frame, _)| frame != from);
                }
                Effect::Copy { .. }
                | Effect::Clear { .. }
                | Effect::Zero { .. }
                | Effect::Empty { .. }
                | Effect::Release { .. }
                | Effect::Resume { .. } => {}
            }
        }
    }
}

/// The same text with what comes out now under each line. `after` sees the pager after each command.
pub fn transcript(text: &str, mut after: impl FnMut(&Pager<Any>)) -> Result<String, ScenarioError> {
    let scenario = Scenario::parse(text)?;
    let mut player = Player::new(&scenario.setup).map_err(|problem| ScenarioError { line: 1, problem })?;
    let mut commands = scenario.commands.iter().peekable();
    let mut told = String::new();
    for (line, number) in text.lines().zip(1u32..) {
        if line.starts_with(char::is_whitespace) {
            continue;
        }
        told.extend([line, "\n"]);
        let Some(command) = commands.next_if(|command| command.number == number) else { continue };
        let said =
            player.play(&command.command).map_err(|problem| ScenarioError { line: number, problem })?;
        after(&player.pager);
        said.iter().for_each(|said| told.extend(["    ", said, "\n"]));
    }
    Ok(told)
}
