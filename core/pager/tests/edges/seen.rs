//! What the view shows.

use crate::world::{World, at, run};
use mager_pager::{Access, ArenaId, BlockNo, Config, Denied, Kind, ObjectNo, PageNo, Shown, What};
use mager_policies::Clock;

fn world() -> World<Clock> {
    World::new(Config { arena_pages: 8, ..Config::course(4, 16) }, Clock::new(4))
}

#[test]
fn every_count_counts() {
    let mut world = world();
    let start = world.pager.view().counts();
    let (a, b) = (world.with_swap(2), world.with_swap(1));
    for object in [1, 2] {
        world.pager.map_object(b, ObjectNo(object), BlockNo(0), &mut world.out).unwrap();
        world.fault(at(b, object), Access::Write).unwrap();
    }
    world.fault(at(a, 0), Access::Write).unwrap();
    let flush = world.ticket();
    world.pager.flush(What::All, flush, &mut world.out);
    world.carry_out();
    world.start(at(b, 1), Access::Write);
    let counts = world.pager.view().counts();
    assert_eq!((counts.arenas, counts.pages, counts.file_pages, counts.objects), (2, 3, 2, 2));
    assert_eq!((counts.free_frames, counts.swap_reserved, counts.in_flight), (0, 3, 2));
    assert_eq!((counts.waiting, counts.flushes), (3, 1), "the flush waits for two pages, a writer for one");
    world.settle();
    let counts = world.pager.view().counts();
    assert_eq!((counts.waiting, counts.flushes, counts.in_flight), (0, 0, 0));
    for arena in [a, b] {
        world.pager.destroy(arena, &mut world.out).unwrap();
    }
    let ghosts = world.pager.view().counts();
    assert_eq!(
        (ghosts.arenas, ghosts.pages, ghosts.objects),
        (0, 2, 2),
        "file pages stay until others need room"
    );
    let c = world.with_swap(3);
    (0..3).for_each(|page| world.fault(at(c, page), Access::Write).unwrap());
    world.pager.destroy(c, &mut world.out).unwrap();
    assert_eq!(world.pager.view().counts(), start);
}

#[test]
fn a_handle_lives_until_its_arena_is_destroyed() {
    let mut world = world();
    let old = world.with_swap(3);
    assert!(world.pager.view().lives(old));
    assert_eq!(world.pager.view().reserved_by(old), 3);
    world.pager.destroy(old, &mut world.out).unwrap();
    let new = world.with_swap(2);
    assert_eq!(old.slot, new.slot, "the slot is used again");
    let view = world.pager.view();
    assert_eq!((view.lives(old), view.lives(new)), (false, true));
    assert!(!view.lives(ArenaId { slot: 1, generation: 0 }));
    assert_eq!((view.reserved_by(old), view.reserved_by(new)), (0, 2));
}

#[test]
fn an_arena_is_full_when_no_page_of_it_is_free() {
    let mut world = world();
    let arena = world.with_swap(7);
    assert!(!world.pager.view().is_full(arena));
    world.pager.map_swap_at(arena, run(7, 1)).unwrap();
    assert!(world.pager.view().is_full(arena));
    world.unmap(arena, 3).unwrap();
    assert!(!world.pager.view().is_full(arena));
    world.pager.destroy(arena, &mut world.out).unwrap();
    assert!(!world.pager.view().is_full(arena), "one that is gone");
}

#[test]
fn a_region_tells_which_block_each_page_shows() {
    let mut world = world();
    let arena = world.with_swap(2);
    world.pager.map_object_at(arena, run(3, 3), ObjectNo(5), BlockNo(10)).unwrap();
    let region = |page| world.pager.view().region(at(arena, page));
    let file = |block| Some(Kind::Object(ObjectNo(5), BlockNo(block)));
    let seen: Vec<_> = (0..7).map(region).collect();
    assert_eq!(seen, [Some(Kind::Swap), Some(Kind::Swap), None, file(10), file(11), file(12), None]);
}

#[test]
fn the_page_table_shows_what_is_mapped_once_its_chunk_is_touched() {
    let mut world = world();
    let arena = world.with_swap(2);
    world.pager.map_object_at(arena, run(4, 1), ObjectNo(5), BlockNo(0)).unwrap();
    assert_eq!(world.fault(at(arena, 3), Access::Read), Err(Denied::BadAddress));
    assert_eq!(world.pager.view().ptes(arena), [], "a fault outside every mapping makes no entries");
    world.fault(at(arena, 1), Access::Write).unwrap();
    let shown = |world: &World<Clock>| -> Vec<(u32, Shown)> {
        world.pager.view().ptes(arena).iter().map(|(page, pte)| (page.0, pte.shown)).collect()
    };
    let page = Shown::Page(PageNo(0));
    assert_eq!(shown(&world), [(0, Shown::Untouched), (1, page), (4, Shown::Unread)]);
    assert_eq!(world.pager.view().pte(at(arena, 4)).map(|pte| pte.shown), Some(Shown::Unread));
    assert_eq!(world.pager.view().pte(at(arena, 8)), None, "past the arena");
}

#[test]
fn a_number_that_no_page_has_shows_none() {
    let mut world = world();
    let arena = world.with_swap(1);
    world.fault(at(arena, 0), Access::Write).unwrap();
    let seen = |number| world.pager.view().page(PageNo(number)).map(|page| page.sharers);
    assert_eq!(seen(0).unwrap(), [at(arena, 0)]);
    assert_eq!(seen(1), None, "the next to be used");
    assert_eq!(seen(u32::MAX), None);
    assert_eq!(world.pager.view().regions(arena), [(run(0, 1), Kind::Swap)]);
}
