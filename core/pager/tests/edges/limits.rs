//! The last value that works, and the first that does not.

use crate::world::{World, at, run};
use mager_pager::{Access, BadConfig, BlockNo, Config, Denied, Effects, ObjectNo, Refused, Site, VirtPage};
use mager_policies::Clock;

/// The most pages that can be numbered.
const MAX_PAGES: u32 = 3 << 28;

fn config() -> Config {
    Config { page_size: 4096, arena_base: 0, ..Config::course(3, 16) }
}

#[test]
fn an_arena_has_at_least_one_page_and_at_most_2_to_the_31() {
    let check = |arena_pages| Config { arena_pages, ..config() }.checked().map(|it| it.arena_pages);
    assert_eq!(check(0), Err(BadConfig::ArenaPages));
    assert_eq!(check(1), Ok(1));
    assert_eq!(check(1 << 31), Ok(1 << 31));
    assert_eq!(check((1 << 31) + 1), Err(BadConfig::ArenaPages));
    assert_eq!(check(u32::MAX), Err(BadConfig::ArenaPages));
}

#[test]
fn an_arena_stands_on_a_page_and_ends_within_the_address_space() {
    let check = |arena_base| Config { arena_base, ..config() }.checked().map(|_| ());
    let bytes = u64::from(config().arena_pages) * u64::from(config().page_size);
    assert_eq!(check(4096), Ok(()));
    assert_eq!(check(2048), Err(BadConfig::ArenaBase), "not a multiple of the page size");
    assert_eq!(check(0u64.wrapping_sub(bytes)), Err(BadConfig::ArenaBase), "one past its end is no address");
    assert_eq!(check(0u64.wrapping_sub(bytes + 4096)), Ok(()));
    assert_eq!(check(0u64.wrapping_sub(4096)), Err(BadConfig::ArenaBase));
}

#[test]
fn frames_and_swap_blocks_have_numbers_enough() {
    let frames = |frames| Config { frames, ..config() }.checked().map(|_| ());
    assert_eq!(frames(1), Err(BadConfig::Frames), "the zero page alone");
    assert_eq!((frames(2), frames(1 << 29)), (Ok(()), Ok(())));
    assert_eq!(frames((1 << 29) + 1), Err(BadConfig::Frames));
    assert_eq!(frames(u32::MAX), Err(BadConfig::Frames));
    let swap = |swap_blocks| Config { swap_blocks, ..config() }.checked().map(|_| ());
    assert_eq!((swap(0), swap(MAX_PAGES)), (Ok(()), Ok(())));
    assert_eq!(swap(MAX_PAGES + 1), Err(BadConfig::SwapBlocks));
    assert_eq!(swap(u32::MAX), Err(BadConfig::SwapBlocks));
}

/// Private pages have their numbers for certain, so those that are left are few here.
#[test]
fn file_pages_get_the_numbers_that_private_pages_leave() {
    let config = Config { swap_blocks: MAX_PAGES - 1, ..config() };
    let mut world = World::new(config, Clock::new(config.frames));
    let arena = world.pager.create().unwrap();
    let mut map = |block| world.pager.map_object(arena, ObjectNo(1), BlockNo(block), &mut Effects::new());
    assert_eq!(map(0), Ok(VirtPage(0)));
    assert_eq!(map(1), Err(Refused::Full));
    assert_eq!(map(0), Ok(VirtPage(1)), "a page that has a number");
    world.pager.map_object_at(arena, run(2, 2), ObjectNo(1), BlockNo(0)).unwrap();
    assert_eq!(world.fault(at(arena, 2), Access::Read), Ok(()));
    assert_eq!(world.fault(at(arena, 3), Access::Read), Err(Denied::NoMemory));
}

/// The directory of an arena has two levels; the upper one begins at 2^18 pages.
#[test]
fn pages_far_up_in_an_arena_are_found_again() {
    let config = Config { arena_pages: 1 << 20, ..config() };
    let mut world = World::new(config, Clock::new(config.frames));
    let arena = world.pager.create().unwrap();
    for page in [600, 300_000, 1_000_000] {
        world.pager.map_swap_at(arena, run(page, 2)).unwrap();
        world.fault(at(arena, page), Access::Write).unwrap();
    }
    let pages = |world: &World<Clock>, arena| -> Vec<u32> {
        world.pager.view().ptes(arena).iter().map(|(page, _)| page.0).collect()
    };
    let all = [600, 601, 300_000, 300_001, 1_000_000, 1_000_001];
    assert_eq!(pages(&world, arena), all);
    let child = world.pager.fork(arena, &mut world.out).unwrap();
    world.carry_out();
    assert_eq!(pages(&world, child), all);
    assert_eq!(world.fault(Site { arena: child, page: VirtPage(300_000) }, Access::Read), Ok(()));
    for arena in [arena, child] {
        world.pager.destroy(arena, &mut world.out).unwrap();
        world.carry_out();
        world.settle();
    }
    let counts = world.pager.view().counts();
    assert_eq!((counts.pages, counts.swap_reserved, counts.free_frames), (0, 0, 2));
}
