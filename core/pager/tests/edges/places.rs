//! A frame that lives at one site (sharing by place): the machine is told before that site stops being its own.

use crate::world::{World, at, run};
use mager_pager::{Access, ArenaId, Config, Effect, Effects, Event, FrameNo, Refused, Sharing};
use mager_policies::Clock;

/// A page that a child has inherited, never touched, and has alone, as its parent has ended; it is being written home.
fn inherited_and_written() -> (World<Clock>, ArenaId, FrameNo) {
    let config = Config { arena_pages: 8, sharing: Sharing::Place, ..Config::course(4, 16) };
    let mut world = World::new(config, Clock::new(4));
    let parent = world.with_swap(1);
    world.fault(at(parent, 0), Access::Write).unwrap();
    let child = world.pager.fork(parent, &mut world.out).unwrap();
    world.pager.destroy(parent, &mut world.out).unwrap();
    world.carry_out();
    let frame = world.pager.view().frame_at(at(child, 0)).unwrap();
    world.step(Event::Evict { at: at(child, 0) });
    world.step(Event::Evict { at: at(child, 0) });
    (world, child, frame)
}

/// What the machine is told when the page goes while it is written.
fn told(goes: impl FnOnce(&mut World<Clock>, ArenaId) -> Result<(), Refused>) -> (Effects, Effect) {
    let (mut world, child, frame) = inherited_and_written();
    assert!(world.is_busy(), "the write is not answered");
    goes(&mut world, child).unwrap();
    let told = world.out.clone();
    world.carry_out();
    world.settle();
    (told, Effect::Unmap { at: at(child, 0), frame })
}

#[test]
fn a_page_that_is_written_home_leaves_its_site_though_it_was_never_mapped_there() {
    let (effects, unmap) = told(|world, child| world.pager.discard(child, run(0, 1), &mut world.out));
    assert!(effects.contains(&unmap), "discarded: {effects:?}");
    let (effects, unmap) = told(|world, child| world.pager.unmap(child, run(0, 1), &mut world.out));
    assert!(effects.contains(&unmap), "unmapped: {effects:?}");
    let (effects, unmap) = told(|world, child| world.pager.destroy(child, &mut world.out));
    assert!(effects.contains(&unmap), "destroyed: {effects:?}");
}
