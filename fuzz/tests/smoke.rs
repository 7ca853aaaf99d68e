//! The corpora, and mutations of them from one seed.

use mager_sim::Random;
use std::path::{Path, PathBuf};

const MUTATIONS: u32 = 3000;

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("readable")).collect()
}

fn corpus(name: &str, more: &[&str]) -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = files(&here.join("corpus").join(name));
    inputs.extend(more.iter().flat_map(|folder| files(&here.join(folder))));
    assert!(!inputs.is_empty(), "a corpus is not empty");
    inputs
}

/// Some bytes changed, some left out, some put in twice.
fn mutated(random: &mut Random, input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.within(1, 8) {
        let length = u32::try_from(bytes.len()).expect("small");
        let at = random.below(length + 1) as usize;
        match random.below(4) {
            0 => bytes.insert(at, random.bits().to_le_bytes()[0]),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {
                let end = (at + random.below(40) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn smoke(inputs: &[Vec<u8>], target: fn(&[u8])) {
    inputs.iter().for_each(|input| target(input));
    let mut random = Random::new(1);
    for _ in 0..MUTATIONS {
        let count = u32::try_from(inputs.len()).expect("few");
        let input = &inputs[random.below(count) as usize];
        target(&mutated(&mut random, input));
    }
}

/// Bytes at random, for targets to which any bytes are as good as others.
fn noise(count: u32, length: u32) -> Vec<Vec<u8>> {
    let mut random = Random::new(2);
    (0..count)
        .map(|_| (0..random.within(10, length)).map(|_| random.bits().to_le_bytes()[3]).collect())
        .collect()
}

#[test]
fn events_straight_into_the_core() {
    smoke(&corpus("core_events", &[]), mager_fuzz::core_events);
    smoke(&noise(500, 600), mager_fuzz::core_events);
}

#[test]
fn whole_worlds() {
    smoke(&corpus("worlds", &[]), mager_fuzz::worlds);
    smoke(&noise(500, 1500), mager_fuzz::worlds);
}

#[test]
fn scenario_texts() {
    let more = ["../machines/sim/tests/scenarios", "../core/driver/tests/scenarios"];
    smoke(&corpus("scenarios", &more), mager_fuzz::scenarios);
}

#[test]
fn event_logs() {
    smoke(&corpus("event_log", &[]), mager_fuzz::event_log);
}

#[test]
fn course_messages() {
    smoke(&corpus("protocol", &[]), mager_fuzz::protocol);
    smoke(&noise(500, 80), mager_fuzz::protocol);
}
