//! Compressed memory: its budget, what it gives back, and what is said when it is full.

use crate::world::{ENGINES, World, swap};
use mager_stores::{EngineKind, Faults, Home, Options, StoreError, SwapPlace};

fn packed(budget: usize, place: SwapPlace) -> World {
    World::new(Options { compressed: Some(budget), ..swap(4096, place, 2000, EngineKind::Inline) })
}

/// Versions of this remainder are half compressible; see `contents`.
fn half(n: u32) -> u64 {
    u64::from(n) * 5 + 3
}

fn write_all(world: &mut World, blocks: impl Iterator<Item = u32>, version: impl Fn(u32) -> u64) {
    for block in blocks {
        world.write_version(Home::Swap(block), version(block));
        world.settle();
    }
}

#[test]
fn without_a_swap_file_a_full_memory_says_so_and_keeps_the_rest() {
    let mut world = packed(300_000, SwapPlace::Nowhere);
    write_all(&mut world, 0..300, half);
    let figures = world.backing.figures();
    assert!(figures.packed_pages > 90 && figures.packed_pages < 150, "{figures:?}");
    assert_eq!(world.errors.len() as u64 + figures.packed_pages, 300);
    assert!(world.errors.iter().all(|error| matches!(error, StoreError::Full { .. })));
    let kept = u32::try_from(figures.packed_pages).unwrap();
    for block in 0..kept {
        world.read(Home::Swap(block));
        world.settle();
    }
    assert_eq!(world.errors.len(), 300 - kept as usize, "what was kept is read");
}

#[test]
fn what_finds_no_granted_room_goes_to_the_swap_file_until_more_is_granted() {
    let mut world = packed(600_000, SwapPlace::Memory);
    let start = world.backing.packed().unwrap();
    assert_eq!(world.backing.grant_packed(0), start.used, "what there is without pages");
    write_all(&mut world, 0..20, half);
    assert_eq!((world.backing.figures().packed_pages, world.backing.figures().spilled), (0, 20));
    let granted = world.backing.grant_packed(start.used + 3 * start.step + 1);
    assert_eq!(granted, start.used + 3 * start.step);
    write_all(&mut world, 100..140, half);
    let (now, figures) = (world.backing.packed().unwrap(), world.backing.figures());
    assert!(figures.packed_pages > 10 && figures.packed_pages < 40, "{figures:?}");
    assert_eq!(now.used, granted);
    assert_eq!(world.backing.grant_packed(0), granted, "nothing that is in use goes");
    (100..140).for_each(|block| world.release(block));
    assert_eq!(world.backing.grant_packed(0), start.used);
    assert!(world.backing.grant_packed(u64::MAX) > granted);
    write_all(&mut world, 200..280, half);
    assert_eq!(world.backing.figures().spilled, figures.spilled, "there is room for all of them");
    (0..20).chain(200..280).for_each(|block| {
        world.read(Home::Swap(block));
        world.settle();
    });
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn what_hardly_compresses_goes_to_the_swap_file_where_there_is_one() {
    let raw = |n| u64::from(n) * 5 + 4;
    let mut world = packed(600_000, SwapPlace::Memory);
    write_all(&mut world, 0..10, raw);
    write_all(&mut world, 10..20, half);
    let figures = world.backing.figures();
    assert_eq!((figures.packed_pages, figures.spilled, figures.incompressible), (10, 10, 10));
    let mut nowhere = packed(600_000, SwapPlace::Nowhere);
    write_all(&mut nowhere, 0..10, raw);
    assert_eq!(nowhere.backing.figures().packed_pages, 10, "there is no other place");
}

#[test]
fn what_has_been_packed_longest_goes_to_the_swap_file_when_room_is_short() {
    for engine in ENGINES {
        let mut world =
            World::new(Options { compressed: Some(600_000), ..swap(4096, SwapPlace::Memory, 2000, engine) });
        for block in 0..1000 {
            write_all(&mut world, block..block + 1, half);
            world.submit();
        }
        // The others may be too slow for this.
        if engine == EngineKind::Inline {
            let figures = world.backing.figures();
            assert!(figures.demoted > 500 && figures.packed_pages > 150, "{figures:?}");
            let in_memory =
                |blocks: std::ops::Range<u32>| blocks.filter(|&it| world.backing.is_in_memory(it)).count();
            assert!(in_memory(0..500) < 50 && in_memory(900..1000) > 90, "the youngest are in memory");
        }
        (0..1000).for_each(|block| {
            world.read(Home::Swap(block));
            world.settle();
        });
        assert!(world.errors.is_empty(), "{:?}", world.errors);
    }
}

#[test]
fn what_is_beyond_the_aim_goes_to_the_swap_file_oldest_first() {
    let mut world = packed(600_000, SwapPlace::Memory);
    write_all(&mut world, 0..160, half);
    assert_eq!(world.backing.figures().demoted, 0, "there is room");
    assert!(world.backing.rests(), "nothing is left to do");
    let aim = world.backing.packed().map_or(0, |packed| packed.used) / 2;
    world.backing.aim_packed(aim);
    assert!(!world.backing.rests(), "pages are to leave");
    (0..50).for_each(|_| {
        world.submit();
        world.settle();
    });
    assert!(world.backing.rests(), "they have left");
    let used = world.backing.packed().map_or(0, |packed| packed.used);
    assert!(used <= aim && used + 100_000 > aim, "{used} of {aim}");
    assert!(!world.backing.is_in_memory(0) && world.backing.is_in_memory(159));
    (0..160).for_each(|block| {
        world.read(Home::Swap(block));
        world.settle();
    });
    world.backing.aim_packed(0);
    write_all(&mut world, 200..210, half);
    assert!(!world.backing.is_in_memory(200), "nothing is packed where nothing should be");
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

fn slow() -> World {
    let faults = Some(Faults { late_us: 20_000, ..Faults::default() });
    let swap = swap(4096, SwapPlace::Memory, 2000, EngineKind::Inline);
    World::new(Options { compressed: Some(300_000), faults, ..swap })
}

/// A world of which the pages that were packed first are on their way to a slow swap file.
fn leaving() -> World {
    begin_to_leave(slow())
}

fn begin_to_leave(mut world: World) -> World {
    let (mut block, before) = (0, world.backing.figures().bytes_moved);
    while world.backing.figures().bytes_moved == before {
        write_all(&mut world, block..block + 1, half);
        block += 1;
    }
    assert_eq!(world.backing.figures().demoted, 0, "nothing has arrived yet");
    world
}

/// Waits until all that were on their way have arrived; no others set out.
fn arrived(world: &mut World) -> u64 {
    std::thread::sleep(std::time::Duration::from_millis(50));
    world.fetch();
    world.backing.figures().demoted
}

#[test]
fn a_page_on_its_way_is_read_where_it_is_and_arrives() {
    let mut world = leaving();
    world.read(Home::Swap(0));
    assert_eq!(world.fetch(), 1, "at once");
    assert!(arrived(&mut world) > 0 && !world.backing.is_in_memory(0));
    world.read(Home::Swap(0));
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn a_page_released_on_its_way_does_not_come_back() {
    let mut world = leaving();
    (0..64).for_each(|block| world.release(block));
    assert_eq!(arrived(&mut world), 0);
    (0..64).for_each(|block| world.read(Home::Swap(block)));
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn a_page_packed_again_on_its_way_keeps_its_new_contents() {
    let mut world = leaving();
    (0..64).for_each(|block| world.release(block));
    write_all(&mut world, 0..20, |n| half(n + 5000));
    arrived(&mut world);
    (0..64).for_each(|block| world.read(Home::Swap(block)));
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn a_page_written_to_the_swap_file_on_its_way_there_is_what_was_written_last() {
    let mut world = leaving();
    // It hardly compresses.
    write_all(&mut world, 0..1, |_| 5 * 77 + 4);
    assert!(!world.backing.is_in_memory(0));
    arrived(&mut world);
    world.read(Home::Swap(0));
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn a_page_on_its_way_keeps_its_room_in_the_swap_file_when_that_of_released_blocks_is_given_back() {
    let mut world = slow();
    // All of these hardly compress. One less than are given back together are released.
    for blocks in [0..60, 60..120, 120..180, 180..240, 240..256] {
        blocks.for_each(|block| world.write_version(Home::Swap(block), u64::from(block) * 5 + 4));
        world.settle();
    }
    (0..255).for_each(|block| world.release(block));
    let mut world = begin_to_leave(world);
    world.release(255);
    world.submit();
    assert!(arrived(&mut world) > 0 && !world.backing.is_in_memory(0));
    world.read(Home::Swap(0));
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn where_the_swap_file_cannot_be_written_packed_pages_stay() {
    let faults = Some(Faults { failed_writes: 1000, ..Faults::default() });
    for engine in ENGINES {
        let swap = swap(4096, SwapPlace::Memory, 2000, engine);
        let mut world = World::new(Options { compressed: Some(300_000), faults, ..swap });
        write_all(&mut world, 0..200, half);
        let figures = world.backing.figures();
        assert!(figures.demoted == 0 && figures.packed_pages > 90, "{engine:?}: {figures:?}");
        let failed = world.errors.len();
        assert_eq!(failed as u64, figures.failures, "{engine:?}: those that nobody waits for are not told");
        let kept = u32::try_from(figures.packed_pages).unwrap();
        (0..kept).for_each(|block| {
            world.read(Home::Swap(block));
            world.settle();
        });
        assert_eq!(world.errors.len(), failed, "{engine:?}: what was packed is read");
    }
}

#[test]
fn released_blocks_make_room() {
    let mut world = packed(300_000, SwapPlace::Nowhere);
    for _ in 0..5 {
        write_all(&mut world, 0..60, half);
        (0..60).for_each(|block| world.release(block));
        assert_eq!(world.backing.figures().packed_pages, 0);
    }
    write_all(&mut world, 0..50, |n| u64::from(n) * 5 + 4);
    assert!(world.errors.is_empty(), "{:?}", world.errors);
    assert_eq!(world.backing.figures().incompressible, 50);
}

#[test]
fn a_page_of_one_word_takes_no_room() {
    let mut world = packed(200_000, SwapPlace::Nowhere);
    let before = world.backing.figures().packed_bytes;
    write_all(&mut world, 0..2000, |n| u64::from(n) * 5 + 1);
    let figures = world.backing.figures();
    assert_eq!((figures.packed_bytes, figures.same_filled), (before, 2000));
}

#[test]
fn a_page_of_one_double_word_takes_a_slot_of_the_smallest() {
    let mut world = packed(300_000, SwapPlace::Nowhere);
    let before = world.backing.figures().packed_bytes;
    write_all(&mut world, 0..1000, |n| u64::from(n) * 10 + 5);
    let figures = world.backing.figures();
    assert_eq!((figures.packed_pages, figures.same_filled, world.errors.len()), (1000, 0, 0));
    assert!(figures.packed_bytes - before < 100_000, "{figures:?}");
    (0..1000).for_each(|block| {
        world.read(Home::Swap(block));
        world.settle();
    });
    assert!(world.errors.is_empty(), "{:?}", world.errors);
}

#[test]
fn a_block_written_again_loses_its_old_copy() {
    let mut world = packed(300_000, SwapPlace::Memory);
    for round in 0..400 {
        write_all(&mut world, 0..5, |n| half(n + round * 7));
    }
    let figures = world.backing.figures();
    assert_eq!((figures.packed_pages, figures.spilled), (5, 0));
}

#[test]
fn reading_back_keeps_the_copy() {
    let mut world = packed(300_000, SwapPlace::Memory);
    write_all(&mut world, 0..20, half);
    let before = world.backing.figures();
    (0..20).for_each(|block| world.read(Home::Swap(block)));
    world.settle();
    let after = world.backing.figures();
    assert_eq!((before.packed_pages, before.packed_bytes), (after.packed_pages, after.packed_bytes));
    assert!(after.ratio().unwrap() > 0.5);
}

#[test]
fn the_budget_holds_whatever_is_written() {
    for budget in [80_000, 200_000, 1_000_000, 5_000_000] {
        let mut world = packed(budget, SwapPlace::Memory);
        for n in 0..3000u32 {
            world.write_version(Home::Swap(n * 7919 % 2000), u64::from(n));
            world.settle();
            let figures = world.backing.figures();
            assert!(figures.packed_bytes <= budget as u64, "{figures:?}");
        }
        assert!(world.errors.is_empty());
    }
}

#[test]
fn a_budget_that_is_too_small_says_what_is_needed() {
    let options = Options { compressed: Some(20_000), ..Options::new(4096) };
    let error = mager_stores::Backing::new(options).unwrap_err().to_string();
    assert!(error.starts_with("20000 bytes of compressed memory are too few"), "{error}");
}

/// Blocks that are all to leave compressed memory, for a file of which so many writes in a thousand fail.
fn to_leave(blocks: u32, failed_writes: u16) -> World {
    let faults = Some(Faults { seed: 3, failed_writes, ..Faults::default() });
    let swap = swap(4096, SwapPlace::Memory, 20_000, EngineKind::Inline);
    let mut world = World::new(Options { compressed: Some(8 << 20), faults, ..swap });
    write_all(&mut world, 0..blocks, half);
    world.backing.aim_packed(0);
    world
}

/// As long as most writes fail, most pages stay where they are; but none for good.
#[test]
fn failed_demotions_do_not_end_demotion_for_good() {
    let mut world = to_leave(2500, 300);
    for _ in 0..200 {
        world.submit();
        world.settle();
    }
    let figures = world.backing.figures();
    assert!(world.backing.rests(), "{} pages are stuck", figures.packed_pages);
    assert!(figures.undemoted > 0 && figures.demoted > 1000, "{figures:?}");
    (0..2500).for_each(|block| {
        world.read(Home::Swap(block));
        world.settle();
    });
    assert!(world.errors.is_empty());
}

/// A device that takes nothing is left alone for a while: each try unpacks pages, and would be made at every fault.
#[test]
fn a_dead_device_is_not_tried_again_at_once() {
    let mut world = to_leave(500, 1000);
    let tried = |world: &mut World| {
        (0..50).for_each(|_| {
            world.submit();
            world.settle();
        });
        world.backing.figures().undemoted
    };
    let first = tried(&mut world);
    assert!((1..=64).contains(&first) && world.backing.rests(), "{first}");
    assert_eq!(tried(&mut world), first);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(!world.backing.rests() && tried(&mut world) > first);
}
