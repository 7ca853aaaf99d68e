//! Every store keeps blocks as an array of arrays does.

use mager_stores::{Checksummed, Compressed, Existing, Faults, Faulty, Memory, PlainFile, Store, SwapFile};
use proptest::prelude::*;
use std::fs::File;

const BLOCKS: u64 = 24;
const PAGE: usize = 4096;

#[derive(Clone, Debug)]
enum Step {
    Write(u64, u64),
    Read(u64),
    Discard(u64, u64),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..BLOCKS, any::<u64>()).prop_map(|(block, seed)| Step::Write(block, seed)),
        4 => (0..BLOCKS).prop_map(Step::Read),
        1 => (0..BLOCKS, 0..5u64).prop_map(|(block, count)| Step::Discard(block, count.min(BLOCKS - block))),
        1 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 1..120)
}

/// From a seed: one word, or a part that does not compress and a part that does.
pub fn page(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut page = vec![u8::try_from(seed % 256).unwrap(); PAGE];
    let random = usize::try_from(seed / 256 % 9).unwrap() * PAGE / 8;
    page[..random].chunks_mut(8).for_each(|it| it.copy_from_slice(&next()));
    page
}

fn obeys(mut store: impl Store, steps: &[Step]) {
    let mut model = vec![vec![0; PAGE]; usize::try_from(BLOCKS).unwrap()];
    let mut got = vec![0xA5; PAGE];
    for step in steps {
        match *step {
            Step::Write(block, seed) => {
                let page = page(seed);
                store.write(block, &page).unwrap();
                model[usize::try_from(block).unwrap()] = page;
            }
            Step::Read(block) => {
                store.read(block, &mut got).unwrap();
                assert!(got == model[usize::try_from(block).unwrap()], "block {block}");
            }
            Step::Discard(block, count) => {
                store.discard(block, count).unwrap();
                let range = usize::try_from(block).unwrap()..usize::try_from(block + count).unwrap();
                model[range].iter_mut().for_each(|page| page.fill(0));
            }
            Step::Sync => store.sync().unwrap(),
        }
    }
    for (block, expected) in (0..).zip(&model) {
        store.read(block, &mut got).unwrap();
        assert!(&got == expected, "block {block} at the end");
    }
    refuses(store);
}

fn refuses(mut store: impl Store) {
    let mut page = vec![1; PAGE];
    assert!(store.write(BLOCKS, &page).is_err(), "a block that is not there cannot be written");
    assert!(store.write(u64::MAX, &page).is_err());
    let _ = store.read(u64::MAX, &mut page);
    let _ = store.discard(u64::MAX, u64::MAX);
}

fn plain(dir: &std::path::Path) -> PlainFile {
    let path = dir.join("plain");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path).unwrap();
    file.set_len(BLOCKS * PAGE as u64).unwrap();
    PlainFile::new(file, PAGE).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_store_keeps_what_was_written(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let blocks = usize::try_from(BLOCKS).unwrap();
        obeys(Memory::new(PAGE, blocks), &steps);
        obeys(Compressed::new(PAGE, blocks, 400_000).unwrap(), &steps);
        obeys(plain(dir.path()), &steps);
        obeys(SwapFile::unnamed(dir.path(), PAGE, BLOCKS).unwrap(), &steps);
        obeys(SwapFile::in_memory(PAGE, BLOCKS).unwrap(), &steps);
        obeys(SwapFile::create(&dir.path().join("swap"), PAGE, BLOCKS, Existing::Refuse).unwrap(), &steps);
        obeys(Checksummed::new(Memory::new(PAGE, blocks), PAGE, blocks), &steps);
        obeys(Faulty::new(Memory::new(PAGE, blocks), Faults::default()), &steps);
    }

    #[test]
    fn compressed_memory_never_exceeds_its_budget_and_refuses_cleanly(steps in steps(), budget in 56_000usize..140_000) {
        let mut store = Compressed::new(PAGE, 24, budget).unwrap();
        let mut model = vec![vec![0; PAGE]; 24];
        let mut got = vec![0; PAGE];
        for step in steps {
            match step {
                Step::Write(block, seed) => {
                    let page = page(seed);
                    match store.write(block, &page) {
                        Ok(()) => model[usize::try_from(block).unwrap()] = page,
                        Err(error) => prop_assert_eq!(error.kind(), std::io::ErrorKind::StorageFull),
                    }
                }
                Step::Discard(block, count) => {
                    store.discard(block, count).unwrap();
                    let range = usize::try_from(block).unwrap()..usize::try_from(block + count).unwrap();
                    model[range].iter_mut().for_each(|page| page.fill(0));
                }
                Step::Read(_) | Step::Sync => {}
            }
            prop_assert!(store.used() <= store.budget() && store.budget() == budget);
        }
        for (block, expected) in (0..).zip(&model) {
            store.read(block, &mut got).unwrap();
            prop_assert!(&got == expected, "block {}", block);
        }
    }
}

#[test]
fn a_compressed_store_that_is_emptied_can_be_filled_again() {
    let mut store = Compressed::new(PAGE, 1000, 200_000).unwrap();
    let empty = store.used();
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push((0..1000).take_while(|&block| store.write(block, &page(2048 + block)).is_ok()).count());
        store.discard(0, 1000).unwrap();
        assert_eq!(store.used(), empty);
    }
    assert!(counts[0] > 20 && counts.iter().all(|&count| count == counts[0]), "{counts:?}");
}

#[test]
fn a_plain_file_keeps_its_length() {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &[7; PAGE + 100]).unwrap();
    let mut store = PlainFile::new(file.try_clone().unwrap(), PAGE).unwrap();
    let mut got = vec![1; PAGE];
    store.read(1, &mut got).unwrap();
    assert!(got[..100] == [7; 100] && got[100..].iter().all(|&byte| byte == 0));
    store.read(5, &mut got).unwrap();
    assert!(got.iter().all(|&byte| byte == 0));
    store.write(1, &[9; PAGE]).unwrap();
    assert!(store.write(2, &[9; PAGE]).is_err());
    store.discard(0, 100).unwrap();
    assert_eq!(file.metadata().unwrap().len(), PAGE as u64 + 100);
    store.read(1, &mut got).unwrap();
    assert!(got.iter().all(|&byte| byte == 0));
}
