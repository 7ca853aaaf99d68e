//! Bits that a machine keeps: references that it takes away when it is told, and stores that are expected.

use crate::world::{World, at};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Effect, Effects, Event, FrameNo, ObjectNo, References, Sharing,
};
use mager_policies::Clock;

fn world(references: References, sharing: Sharing) -> World<Clock> {
    World::new(Config { arena_pages: 8, references, sharing, ..Config::course(4, 16) }, Clock::new(4))
}

/// What comes of an event, carried out.
fn effects(world: &mut World<Clock>, event: Event) -> Effects {
    let mut out = Effects::new();
    world.pager.step(event, &mut out);
    world.out.extend(out.iter().copied());
    world.carry_out();
    out
}

/// A page of a file that both arenas show, in a frame.
fn shared_file() -> (World<Clock>, [ArenaId; 2], FrameNo) {
    let mut world = world(References::Sticky, Sharing::Frame);
    let arenas = [0, 1].map(|_| {
        let arena = world.pager.create().unwrap();
        world.pager.map_object(arena, ObjectNo(1), BlockNo(0), &mut world.out).unwrap();
        world.carry_out();
        arena
    });
    arenas.iter().for_each(|&arena| world.fault(at(arena, 0), Access::Read).unwrap());
    let frame = world.pager.view().frame_at(at(arenas[0], 0)).unwrap();
    (world, arenas, frame)
}

#[test]
fn a_sticky_bit_is_cleared_wherever_the_frame_is_shown_and_set_by_a_touch() {
    let (mut world, arenas, frame) = shared_file();
    let cleared = effects(&mut world, Event::Evict { at: at(arenas[0], 0) });
    assert_eq!(cleared, arenas.map(|arena| Effect::Clear { at: at(arena, 0), frame }));
    let touched = Event::Touched { frame, access: Access::Read };
    assert_eq!(effects(&mut world, touched), [], "it is mapped all the while");
    let again = effects(&mut world, Event::Evict { at: at(arenas[0], 0) });
    assert_eq!(again, cleared, "the touch counted");
    let gone = effects(&mut world, Event::Evict { at: at(arenas[0], 0) });
    assert_eq!(gone.len(), 2, "untouched, it leaves both: {gone:?}");
    assert!(world.pager.view().frame_at(at(arenas[0], 0)).is_none());
}

/// A page that was written home and read again: it is clean.
fn clean(sharing: Sharing) -> (World<Clock>, ArenaId) {
    let mut world = world(References::None, sharing);
    let arena = world.with_swap(2);
    world.fault(at(arena, 0), Access::Write).unwrap();
    effects(&mut world, Event::Evict { at: at(arena, 0) });
    world.settle();
    assert!(world.pager.view().frame_at(at(arena, 0)).is_none(), "it was written, and has left");
    world.fault(at(arena, 0), Access::Read).unwrap();
    (world, arena)
}

fn store_expected(arena: ArenaId) -> Event {
    Event::Ahead { at: at(arena, 0), access: Access::Write }
}

#[test]
fn an_expected_store_makes_a_page_dirty_and_needs_no_fault() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        let (mut world, arena) = clean(sharing);
        let frame = world.pager.view().frame_at(at(arena, 0)).unwrap();
        let shown = Effect::Map { at: at(arena, 0), frame, access: Access::Write };
        assert_eq!(effects(&mut world, store_expected(arena)), [shown]);
        assert_eq!(effects(&mut world, store_expected(arena)), [], "once is enough");
        let leaves = effects(&mut world, Event::Evict { at: at(arena, 0) });
        assert!(leaves.iter().any(|effect| matches!(effect, Effect::Write { .. })), "{leaves:?}");
    }
}

#[test]
fn a_store_to_what_others_share_is_not_expected() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        let (mut world, arena) = clean(sharing);
        let _child = world.pager.fork(arena, &mut world.out).unwrap();
        world.carry_out();
        assert_eq!(effects(&mut world, store_expected(arena)), []);
    }
    let (mut world, arenas, _) = shared_file();
    assert_eq!(effects(&mut world, store_expected(arenas[0])), [], "a file is everyone's");
}
