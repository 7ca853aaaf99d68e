//! What the pager costs in memory: no allocation on the fault path, and few bytes for each page.
//!
//! Measured by the allocator, not by counting fields: everything a pager asks for is in it, its policy included.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod sys;

use mager_pager::{
    Access, ArenaId, BlockNo, Config, Effect, Effects, Event, Fault, ObjectNo, Pager, Pages, Sharing, Site,
    Ticket, VirtPage,
};
use mager_policies::{Any, Clock, Observes, Policy};

/// Pages of the populations whose bytes are counted: enough for the grain of tables not to matter.
const MANY: u32 = 1 << 16;

fn config(frames: u32, swap_blocks: u32) -> Config {
    Config { page_size: 4096, arena_pages: 1 << 20, ..Config::course(frames, swap_blocks) }
}

fn run(start: u32, count: u32) -> Pages {
    Pages { start: VirtPage(start), count }
}

/// One fault, with every I/O answered until it is over; `out` and `answers` are reused.
struct Machine {
    out: Effects,
    answers: Vec<Event>,
}

impl Machine {
    fn new() -> Self {
        Machine { out: Vec::with_capacity(256), answers: Vec::with_capacity(256) }
    }

    fn fault<P: Policy>(&mut self, pager: &mut Pager<P>, arena: ArenaId, page: u32, access: Access) {
        let at = Site { arena, page: VirtPage(page) };
        self.answers.push(Event::Fault(Fault { at, access, who: Ticket(0) }));
        self.finish(pager);
    }

    fn start<P: Policy>(&mut self, pager: &mut Pager<P>, event: Event) {
        self.out.clear();
        pager.step(event, &mut self.out);
        for effect in &self.out {
            match *effect {
                Effect::Read { frame, .. } => self.answers.push(Event::Read { frame, result: Ok(()) }),
                Effect::Write { frame, .. } => self.answers.push(Event::Written { frame, result: Ok(()) }),
                Effect::Resume { outcome, .. } => assert_eq!(outcome, Ok(())),
                Effect::Map { .. }
                | Effect::Clear { .. }
                | Effect::Unmap { .. }
                | Effect::Zero { .. }
                | Effect::Copy { .. }
                | Effect::Empty { .. }
                | Effect::Release { .. } => {}
            }
        }
    }

    fn finish<P: Policy>(&mut self, pager: &mut Pager<P>) {
        while let Some(event) = self.answers.pop() {
            self.start(pager, event);
        }
    }

    /// `at_once` faults before the first answer, on pages that differ.
    fn storm<P: Policy>(&mut self, pager: &mut Pager<P>, arena: ArenaId, from: u32, at_once: u32) {
        for page in from..from + at_once {
            let at = Site { arena, page: VirtPage(page % 512) };
            let access = if page % 3 == 0 { Access::Write } else { Access::Read };
            self.start(pager, Event::Fault(Fault { at, access, who: Ticket(page.into()) }));
        }
        self.finish(pager);
    }
}

/// 448 private pages and 64 of a file over 64 frames, all touched; then a fork whose child touches and writes.
fn life<P: Policy>(pager: &mut Pager<P>, machine: &mut Machine, arena: ArenaId) -> u64 {
    let child = pager.fork(arena, &mut machine.out).unwrap();
    machine.out.clear();
    let before = sys::calls();
    for round in 0..6 {
        for page in 0..512u32 {
            let access = if (page + round) % 3 == 0 { Access::Write } else { Access::Read };
            machine.fault(pager, arena, page * 7 % 512, access);
            machine.fault(pager, child, page * 5 % 512, access);
        }
        (0..64).for_each(|from| machine.storm(pager, child, from * 8, 16));
    }
    let calls = sys::calls() - before;
    pager.destroy(child, &mut machine.out).unwrap();
    machine.out.clear();
    calls
}

#[test]
fn no_allocation_on_the_fault_path_after_warm_up() {
    for sharing in [Sharing::Frame, Sharing::Place] {
        // The others only run in simulation, and learn about pages in tables that grow.
        let live = |name: &&str| Any::new(name, 2).unwrap().needs() <= Observes::ReferenceBits;
        for name in Any::NAMES.iter().copied().filter(live) {
            let config = Config { sharing, ..config(65, 2048) };
            let mut pager = Pager::new(config, Any::new(name, 65).unwrap()).unwrap();
            let mut machine = Machine::new();
            let arena = pager.create().unwrap();
            pager.map_swap_at(arena, run(0, 448)).unwrap();
            pager.map_object_at(arena, run(448, 64), ObjectNo(1), BlockNo(0)).unwrap();
            life(&mut pager, &mut machine, arena);
            let before = pager.view().counters();
            let calls: Vec<u64> = (0..4).map(|_| life(&mut pager, &mut machine, arena)).collect();
            let after = pager.view().counters();
            assert!(after.page_ins - before.page_ins > 1000 && after.write_backs - before.write_backs > 500);
            let copies = after.copies + after.steals - before.copies - before.steals;
            assert!(copies > 300, "{name} by {sharing:?}: {copies} copies");
            assert!(after.second_chances >= before.second_chances);
            // One that raises no high-water mark allocates nothing; a table that grows doubles.
            let (least, all) = (calls.iter().min(), calls.iter().sum::<u64>());
            assert!(least == Some(&0) && all <= 4, "{name} by {sharing:?} allocates: {calls:?}");
            pager.check();
        }
    }
}

/// A pager with `frames` frames that hold pages, its machine, and the bytes in use before there was a pager.
fn pager(frames: u32, swap_blocks: u32) -> (Pager<Clock>, Machine, i64) {
    let machine = Machine::new();
    let before = sys::bytes();
    (Pager::new(config(frames + 1, swap_blocks), Clock::new(frames + 1)).unwrap(), machine, before)
}

/// Bytes since `before`, for each of `count`.
#[expect(clippy::cast_precision_loss, reason = "bytes of one test are far below 2^52")]
fn each(before: i64, count: u32) -> f64 {
    (sys::bytes() - before) as f64 / f64::from(count)
}

#[test]
fn at_most_56_bytes_for_each_resident_file_page() {
    let (mut pager, mut machine, before) = pager(MANY, 0);
    let arena = pager.create().unwrap();
    pager.map_object_at(arena, run(0, MANY), ObjectNo(1), BlockNo(0)).unwrap();
    (0..MANY).for_each(|page| machine.fault(&mut pager, arena, page, Access::Read));
    assert_eq!(pager.view().counts().free_frames, 0);
    let bytes = each(before, MANY);
    println!("{bytes:.2} bytes for each resident file page");
    assert!(bytes <= 56.0, "{bytes:.2} bytes for each resident file page");
}

#[test]
fn at_most_56_bytes_for_each_resident_private_page() {
    let (mut pager, mut machine, before) = pager(MANY, MANY);
    let arena = pager.create().unwrap();
    pager.map_swap_at(arena, run(0, MANY)).unwrap();
    (0..MANY).for_each(|page| machine.fault(&mut pager, arena, page, Access::Write));
    assert_eq!(pager.view().counts().free_frames, 0);
    let bytes = each(before, MANY);
    println!("{bytes:.2} bytes for each resident private page");
    assert!(bytes <= 56.0, "{bytes:.2} bytes for each resident private page");
}

#[test]
fn at_most_32_bytes_for_each_page_in_swap() {
    let (mut pager, mut machine, before) = pager(16, MANY);
    let arena = pager.create().unwrap();
    pager.map_swap_at(arena, run(0, MANY)).unwrap();
    (0..MANY).for_each(|page| machine.fault(&mut pager, arena, page, Access::Write));
    assert_eq!(pager.view().counts().swap_assigned, MANY - 16);
    let bytes = each(before, MANY);
    println!("{bytes:.2} bytes for each page in swap");
    assert!(bytes <= 32.0, "{bytes:.2} bytes for each page in swap");
}

#[test]
fn at_most_16_bytes_for_each_entry_of_a_touched_chunk() {
    let (mut pager, mut machine, _) = pager(16, MANY);
    let arena = pager.create().unwrap();
    pager.map_swap_at(arena, run(0, MANY)).unwrap();
    let before = sys::bytes();
    (0..MANY).step_by(512).for_each(|page| machine.fault(&mut pager, arena, page, Access::Read));
    assert_eq!(pager.view().counts().pages, 0, "untouched pages show the zero page");
    let bytes = each(before, MANY);
    println!("{bytes:.2} bytes for each entry of a touched chunk");
    assert!((1.0..=16.0).contains(&bytes), "{bytes:.2} bytes for each entry of a touched chunk");
}

#[test]
fn nothing_for_mapped_chunks_that_were_never_touched() {
    let cost = |count| {
        let (mut pager, _, _) = pager(16, 1 << 20);
        let arena = pager.create().unwrap();
        let before = sys::bytes();
        pager.map_swap_at(arena, run(0, count)).unwrap();
        pager.map_object_at(arena, run(count, count / 4), ObjectNo(1), BlockNo(0)).unwrap();
        sys::bytes() - before
    };
    assert_eq!(cost(512), cost(1 << 19), "what is mapped and not touched costs the same, however much it is");
    assert!(cost(1 << 19) < 1024);
}

#[test]
fn destroy_gives_back_all_but_what_is_kept_for_the_next() {
    let (mut pager, mut machine, _) = pager(64, 4096);
    let mut one = |pages: u32| {
        let arena = pager.create().unwrap();
        pager.map_swap_at(arena, run(0, pages)).unwrap();
        (0..pages).for_each(|page| machine.fault(&mut pager, arena, page, Access::Write));
        pager.destroy(arena, &mut machine.out).unwrap();
        machine.out.clear();
        sys::bytes()
    };
    let first = one(2048);
    (0..20).for_each(|_| assert_eq!(one(2048), first, "each life after the first costs nothing that stays"));
}
