//! The six calls from the outside: what the core cannot know, because it is about processes, addresses and names.
#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use mager_course_abi::{ARENA_BASE, ARENA_PAGES, IoFailed, PAGE_SIZE, PagerObject, Services, arena_page};
use mager_course_pager::{BadPolicy, CoursePager};
use std::collections::BTreeMap;

const JUNK: u8 = 0xA5;

/// A host's memory, swap and files, in which everything is counted.
struct Machine {
    memory: Vec<u8>,
    blocks: BTreeMap<(Option<Vec<u8>>, u32), Vec<u8>>,
    reads: u32,
    writes: u32,
}

impl Machine {
    fn frame(&mut self, frame: u32) -> &mut [u8] {
        &mut self.memory[frame as usize * PAGE_SIZE..][..PAGE_SIZE]
    }
}

impl Services for Machine {
    fn zero(&mut self, frame: u32) {
        self.frame(frame).fill(0);
    }
    fn copy(&mut self, from: u32, to: u32) {
        let bytes = self.frame(from).to_vec();
        self.frame(to).copy_from_slice(&bytes);
    }
    fn byte(&self, frame: u32, offset: u32) -> u8 {
        self.memory[frame as usize * PAGE_SIZE + offset as usize]
    }
    fn file_read(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.reads += 1;
        let bytes = self.blocks.get(&(name.map(<[u8]>::to_vec), block)).ok_or(IoFailed)?.clone();
        self.frame(frame).copy_from_slice(&bytes);
        Ok(())
    }
    fn file_write(&mut self, name: Option<&[u8]>, block: u32, frame: u32) -> Result<(), IoFailed> {
        self.writes += 1;
        let bytes = self.frame(frame).to_vec();
        self.blocks.insert((name.map(<[u8]>::to_vec), block), bytes);
        Ok(())
    }
}

/// A pager with its host, and what an application would do to it.
struct World {
    pager: CoursePager<()>,
    machine: Machine,
}

impl World {
    fn new(frames: u32, blocks: u32) -> Self {
        let memory = vec![JUNK; frames as usize * PAGE_SIZE];
        let mut machine = Machine { memory, blocks: BTreeMap::new(), reads: 0, writes: 0 };
        let mut pager = CoursePager::new("clock", ()).unwrap();
        pager.init(&mut machine, frames, blocks);
        let mut world = World { pager, machine };
        assert_eq!(world.create(0, 1), 0);
        world.run(1);
        world
    }

    fn create(&mut self, parent: i32, child: i32) -> i32 {
        self.pager.create(&mut self.machine, parent, child)
    }

    fn run(&mut self, pid: i32) {
        self.pager.switch(&mut self.machine, pid);
    }

    fn map(&mut self, filename: usize, block: u32) -> usize {
        self.pager.map(&mut self.machine, filename, block)
    }

    /// One access, with as many faults as it takes. `None`: it was refused.
    fn access(&mut self, address: usize, store: Option<u8>) -> Option<u8> {
        for _ in 0..2 {
            let entry = self.pager.page_table().unwrap()[arena_page(address)?];
            if entry.write() || entry.read() && store.is_none() {
                let at = entry.frame() as usize * PAGE_SIZE + address % PAGE_SIZE;
                let byte = &mut self.machine.memory[at];
                *byte = store.unwrap_or(*byte);
                return Some(*byte);
            }
            if self.pager.fault(&mut self.machine, address, store.is_some()) != 0 {
                return None;
            }
        }
        panic!("an access goes on after its fault");
    }

    fn store(&mut self, address: usize, bytes: &[u8]) {
        for (at, &byte) in bytes.iter().enumerate() {
            self.access(address + at, Some(byte)).unwrap();
        }
    }

    fn file(&mut self, name: &[u8], block: u32, byte: u8) {
        self.machine.blocks.insert((Some(name.to_vec()), block), vec![byte; PAGE_SIZE]);
    }
}

#[test]
fn rule_01_the_zero_page_is_zeroed_at_init_whatever_was_there() {
    let mut world = World::new(4, 4);
    assert!(world.machine.frame(0).iter().all(|&byte| byte == 0));
    assert!(world.machine.frame(1).iter().all(|&byte| byte == JUNK));
    let page = world.map(0, 0);
    assert_eq!((page, world.access(page + 9, None)), (ARENA_BASE, Some(0)));
}

#[test]
fn rule_03_a_child_of_an_unmanaged_parent_starts_empty_and_of_a_managed_one_with_its_pages() {
    let mut world = World::new(4, 4);
    let page = world.map(0, 0);
    world.store(page, b"x");
    assert_eq!((world.create(77, 2), world.create(1, 3)), (0, 0));
    world.run(2);
    assert_eq!(world.access(page, None), None);
    assert_eq!(world.pager.reason().unwrap(), "nothing is mapped there");
    world.run(3);
    assert_eq!(world.access(page, None), Some(b'x'));
}

#[test]
fn rule_13_a_name_may_straddle_pages_that_are_not_in_memory() {
    let mut world = World::new(2, 8);
    world.file(b"data.bin", 3, 42);
    let first = world.map(0, 0);
    let second = world.map(0, 0);
    let name = second - 4;
    world.store(name, b"data.bin\0");
    world.store(first, b"evicts the second page");
    let page = world.map(name, 3);
    assert_eq!(page, second + PAGE_SIZE);
    assert_eq!(world.access(page, None), Some(42));
}

#[test]
fn rule_13_a_name_that_cannot_be_read_to_its_end_maps_nothing() {
    let mut world = World::new(4, 256);
    let page = world.map(0, 0);
    let end = page + PAGE_SIZE - 2;
    world.store(end, b"ab");
    assert_eq!(world.map(end, 0), 0, "it runs into an unmapped page");
    assert!(world.pager.reason().unwrap().contains("unmapped page at 0x600010000"));
    assert_eq!(world.map(ARENA_BASE - 1, 0), 0, "it begins outside the arena");
    assert_eq!(world.map(0, 0), page + PAGE_SIZE, "and neither took a page");
}

#[test]
fn rule_10_a_full_arena_maps_nothing_and_reads_no_name() {
    let mut world = World::new(4, 256);
    (0..ARENA_PAGES).for_each(|_| assert_ne!(world.map(0, 0), 0));
    assert_eq!((world.map(0, 0), world.map(ARENA_BASE, 0)), (0, 0));
    assert!(world.pager.reason().unwrap().contains("arena is full"));
}

#[test]
fn rule_15_a_missing_file_maps_and_fails_at_the_first_access_and_may_come_later() {
    let mut world = World::new(4, 4);
    let names = world.map(0, 0);
    world.store(names, b"late\0");
    let page = world.map(names, 0);
    assert_ne!(page, 0);
    assert_eq!(world.machine.reads, 0, "mapping reads nothing");
    assert_eq!(world.access(page, None), None);
    assert!(world.pager.reason().unwrap().contains("late"));
    world.file(b"late", 0, 7);
    assert_eq!(world.access(page, None), Some(7));
    assert_ne!(world.map(names + 4, 0), 0, "the empty name is a name");
}

#[test]
fn rule_16_a_file_page_is_its_exact_name_and_block() {
    let mut world = World::new(8, 4);
    let names = world.map(0, 0);
    world.store(names, b"f\0./f\0f\0");
    world.file(b"f", 0, 1);
    world.file(b"./f", 0, 2);
    let (plain, dotted, again) = (world.map(names, 0), world.map(names + 2, 0), world.map(names + 6, 0));
    assert_eq!((world.access(plain, None), world.access(dotted, None)), (Some(1), Some(2)));
    world.store(plain, &[9]);
    assert_eq!((world.access(again, None), world.access(dotted, None)), (Some(9), Some(2)));
}

#[test]
fn a_name_whose_last_page_went_is_forgotten_and_the_file_is_still_itself() {
    let mut world = World::new(2, 8);
    world.file(b"f", 0, 1);
    for round in 0..50 {
        assert_eq!(world.create(0, 10), 0);
        world.run(10);
        let names = world.map(0, 0);
        world.store(names, b"f\0");
        let page = world.map(names, 0);
        assert_eq!(world.access(page, None), Some(1), "round {round}");
        world.pager.destroy(&mut world.machine);
    }
}

#[test]
fn what_is_dirty_is_flushed_at_the_end_once() {
    let mut world = World::new(8, 4);
    let names = world.map(0, 0);
    world.store(names, b"f\0");
    world.file(b"f", 0, 1);
    let page = world.map(names, 0);
    world.store(page + 5, &[6]);
    world.pager.destroy(&mut world.machine);
    assert_eq!(world.machine.writes, 0, "destroy writes nothing");
    assert_eq!(world.pager.flush(&mut world.machine).written, 1);
    assert_eq!(world.pager.flush(&mut world.machine).written, 0);
    assert_eq!(world.machine.blocks[&(Some(b"f".to_vec()), 0)][5], 6);
}

#[test]
fn a_policy_that_must_see_every_access_is_refused() {
    assert_eq!(CoursePager::new("lru", ()).err(), Some(BadPolicy::NeedsMore("lru".into())));
    assert_eq!(CoursePager::new("lifo", ()).err(), Some(BadPolicy::Unknown("lifo".into())));
}
