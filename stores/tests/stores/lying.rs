//! A store that lies, inside one that notices.

use crate::model::page;
use mager_stores::{BadChecksum, Checksummed, Faults, Faulty, Memory, Store};

/// Writes and reads by turns. Counts the reads that failed: with a checksum and with an error of the device.
fn lies(faults: Faults) -> (u32, u32) {
    let mut store = Checksummed::new(Faulty::new(Memory::new(4096, 10), faults), 4096, 10);
    let (mut noticed, mut failed) = (0, 0);
    let mut got = vec![0; 4096];
    let mut expected = vec![vec![0; 4096]; 10];
    for round in 0..1000u64 {
        let block = usize::try_from(round * 7 % 10).unwrap();
        let page = page(2048 + round * 3);
        if store.write(block as u64, &page).is_ok() {
            expected[block] = page;
        }
        match store.read(block as u64, &mut got) {
            Ok(()) => assert!(got == expected[block], "round {round}: a lie was believed"),
            Err(error) => match error.get_ref().and_then(|it| it.downcast_ref::<BadChecksum>()) {
                Some(bad) => {
                    assert_eq!(bad.block, block as u64);
                    noticed += 1;
                }
                None => failed += 1,
            },
        }
    }
    (noticed, failed)
}

#[test]
fn every_lie_is_noticed() {
    for seed in 1..5 {
        assert_eq!(lies(Faults { seed, ..Faults::default() }), (0, 0));
        let (noticed, failed) = lies(Faults { seed, torn_writes: 200, ..Faults::default() });
        assert!(noticed > 100 && failed == 0, "torn: {noticed} {failed}");
        let (noticed, failed) = lies(Faults { seed, stale_writes: 200, ..Faults::default() });
        assert!(noticed > 100 && failed == 0, "stale: {noticed} {failed}");
        let (noticed, failed) = lies(Faults { seed, flipped_reads: 200, ..Faults::default() });
        assert!(noticed > 100 && failed == 0, "flipped: {noticed} {failed}");
        let faults = Faults { seed, failed_reads: 200, failed_writes: 100, ..Faults::default() };
        let (noticed, failed) = lies(faults);
        assert!(noticed == 0 && failed > 100, "failed: {noticed} {failed}");
    }
}

#[test]
fn the_same_seed_fails_the_same() {
    let faults =
        Faults { seed: 3, torn_writes: 100, stale_writes: 50, failed_reads: 20, ..Faults::default() };
    assert_eq!(lies(faults), lies(faults));
}
