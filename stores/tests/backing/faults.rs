//! Devices that fail and lie: never wrong bytes, and as few errors as can be.

use crate::world::{ENGINES, Random, World, swap};
use mager_stores::{Faults, Home, Options, StoreError, SwapPlace};

fn faulty(engine: mager_stores::EngineKind, faults: Faults) -> World {
    World::new(Options { faults: Some(faults), ..swap(4096, SwapPlace::Memory, 500, engine) })
}

/// Writes and reads at random; `World` compares every page that is read without an error.
fn churn(world: &mut World, seed: u64, rounds: u32) {
    let mut random = Random(seed);
    for _ in 0..rounds {
        for _ in 0..random.below(20) + 1 {
            let home = Home::Swap(u32::try_from(random.below(500)).unwrap());
            if !world.busy(home) {
                if random.below(2) == 0 { world.write(home) } else { world.read(home) }
            }
        }
        world.settle();
    }
}

#[test]
fn torn_stale_and_flipped_pages_are_never_taken_for_good() {
    let faults = Faults { torn_writes: 100, stale_writes: 100, flipped_reads: 50, ..Faults::default() };
    for engine in ENGINES {
        for seed in 1..6 {
            let mut world = faulty(engine, Faults { seed, ..faults });
            churn(&mut world, seed, 100);
            assert!(!world.errors.is_empty(), "the faults struck");
            assert!(world.errors.iter().all(|error| matches!(error, StoreError::Checksum { .. })));
            assert_eq!(world.backing.figures().checksum_failures, world.errors.len() as u64);
        }
    }
}

#[test]
fn a_damaged_page_is_named() {
    let mut world = faulty(ENGINES[0], Faults { stale_writes: 1000, ..Faults::default() });
    world.write_version(Home::Swap(123), 2);
    world.settle();
    world.read(Home::Swap(123));
    world.settle();
    let said = world.errors[0].to_string();
    assert!(said.starts_with("swap block 123 is damaged: its checksum is "), "{said}");
}

#[test]
fn a_failed_write_goes_to_a_spare_block_and_stays_there() {
    for engine in ENGINES {
        let mut world = faulty(engine, Faults { seed: 4, failed_writes: 100, ..Faults::default() });
        churn(&mut world, 77, 60);
        let figures = world.backing.figures();
        assert!(figures.bad_blocks > 0 && figures.retries > 0, "{figures:?}");
        assert!(world.errors.is_empty(), "{:?}", world.errors);
        assert!(figures.spare_blocks < 64);
    }
}

#[test]
fn a_disk_that_fails_every_write_says_so_once_for_each_page() {
    for engine in ENGINES {
        let mut world = faulty(engine, Faults { failed_writes: 1000, ..Faults::default() });
        (0..60).for_each(|block| world.write_version(Home::Swap(block), 2));
        world.settle();
        assert_eq!(world.errors.len(), 60);
        assert!(world.errors.iter().all(|error| matches!(error, StoreError::Io { write: true, .. })));
        let figures = world.backing.figures();
        assert_eq!((figures.failures, figures.spare_blocks), (60, 0));
    }
}

#[test]
fn a_run_of_which_a_part_fails_is_read_page_by_page() {
    for engine in ENGINES {
        let mut world = faulty(engine, Faults { seed: 9, failed_reads: 300, ..Faults::default() });
        (0..60).for_each(|block| world.write_version(Home::Swap(block), 2));
        world.settle();
        for _ in 0..20 {
            (0..60).for_each(|block| world.read(Home::Swap(block)));
            world.settle();
        }
        let failed = world.errors.len();
        assert!(failed > 0 && failed < 20 * 60 / 3, "{failed}: the others of the run were read");
        assert!(world.errors.iter().all(|error| matches!(error, StoreError::Io { write: false, .. })));
    }
}
