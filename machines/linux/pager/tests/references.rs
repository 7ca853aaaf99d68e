//! Where reference bits come from, and what is told of stores.

#[allow(dead_code, reason = "every test crate uses its part")]
mod common;

use common::sys::{load, store};
use common::{Standing, options, possible};
use mager_linux_client::{Arena, Pages};
use mager_linux_pager::{Options, References};
use std::time::Duration;

fn pager(references: References, policy: &str) -> Standing {
    let policy = policy.to_owned();
    Standing::start(Options { references, policy, read_ahead: 0, ..options(256, 8192) })
}

/// Marsaglia's xorshift64*.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        u32::try_from(high % u64::from(n)).expect("it is below n")
    }
}

/// A few pages are used all the time, beside a walk through four times the memory. Faults, and pages read.
fn hot_and_cold(references: References) -> (u64, u64) {
    let pager = pager(references, "clock");
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let (hot, cold) = (arena.map(64).expect("memory"), arena.map(1024).expect("memory"));
    for round in 0..8 {
        for page in 0..cold.count {
            store(&arena, cold.page + page, round + 1);
            if page % 16 == 0 {
                (0..hot.count).for_each(|page| store(&arena, hot.page + page, round));
                // Agents are threads as others are, and need their turn.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
    (pager.figure("faults"), pager.figure("page_ins"))
}

#[test]
fn what_is_used_all_the_time_stays_and_need_not_be_told_by_faults() {
    if !possible() {
        return;
    }
    let [seen, told, off] = [References::Agent, References::Faults, References::Off].map(hot_and_cold);
    println!("faults and page-ins: seen in page tables {seen:?}, told by faults {told:?}, without {off:?}");
    assert!(seen.1 + 1000 < off.1 && told.1 + 1000 < off.1, "hot pages stay");
    assert!(seen.0 + 1000 < told.0, "touches are no faults");
}

/// Thousands of newcomers are watched at a time, a few of which are used all the time.
#[test]
fn no_touch_is_lost_where_very_many_pages_are_watched() {
    if !possible() {
        return;
    }
    let policy = "s3-fifo:small=0.95:fresh=0.1".into();
    let pager = Standing::start(Options { policy, read_ahead: 0, ..options(8192, 32768) });
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let (hot, cold) = (arena.map(64).expect("memory"), arena.map(24_576).expect("memory"));
    for page in 0..cold.count {
        store(&arena, cold.page + page, 1);
        // Those that are watched first leave at once, as nobody else is.
        if page > cold.count / 6 && page % 128 == 0 {
            (0..hot.count).for_each(|page| store(&arena, hot.page + page, 1));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let (page_ins, evictions) = (pager.figure("page_ins"), pager.figure("evictions"));
    assert!(evictions > 10_000 && page_ins < 8, "{page_ins} page-ins, {evictions} evictions");
}

/// The pages in an order of chance, twice over.
fn shuffled(pages: Pages, chance: &mut Chance) -> Vec<u32> {
    (0..2 * pages.count).map(|_| pages.page + chance.below(pages.count)).collect()
}

#[test]
fn a_page_that_is_written_to_whenever_it_is_read_costs_one_fault() {
    if !possible() {
        return;
    }
    for references in [References::Agent, References::Faults, References::Off] {
        let pager = pager(references, "fifo");
        let arena = Arena::new(&pager.connect()).expect("an arena");
        let pages = arena.map(1024).expect("memory");
        let mut chance = Chance(7);
        (0..pages.count).for_each(|page| store(&arena, pages.page + page, 0));
        let mut round = |stores: bool| {
            let before = (pager.figure("faults"), pager.figure("page_ins"), pager.figure("write_backs"));
            for page in shuffled(pages, &mut chance) {
                let word = load(&arena, page);
                if stores {
                    store(&arena, page, word + 1);
                }
            }
            let after = (pager.figure("faults"), pager.figure("page_ins"), pager.figure("write_backs"));
            (after.0 - before.0, after.1 - before.1, after.2 - before.2)
        };
        let (faults, page_ins, _) = round(true);
        assert!(page_ins > 1000 && faults < page_ins * 3 / 2, "{faults} faults for {page_ins} page-ins");
        // And is not written home in vain for long once it is only read.
        round(false);
        let (_, page_ins, written) = round(false);
        assert!(written < page_ins / 4, "{written} of {page_ins} pages were written for nothing");
    }
}

/// Loads, stores and discards by chance over four times the memory find what was stored.
fn by_chance(references: References, policy: &str, seed: u64) {
    let pager = pager(references, policy);
    let arena = Arena::new(&pager.connect()).expect("an arena");
    let pages = arena.map(1024).expect("memory");
    let (mut chance, mut model) = (Chance(seed), vec![0u64; 1024]);
    for step in 0..30_000u64 {
        // Half of the time in an eighth of them.
        let count = if chance.below(2) == 0 { 128 } else { 1024 };
        let page = chance.below(count);
        let word = &mut model[page as usize];
        match chance.below(64) {
            0 => {
                arena.discard(Pages { page: pages.page + page, count: 1 }).expect("it is private");
                *word = 0;
            }
            1..24 => {
                store(&arena, pages.page + page, step);
                *word = step;
            }
            _ => assert_eq!(load(&arena, pages.page + page), *word, "{references:?}, {policy}: page {page}"),
        }
    }
    assert!(pager.figure("page_ins") > 1000, "{}", pager.figures());
}

#[test]
fn every_store_is_kept_wherever_references_come_from() {
    if !possible() {
        return;
    }
    for references in [References::Agent, References::Faults, References::Off] {
        for (policy, seed) in [("s3-fifo", 1), ("clock", 2), ("sieve", 3), ("car", 4)] {
            by_chance(references, policy, seed);
        }
    }
}
