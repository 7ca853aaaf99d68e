//! What the core costs: nanoseconds per fault, hit, page-in with eviction, copy, fork and destroy, from 2^10 to
//! 2^20 frames.
//!
//! `cargo bench -p mager-pager`. Pages are drawn uniformly from four times the frames, so that three of four
//! faults miss. The reference rows touch the same amount of memory in the same way without a pager: at 2^20 frames
//! what is left of a fault after subtracting them is the core's own work. No machine is under it: answers are given
//! at once, effects are looked at and dropped.

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use mager_pager::{
    Access, ArenaId, Config, Effect, Effects, Event, Fault, Pager, Pages, References, Sharing, Site, Ticket,
    VirtPage,
};
use mager_policies::Clock;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ORDERS: [u32; 3] = [10, 15, 20];

/// xorshift64*: cheap beside a fault, and the same sequence in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        u32::try_from((high * u64::from(n)) >> 32).expect("below n")
    }
}

struct World {
    pager: Pager<Clock>,
    out: Effects,
    arena: ArenaId,
    pages: u32,
    random: Random,
    /// Which pages are in a frame, kept outside the pager, so that choosing a page does not warm its entry.
    present: Vec<u64>,
    /// Pages that came in (true) and went since `present` was brought up to date, in order.
    moves: Vec<(u32, bool)>,
}

impl World {
    /// `frames` frames under four times as many private pages, each of them written once.
    fn new(frames: u32, references: References) -> Self {
        let pages = frames * 4;
        let config = Config {
            page_size: 4096,
            arena_pages: pages,
            arena_base: 0,
            frames: frames + 1,
            swap_blocks: pages * 3,
            references,
            sharing: Sharing::Frame,
            low_water: 0,
        };
        let mut pager = Pager::new(config, Clock::new(frames + 1)).expect("a sound configuration");
        let arena = pager.create().expect("room for an arena");
        pager.map_swap_at(arena, Pages { start: VirtPage(0), count: pages }).expect("swap enough");
        let mut world = World {
            pager,
            out: Effects::new(),
            arena,
            pages,
            random: Random(0x9E37_79B9),
            present: vec![0; pages as usize / 64],
            moves: Vec::new(),
        };
        (0..pages).for_each(|page| world.access(page, Access::Write));
        // Everything resident is read back in, so that victims are clean from here on.
        (0..pages).for_each(|page| world.access(page, Access::Read));
        world.settle();
        world
    }

    /// One access to `page`: a fault, and every answer it leads to.
    fn access(&mut self, page: u32, access: Access) {
        let at = Site { arena: self.arena, page: VirtPage(page) };
        self.step(Event::Fault(Fault { at, access, who: Ticket(0) }));
    }

    fn step(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            self.out.clear();
            self.pager.step(event, &mut self.out);
            for effect in &self.out {
                match *effect {
                    Effect::Read { frame, at, .. } => {
                        self.moves.push((at.page.0, true));
                        next = Some(Event::Read { frame, result: Ok(()) });
                    }
                    Effect::Zero { at, .. } => self.moves.push((at.page.0, true)),
                    Effect::Unmap { at, .. } => self.moves.push((at.page.0, false)),
                    Effect::Write { frame, .. } => next = Some(Event::Written { frame, result: Ok(()) }),
                    ref other => {
                        black_box(other);
                    }
                }
            }
        }
    }

    /// Brings `present` up to date, without looking at the pager's tables, which would warm or spoil the caches.
    fn settle(&mut self) {
        for (page, here) in self.moves.drain(..) {
            let word = &mut self.present[page as usize / 64];
            *word = *word & !(1 << (page % 64)) | u64::from(here) << (page % 64);
        }
    }

    fn resident(&self, page: u32) -> bool {
        self.present[page as usize / 64] >> (page % 64) & 1 == 1
    }

    fn shows(&self, page: u32) -> bool {
        let at = Site { arena: self.arena, page: VirtPage(page) };
        self.pager.view().pte(at).is_some_and(|pte| pte.frame.is_some())
    }

    /// Times `n` faults on pages that are not resident, choosing them outside the clock.
    fn misses(&mut self, n: u64, access: Access) -> Duration {
        let mut spent = Duration::ZERO;
        let mut left = n;
        while left > 0 {
            let batch = self.absent_pages(left.min(u64::from(self.pages / 16)).max(1));
            left -= batch.len() as u64;
            let start = Instant::now();
            for &page in &batch {
                self.access(page, access);
            }
            spent += start.elapsed();
            self.settle();
        }
        spent
    }

    /// Up to `n` different pages that are out now. A batch is small beside the frames, so none comes in meanwhile.
    fn absent_pages(&mut self, n: u64) -> Vec<u32> {
        let mut batch = Vec::new();
        while (batch.len() as u64) < n {
            let page = self.random.below(self.pages);
            if !self.resident(page) {
                self.present[page as usize / 64] |= 1 << (page % 64);
                batch.push(page);
            }
        }
        batch
    }

    fn fork(&mut self) -> ArenaId {
        self.out.clear();
        self.pager.fork(self.arena, &mut self.out).expect("swap enough for a child")
    }
}

fn rows(c: &mut Criterion) {
    for order in ORDERS {
        for (kind, references) in [("hardware", References::Hardware), ("trap", References::Trap)] {
            let mut group = c.benchmark_group(format!("2^{order} frames, {kind} reference bits"));
            // The clock takes all its references away in one sweep, once a turn: each sample covers a turn or more.
            group.sampling_mode(SamplingMode::Flat).sample_size(10);
            group.measurement_time(Duration::from_secs(if order == 20 { 20 } else { 3 }));
            faults(&mut group, World::new(1 << order, references));
        }
        let mut group = c.benchmark_group(format!("2^{order} frames"));
        memory_alone(&mut group, 1 << order);
        group.finish();
        sharing(c, order);
    }
}

/// Faults that find their page, that miss with a clean victim, and that miss with a dirty one.
fn faults(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, mut world: World) {
    group.bench_function("page-in, clean victim", |b| b.iter_custom(|n| world.misses(n, Access::Read)));
    group.bench_function("hit (re-reference)", |b| {
        let resident: Vec<u32> = (0..world.pages).filter(|&page| world.resident(page)).collect();
        let mut random = Random(7);
        let count = u32::try_from(resident.len()).expect("u32");
        b.iter(|| world.access(resident[random.below(count) as usize], Access::Read));
    });
    group.bench_function("page-in, dirty victim", |b| {
        let frames = u64::from(world.pages / 4);
        world.misses(frames, Access::Write);
        b.iter_custom(|n| world.misses(n, Access::Write));
    });
}

/// Fork of an arena with all pages touched, a copy-on-write of a resident page, and destroy: per page.
fn sharing(c: &mut Criterion, order: u32) {
    let mut group = c.benchmark_group(format!("2^{order} frames, sharing"));
    group.sample_size(10);
    let mut world = World::new(1 << order, References::Trap);
    let pages = world.pages;
    for (row, which) in [("fork, per page", 0), ("copy-on-write", 1), ("destroy, per page", 2)] {
        group.bench_function(row, |b| {
            b.iter_custom(|n| {
                let (mut spent, mut done) = (Duration::ZERO, 0u64);
                while done < n {
                    let (times, counts) = one_life(&mut world);
                    spent += times[which];
                    done += counts[which];
                }
                spent.mul_f64(n as f64 / done as f64)
            });
        });
    }
    black_box(pages);
    group.finish();
}

/// Forks, lets the child write to some pages that are resident, and ends it: times and counts of the three.
fn one_life(world: &mut World) -> ([Duration; 3], [u64; 3]) {
    let there = |page: &u32| world.resident(*page) && world.shows(*page);
    let resident: Vec<u32> = (0..world.pages).filter(there).take(256).collect();
    let parent = world.arena;
    let start = Instant::now();
    let child = world.fork();
    let forked = start.elapsed();
    world.arena = child;
    let start = Instant::now();
    resident.iter().for_each(|&page| world.access(page, Access::Write));
    let copied = start.elapsed();
    world.arena = parent;
    world.out.clear();
    let start = Instant::now();
    world.pager.destroy(child, &mut world.out).expect("the child lives");
    let destroyed = start.elapsed();
    let pages = u64::from(world.pages);
    world.moves.clear();
    ([forked, copied, destroyed], [pages, resident.len() as u64, pages])
}

/// The same memory without a pager: five dependent touches of tables of the sizes a page-in goes through.
fn memory_alone(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, frames: u32) {
    let pages = frames as usize * 4;
    let (entries, table) = (vec![[1u32; 3]; pages], vec![[1usize; 3]; pages]);
    let (map, links) = (vec![1usize; frames as usize], vec![1usize; frames as usize]);
    let mut random = Random(99);
    group.bench_function(BenchmarkId::from_parameter("(the memory alone)"), |b| {
        b.iter(|| {
            let (new, old) = (random.below(frames * 4) as usize, random.below(frames * 4) as usize);
            let entry = entries[new][0] as usize + entries[old][1] as usize;
            let page = table[(new + entry) % pages][0] + table[(old + entry) % pages][1];
            let frame = (old + page) % frames as usize;
            black_box(map[frame] + links[frame])
        });
    });
}

criterion_group!(benches, rows);
criterion_main!(benches);
