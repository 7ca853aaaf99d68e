//! What one page or arena is doing does not stand in the way of another.

use crate::world::{World, at, run};
use mager_pager::{
    Access, BlockNo, Config, Denied, Event, FrameNo, ObjectNo, References, Refused, Sharing, What,
};
use mager_policies::Clock;

fn world(frames: u32) -> World<Clock> {
    let config = Config { arena_pages: 8, ..Config::course(frames, 16) };
    World::new(config, Clock::new(frames))
}

#[test]
fn a_pin_holds_its_own_page_and_no_other() {
    let mut world = world(8);
    let (a, b) = (world.with_swap(3), world.with_swap(3));
    for site in [at(a, 0), at(a, 1), at(a, 2), at(b, 1)] {
        world.fault(site, Access::Write).unwrap();
    }
    world.pager.pin(at(a, 1), Access::Write).unwrap();
    assert_eq!(world.unmap(b, 1), Ok(()), "the same page of another arena");
    assert_eq!(world.unmap(a, 0), Ok(()), "the page before");
    assert_eq!(world.unmap(a, 2), Ok(()), "the page after");
    assert_eq!(world.unmap(a, 1), Err(Refused::Pinned));
}

#[test]
fn only_a_private_page_pinned_by_the_parent_forbids_a_fork() {
    let mut world = world(8);
    let (a, b) = (world.with_swap(1), world.with_swap(1));
    let file = world.pager.map_object(b, ObjectNo(1), BlockNo(0), &mut world.out).unwrap();
    world.fault(at(a, 0), Access::Write).unwrap();
    world.fault(at(b, file.0), Access::Read).unwrap();
    world.pager.pin(at(a, 0), Access::Write).unwrap();
    world.pager.pin(at(b, file.0), Access::Read).unwrap();
    assert_eq!(world.pager.fork(a, &mut world.out), Err(Refused::Pinned));
    assert!(world.pager.fork(b, &mut world.out).is_ok());
    world.carry_out();
}

/// The write was not promised to anybody: whoever waits for a frame goes on waiting.
#[test]
fn a_flush_that_fails_denies_nobody_but_who_asked_for_it() {
    let mut world = world(3);
    let arena = world.with_swap(1);
    for block in 0..2 {
        world.pager.map_object(arena, ObjectNo(1), BlockNo(block), &mut world.out).unwrap();
    }
    world.carry_out();
    world.fault(at(arena, 1), Access::Write).unwrap();
    let flush = world.ticket();
    world.pager.flush(What::All, flush, &mut world.out);
    world.carry_out();
    let reader = world.start(at(arena, 2), Access::Read);
    let writer = world.start(at(arena, 0), Access::Write);
    assert_eq!(world.pager.view().demands().len(), 1, "the writer waits for a frame, and both are in flight");
    world.fail();
    assert_eq!(world.resumed.get(&flush), Some(&Err(Denied::Io)));
    assert_eq!(world.resumed.get(&writer), None);
    world.settle();
    assert_eq!((world.resumed[&reader], world.resumed[&writer]), (Ok(()), Ok(())));
}

#[test]
fn a_harvested_bit_counts_and_one_that_comes_late_does_no_harm() {
    let config = Config { arena_pages: 8, references: References::Hardware, ..Config::course(3, 16) };
    let mut world = World::new(config, Clock::new(3));
    let arena = world.pager.create().unwrap();
    for block in 0..3 {
        world.pager.map_object(arena, ObjectNo(1), BlockNo(block), &mut world.out).unwrap();
        world.carry_out();
        world.fault(at(arena, block), Access::Read).unwrap();
    }
    let referenced = |world: &World<Clock>| -> Vec<bool> {
        world.pager.view().frames().iter().map(|frame| frame.referenced).collect()
    };
    assert_eq!(world.pager.view().counters().second_chances, 2, "the hand went round once");
    assert_eq!(referenced(&world), [false, true, false]);
    let touched = |frame| Event::Touched { frame: FrameNo(frame), access: Access::Read };
    world.step(touched(2));
    assert_eq!(referenced(&world), [false, true, true]);
    world.step(touched(3));
    world.step(touched(u32::MAX));
    world.pager.destroy(arena, &mut world.out).unwrap();
    world.step(touched(0));
    assert!(!referenced(&world)[0], "the zero page has no bit");
}

/// A guess about a file mapping that was never touched is worth as much as one about a page that was.
#[test]
fn a_page_of_a_file_comes_in_ahead_of_its_first_touch() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        let config = Config { arena_pages: 8, sharing, ..Config::course(4, 16) };
        let mut world = World::new(config, Clock::new(4));
        let arena = world.pager.create().unwrap();
        world.pager.map_object_at(arena, run(0, 4), ObjectNo(1), BlockNo(0)).unwrap();
        for page in [1, 3] {
            world.step(Event::Ahead { at: at(arena, page), access: Access::Read });
        }
        let view = world.pager.view();
        assert_eq!((view.counts().in_flight, view.counters().aheads, view.counters().page_ins), (2, 2, 2));
        world.settle();
        assert_eq!(world.pager.view().pte(at(arena, 3)).unwrap().access, Some(Access::Read));
    }
}

/// Others that wait for a page-in keep their places in the queue.
#[test]
fn a_discard_takes_its_own_page_in_off_the_queue_and_no_other() {
    let mut world = world(3);
    let arena = world.with_swap(2);
    for block in 0..3 {
        world.pager.map_object(arena, ObjectNo(1), BlockNo(block), &mut world.out).unwrap();
    }
    world.carry_out();
    world.fault(at(arena, 0), Access::Write).unwrap();
    for page in [2, 3] {
        world.start(at(arena, page), Access::Read);
    }
    while world.pager.view().pte(at(arena, 0)).unwrap().access.is_some() {
        world.answer();
    }
    world.start(at(arena, 4), Access::Read);
    assert_eq!(world.pager.view().counts().in_flight, 2, "both frames are being read into");
    for (page, access) in [(2, Access::Read), (1, Access::Write), (0, Access::Read)] {
        world.start(at(arena, page), access);
    }
    let queue = |world: &World<Clock>| world.pager.view().demands();
    let before = queue(&world);
    assert_eq!(before.len(), 3);
    world.pager.discard(arena, run(0, 1), &mut world.out).unwrap();
    world.carry_out();
    assert_eq!(queue(&world), before[..2]);
    world.settle();
    assert!(world.resumed.values().all(Result::is_ok));
}
