//! The same random life on every engine, in every place, in pages of every size.

use crate::world::{ENGINES, Random, World, swap};
use mager_stores::{EngineKind, Home, Options, SwapPlace};

const BLOCKS: u32 = 200;

/// Reads, writes and releases at random, up to 64 in flight; every read is compared with the model.
fn live(options: Options, seed: u64) -> World {
    let mut random = Random(seed);
    let mut world = World::new(options);
    for _ in 0..1500 {
        let block = u32::try_from(random.below(u64::from(BLOCKS))).unwrap();
        let home = Home::Swap(block);
        match random.below(10) {
            _ if world.busy(home) || world.buffers.free() < 32 => world.settle(),
            0..4 => world.write(home),
            4..8 => world.read(home),
            8 => world.release(block),
            _ => {
                world.submit();
                world.fetch();
            }
        }
    }
    world.settle();
    (0..BLOCKS).for_each(|block| {
        world.read(Home::Swap(block));
        if world.buffers.free() < 10 {
            world.settle();
        }
    });
    world.settle();
    assert!(world.errors.is_empty(), "{:?}", world.errors);
    world
}

fn places(dir: &std::path::Path) -> [SwapPlace; 3] {
    let named = SwapPlace::Path(dir.join("swap"), mager_stores::Existing::Refuse);
    [SwapPlace::Memory, SwapPlace::Unnamed(dir.to_owned()), named]
}

#[test]
fn what_was_written_is_read_on_every_engine_in_every_place() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        for place in places(dir.path()) {
            live(swap(4096, place, BLOCKS, engine), 0xC0FFEE);
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the swap file goes with its backing");
}

#[test]
fn pages_of_every_size_are_possible() {
    let dir = tempfile::tempdir().unwrap();
    for page_size in [8192, 16384, 32768, 65536] {
        let options = swap(page_size, SwapPlace::Unnamed(dir.path().to_owned()), BLOCKS, EngineKind::Auto);
        live(Options { compressed: Some(40 * page_size), ..options }, 3);
    }
}

#[test]
fn compressed_memory_spills_into_the_swap_file() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        for (seed, budget, packers) in [(5, 100_000, 0), (6, 120_000, 1), (7, 2_000_000, 2), (8, 100_000, 3)]
        {
            let options = swap(4096, SwapPlace::Unnamed(dir.path().to_owned()), BLOCKS, engine);
            let world = live(Options { compressed: Some(budget), packers, ..options }, seed);
            let figures = world.backing.figures();
            assert!(figures.packed_bytes <= figures.packed_budget, "{figures:?}");
            assert_eq!(figures.demoted > 0, budget < 1_000_000, "{figures:?}");
            assert!(figures.spilled > 0, "what hardly compresses: {figures:?}");
        }
    }
}

/// Waiting for them makes sense even where the engine does everything at once.
#[test]
fn many_pages_at_once_are_packed_by_threads() {
    let options = swap(4096, SwapPlace::Nowhere, BLOCKS, EngineKind::Inline);
    let mut world = World::new(Options { compressed: Some(2_000_000), packers: 1, ..options });
    // No same-filled pages.
    (0..60).for_each(|block| world.write_version(Home::Swap(block), u64::from(block) * 5 + 2));
    world.submit();
    assert!(world.backing.in_flight() == 60 && world.backing.wait_fd().is_some(), "nobody has waited yet");
    world.settle();
    (0..60).for_each(|block| world.read(Home::Swap(block)));
    world.settle();
    let figures = world.backing.figures();
    assert!(world.errors.is_empty() && figures.packed_pages == 60, "{figures:?}");
}

#[test]
fn without_checksums_the_bytes_are_the_same() {
    for engine in ENGINES {
        let options = swap(4096, SwapPlace::Memory, BLOCKS, engine);
        live(Options { checksums: false, compressed: Some(200_000), ..options }, 11);
    }
}

#[test]
fn neighbours_are_written_and_read_by_one_call() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        let mut world = World::new(swap(4096, SwapPlace::Unnamed(dir.path().to_owned()), BLOCKS, engine));
        // In any order, with a gap between 40 and 50: what is written together lies together. No same-filled pages.
        for block in (0..40).chain(50..60).rev() {
            world.write_version(Home::Swap(block), u64::from(block) * 5 + 2);
        }
        world.settle();
        let figures = world.backing.figures();
        assert_eq!((figures.runs, figures.joined), (1, 50), "{engine:?}");
        (0..90).for_each(|block| world.read(Home::Swap(block)));
        world.settle();
        let figures = world.backing.figures();
        assert_eq!((figures.runs, figures.reads), (2, 90), "{engine:?}: blocks never written are not read");
    }
}

#[test]
fn pages_written_anew_lie_together_wherever_they_were() {
    for engine in ENGINES {
        let mut world = World::new(swap(4096, SwapPlace::Memory, 1000, engine));
        for lot in 0..10 {
            (lot * 50..lot * 50 + 50).for_each(|block| world.write_version(Home::Swap(block), 2));
            world.settle();
        }
        let before = world.backing.figures().runs;
        (0..500).step_by(10).for_each(|block| world.write_version(Home::Swap(block), 7));
        world.settle();
        assert!(world.backing.figures().runs - before <= 2, "{engine:?}: 50 pages in a cluster or two");
    }
}

#[test]
fn a_run_has_at_most_64_pages() {
    let mut world = World::new(swap(4096, SwapPlace::Memory, BLOCKS, EngineKind::Auto));
    (0..90).for_each(|block| world.write_version(Home::Swap(block), 2));
    world.settle();
    assert_eq!(world.backing.figures().runs, 2);
}

#[test]
fn a_lone_read_is_done_when_submit_returns() {
    for engine in ENGINES {
        let mut world = World::new(swap(4096, SwapPlace::Memory, BLOCKS, engine));
        world.write_version(Home::Swap(7), 2);
        world.settle();
        world.read(Home::Swap(7));
        world.submit();
        assert_eq!((world.fetch(), world.backing.figures().lone_reads), (1, 1), "{engine:?}");
        world.read(Home::Swap(7));
        world.write_version(Home::Swap(8), 3);
        world.settle();
        assert_eq!(world.backing.figures().lone_reads, 1, "{engine:?}: there were two");
    }
}

#[test]
fn dropping_a_backing_waits_for_what_is_in_flight() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        let mut world = World::new(swap(4096, SwapPlace::Unnamed(dir.path().to_owned()), BLOCKS, engine));
        (0..90).step_by(2).for_each(|block| world.write_version(Home::Swap(block), 2));
        world.submit();
        let (backing, buffers) = (world.backing, world.buffers);
        drop(backing);
        let free = (0..90u32).filter(|&no| !buffers.in_flight(mager_stores::BufferNo(no))).count();
        assert_eq!(free, 90, "{engine:?}: no buffer stays in flight");
    }
}

#[test]
fn a_block_that_does_not_exist_is_an_error() {
    let mut world = World::new(swap(4096, SwapPlace::Memory, 10, EngineKind::Inline));
    world.write(Home::Swap(10));
    world.read(Home::Swap(u32::MAX));
    world.settle();
    let said: Vec<_> = world.errors.iter().map(ToString::to_string).collect();
    assert_eq!(said[0], "swap block 10 does not exist: there are 10 swap blocks");
    assert_eq!(said.len(), 2);
}
