//! The loop that joins the core to a machine.

use alloc::rc::Rc;
use core::cell::RefCell;

use crate::{Control, Hardware, Io, Outcome, Paging, apply};
use mager_pager::{
    ArenaId, BadConfig, BlockNo, Config, Effect, Effects, Event, ObjectNo, Pager, Refused, VirtPage,
};
use mager_policies::Policy;

/// Sees everything that goes into the core and comes out of it, before it is carried out.
pub trait Recorder {
    /// A control call, its outcome and its effects.
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        let _ = (call, outcome, effects);
    }
    /// An event and its effects.
    fn event(&mut self, event: &Event, effects: &[Effect]) {
        let _ = (event, effects);
    }
    /// Something a person would want to know, such as the name of an object. Means nothing to the run.
    fn note(&mut self, text: core::fmt::Arguments<'_>) {
        let _ = text;
    }
}

/// Records nothing.
impl Recorder for () {}

/// Both see everything, the first one first.
impl<A: Recorder, B: Recorder> Recorder for (A, B) {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.0.control(call, outcome, effects);
        self.1.control(call, outcome, effects);
    }
    fn event(&mut self, event: &Event, effects: &[Effect]) {
        self.0.event(event, effects);
        self.1.event(event, effects);
    }
    fn note(&mut self, text: core::fmt::Arguments<'_>) {
        self.0.note(text);
        self.1.note(text);
    }
}

/// A recorder that whoever made it keeps a hand on.
impl<R: Recorder> Recorder for Rc<RefCell<R>> {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        self.borrow_mut().control(call, outcome, effects);
    }
    fn event(&mut self, event: &Event, effects: &[Effect]) {
        self.borrow_mut().event(event, effects);
    }
    fn note(&mut self, text: core::fmt::Arguments<'_>) {
        self.borrow_mut().note(text);
    }
}

/// Perhaps a recorder.
impl<R: Recorder> Recorder for Option<R> {
    fn control(&mut self, call: &Control, outcome: &Outcome, effects: &[Effect]) {
        if let Some(recorder) = self {
            recorder.control(call, outcome, effects);
        }
    }
    fn event(&mut self, event: &Event, effects: &[Effect]) {
        if let Some(recorder) = self {
            recorder.event(event, effects);
        }
    }
    fn note(&mut self, text: core::fmt::Arguments<'_>) {
        if let Some(recorder) = self {
            recorder.note(text);
        }
    }
}

/// The core, a recorder, and the reused buffer of effects between them and a machine.
///
/// The machine is lent to each call, so that whoever owns it can use it in between.
#[derive(Debug)]
pub struct Driver<P, R> {
    pager: Pager<P>,
    effects: Effects,
    /// What sees the run.
    pub recorder: R,
}

impl<P: Policy, R: Recorder> Driver<P, R> {
    /// A driver with a new pager.
    pub fn new(config: Config, policy: P, recorder: R) -> Result<Self, BadConfig> {
        Ok(Driver { pager: Pager::new(config, policy)?, effects: Effects::new(), recorder })
    }

    /// The core: to be looked at, and asked for objects that were forgotten.
    pub fn pager(&mut self) -> &mut Pager<P> {
        &mut self.pager
    }

    /// Everything there is to see of the core.
    pub fn view(&self) -> mager_pager::View<'_, P> {
        self.pager.view()
    }

    /// Takes one event in and carries its effects out. I/O is started, not waited for.
    pub fn step(&mut self, event: Event, machine: &mut (impl Hardware + Paging)) {
        self.effects.clear();
        self.pager.step(event, &mut self.effects);
        self.recorder.event(&event, &self.effects);
        self.carry_out(machine);
    }

    /// Takes one event in, and every answer that is there after it: on a machine whose I/O is finished as soon as
    /// it is started, the event is handled to completion.
    pub fn deliver(&mut self, event: Event, machine: &mut (impl Hardware + Paging)) {
        let mut next = Some(event);
        while let Some(event) = next {
            self.step(event, machine);
            next = machine.finished();
        }
    }

    /// Makes a control call and carries its effects out.
    pub fn call(&mut self, call: Control, machine: &mut (impl Hardware + Paging)) -> Outcome {
        self.effects.clear();
        let outcome = apply(&mut self.pager, call, &mut self.effects);
        self.recorder.control(&call, &outcome, &self.effects);
        self.carry_out(machine);
        outcome
    }

    /// The same, with every answer that is there after it.
    pub fn control(&mut self, call: Control, machine: &mut (impl Hardware + Paging)) -> Outcome {
        let outcome = self.call(call, machine);
        if let Some(answer) = machine.finished() {
            self.deliver(answer, machine);
        }
        outcome
    }

    /// [`Pager::create`].
    pub fn create(&mut self, machine: &mut (impl Hardware + Paging)) -> Result<ArenaId, Refused> {
        arena(self.control(Control::Create, machine))
    }

    /// [`Pager::fork`].
    pub fn fork(
        &mut self,
        parent: ArenaId,
        machine: &mut (impl Hardware + Paging),
    ) -> Result<ArenaId, Refused> {
        arena(self.control(Control::Fork(parent), machine))
    }

    /// [`Pager::map_swap`].
    pub fn map_swap(
        &mut self,
        arena: ArenaId,
        machine: &mut (impl Hardware + Paging),
    ) -> Result<VirtPage, Refused> {
        page(self.control(Control::MapSwap(arena), machine))
    }

    /// [`Pager::map_object`].
    pub fn map_object(
        &mut self,
        arena: ArenaId,
        object: ObjectNo,
        block: BlockNo,
        machine: &mut (impl Hardware + Paging),
    ) -> Result<VirtPage, Refused> {
        page(self.control(Control::MapObject(arena, object, block), machine))
    }

    /// [`Pager::destroy`].
    pub fn destroy(&mut self, arena: ArenaId, machine: &mut (impl Hardware + Paging)) -> Result<(), Refused> {
        match self.control(Control::Destroy(arena), machine) {
            Outcome::Refused(why) => Err(why),
            Outcome::Done | Outcome::Arena(_) | Outcome::Page(_) | Outcome::Frame(_) | Outcome::Frames(_) => {
                Ok(())
            }
        }
    }

    fn carry_out(&mut self, machine: &mut (impl Hardware + Paging)) {
        for &effect in &self.effects {
            match effect {
                Effect::Map { at, frame, access } => machine.map(at, frame, access),
                Effect::Clear { at, frame } => machine.clear(at, frame),
                Effect::Unmap { at, frame } => machine.unmap(at, frame),
                Effect::Zero { frame, at } => machine.zero(frame, at),
                Effect::Copy { from, to, at } => machine.copy(from, to, at),
                Effect::Read { frame, home, at } => machine.start(Io::Read { frame, home, at }),
                Effect::Write { frame, home } => machine.start(Io::Write { frame, home }),
                Effect::Empty { frame } => machine.empty(frame),
                Effect::Release { block } => machine.release(block),
                Effect::Resume { who, outcome } => machine.resume(who, outcome),
            }
        }
    }
}

fn arena(outcome: Outcome) -> Result<ArenaId, Refused> {
    match outcome {
        Outcome::Arena(id) => Ok(id),
        Outcome::Refused(why) => Err(why),
        Outcome::Done | Outcome::Page(_) | Outcome::Frame(_) | Outcome::Frames(_) => {
            unreachable!("control: it makes an arena")
        }
    }
}

fn page(outcome: Outcome) -> Result<VirtPage, Refused> {
    match outcome {
        Outcome::Page(page) => Ok(page),
        Outcome::Refused(why) => Err(why),
        Outcome::Done | Outcome::Arena(_) | Outcome::Frame(_) | Outcome::Frames(_) => {
            unreachable!("control: it maps a page")
        }
    }
}
