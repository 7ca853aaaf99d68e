//! What a policy is told and asked, and what becomes of one that breaks its laws.

use crate::world::{World, at};
use mager_pager::{Access, BlockNo, Config, Denied, ObjectNo};
use mager_policies::{FrameNo, Frames, Gone, Observes, PageNo, Policy};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// First in, first out; remembers what it was told, and can be made to break its laws.
#[derive(Default)]
struct Spy {
    frames: VecDeque<FrameNo>,
    /// The dirty frames of those it holds, at each time a victim was asked for.
    dirty: Rc<RefCell<Vec<Vec<FrameNo>>>>,
    /// The frames that are to hold pages, each time it was told.
    sizes: Rc<RefCell<Vec<u32>>>,
    /// Proposes nothing.
    stubborn: bool,
    /// Says that it holds nothing.
    secretive: bool,
}

impl Policy for Spy {
    fn needs(&self) -> Observes {
        Observes::Faults
    }
    fn admit(&mut self, frame: FrameNo, _page: PageNo) {
        self.frames.push_back(frame);
    }
    fn remove(&mut self, frame: FrameNo, _why: Gone) {
        self.frames.retain(|&it| it != frame);
    }
    fn resize(&mut self, frames: u32) {
        self.sizes.borrow_mut().push(frames);
    }
    fn victim(&mut self, _incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
        let dirty = self.frames.iter().copied().filter(|&frame| frames.dirty(frame)).collect();
        self.dirty.borrow_mut().push(dirty);
        let first = self.frames.iter().copied().find(|&frame| frames.evictable(frame));
        if self.stubborn { None } else { first }
    }
    fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
        if !self.secretive {
            self.frames.iter().for_each(|&frame| visit(frame));
        }
    }
}

fn world(spy: Spy) -> World<Spy> {
    World::new(Config { arena_pages: 8, ..Config::course(4, 8) }, spy)
}

#[test]
fn a_policy_is_told_how_many_frames_are_in_circulation_when_that_changes() {
    let spy = Spy::default();
    let sizes = Rc::clone(&spy.sizes);
    let mut world = world(spy);
    let arena = world.with_swap(1);
    assert_eq!(world.pager.withhold(0), 0);
    assert_eq!(world.pager.withhold(1), 1);
    assert_eq!(world.pager.withhold(9), 1, "one frame always stays");
    assert_eq!(world.fault(at(arena, 0), Access::Write), Ok(()));
    assert_eq!(world.pager.restore(9, &mut world.out), 2);
    assert_eq!(world.pager.restore(9, &mut world.out), 0);
    world.carry_out();
    assert_eq!(*sizes.borrow(), [2, 1, 3]);
    assert_eq!(world.pager.view().counts().withheld_frames, 0);
}

#[test]
fn frames_that_are_kept_free_are_none_of_the_policys() {
    let spy = Spy::default();
    let sizes = Rc::clone(&spy.sizes);
    let config = Config { low_water: 2, ..Config::course(8, 8) };
    let usable = config.usable_frames();
    let mut world = World::new(config, spy);
    assert_eq!(*sizes.borrow(), [usable - 2]);
    assert_eq!(world.pager.withhold(1), 1);
    assert_eq!(*sizes.borrow(), [usable - 2, usable - 3]);
}

#[test]
fn a_policy_sees_which_frames_are_dirty() {
    let spy = Spy::default();
    let dirty = Rc::clone(&spy.dirty);
    let mut world = world(spy);
    let arena = world.with_swap(5);
    for block in 0..3 {
        world.pager.map_object(arena, ObjectNo(1), BlockNo(block), &mut world.out).unwrap();
    }
    world.carry_out();
    world.fault(at(arena, 5), Access::Read).unwrap();
    world.fault(at(arena, 0), Access::Write).unwrap();
    world.fault(at(arena, 6), Access::Write).unwrap();
    assert!(dirty.borrow().is_empty(), "there was a free frame for each");
    world.fault(at(arena, 1), Access::Write).unwrap();
    assert_eq!(dirty.borrow().as_slice(), [[FrameNo(2), FrameNo(3)]], "frame 1 is clean, and goes");
    world.start(at(arena, 2), Access::Write);
    world.start(at(arena, 3), Access::Write);
    let all = [FrameNo(2), FrameNo(3), FrameNo(1)];
    assert_eq!(dirty.borrow().last().unwrap().as_slice(), all, "one that is being written is dirty as well");
    world.settle();
}

/// A pager never waits for a frame that cannot come.
#[test]
fn without_a_victim_and_without_io_in_flight_a_fault_is_denied() {
    let mut world = world(Spy { stubborn: true, ..Spy::default() });
    let arena = world.with_swap(4);
    for page in 0..3 {
        world.fault(at(arena, page), Access::Write).unwrap();
    }
    assert_eq!(world.fault(at(arena, 3), Access::Write), Err(Denied::NoMemory));
}

#[test]
fn check_notices_a_policy_that_does_not_hold_what_it_was_given() {
    let mut world = world(Spy::default());
    let arena = world.with_swap(1);
    world.fault(at(arena, 0), Access::Write).unwrap();
    let mut wrong = self::world(Spy { secretive: true, ..Spy::default() });
    let arena = wrong.with_swap(1);
    let cause = catch_unwind(AssertUnwindSafe(|| wrong.fault(at(arena, 0), Access::Write))).unwrap_err();
    let said = cause.downcast_ref::<String>().unwrap();
    assert!(said.contains("policy: it holds exactly the replaceable frames"), "{said}");
}
