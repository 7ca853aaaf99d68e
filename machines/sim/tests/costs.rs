//! What things cost, in the core's own counters: an unneeded fault, read, write, copy or sweep is a mistake too.
//!
//! Each scenario's numbers follow from the rules and are worked out beside it.

use mager_pager::{Counters, References, Sharing};
use mager_sim::{Op, Setup, Watch, World};

/// Three usable frames, traps for reference bits, a clock, sharing by frame, every fault handled to completion.
fn counted(lines: &str) -> Counters {
    counted_in(Setup { arena_pages: 12, swap_blocks: 16, ..Setup::small() }, lines)
}

fn counted_in(setup: Setup, lines: &str) -> Counters {
    let mut world = World::new(setup, Watch::CLOSELY);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let op: Op = line.parse().expect("a line is an operation");
        assert!(world.apply(op), "{line} makes sense");
    }
    world.come_to_rest();
    world.counters()
}

const NOTHING: Counters = Counters {
    faults: 0,
    zero_fills: 0,
    page_ins: 0,
    write_backs: 0,
    aheads: 0,
    copies: 0,
    steals: 0,
    evictions: 0,
    second_chances: 0,
};

#[test]
fn reading_untouched_pages_costs_nothing_not_even_after_a_fork() {
    let counters = counted(
        "create A
         map A swap
         cpu 0 read A 0 word 0
         fork A B
         cpu 0 read B 0 word 0",
    );
    assert_eq!(counters, NOTHING);
}

#[test]
fn a_first_store_costs_one_fault_and_one_zero_fill() {
    let counters = counted(
        "create A
         map A swap
         cpu 0 write A 0 word 0
         cpu 0 write A 0 word 1
         cpu 0 read A 0 word 2",
    );
    assert_eq!(counters, Counters { faults: 1, zero_fills: 1, ..NOTHING });
}

#[test]
fn going_round_more_file_pages_than_frames_reads_and_never_writes() {
    let counters = counted(
        "create A
         map A file 0 0
         map A file 0 1
         map A file 0 2
         map A file 0 3
         cpu 0 read A 0 word 0
         cpu 0 read A 1 word 0
         cpu 0 read A 2 word 0
         cpu 0 read A 3 word 0
         cpu 0 read A 0 word 0
         cpu 0 read A 1 word 0",
    );
    // The fourth page sweeps the three references and evicts the first; after that 3 is referenced, 1 and 2 are not:
    // reading 0 again takes the frame of 1, and reading 1 that of 2.
    let expected = Counters { faults: 6, page_ins: 6, evictions: 3, second_chances: 3, ..NOTHING };
    assert_eq!(counters, expected);
}

#[test]
fn a_page_written_home_and_only_read_since_is_dropped_without_a_write() {
    let counters = counted_in(
        Setup { frames: 2, ..Setup::small() },
        "create A
         map A swap
         map A file 0 0
         cpu 0 write A 0 word 0
         cpu 0 read A 1 word 0
         cpu 0 read A 0 word 0
         cpu 0 read A 1 word 0
         cpu 0 read A 0 word 0",
    );
    // One frame, and each access but the first evicts the other page after taking its reference away.
    let expected = Counters {
        faults: 5,
        zero_fills: 1,
        page_ins: 4,
        write_backs: 1,
        evictions: 4,
        second_chances: 4,
        ..NOTHING
    };
    assert_eq!(counters, expected);
}

#[test]
fn the_last_sharer_writes_on_without_a_fault() {
    let counters = counted(
        "create A
         map A swap
         cpu 0 write A 0 word 0
         fork A B
         cpu 0 write B 0 word 0
         cpu 0 write A 0 word 1
         cpu 0 write B 0 word 1",
    );
    assert_eq!(counters, Counters { faults: 2, zero_fills: 1, copies: 1, ..NOTHING });
}

#[test]
fn the_survivor_of_a_fork_writes_on_without_a_fault() {
    let counters = counted(
        "create A
         map A swap
         cpu 0 write A 0 word 0
         fork A B
         destroy A
         cpu 0 write B 0 word 1",
    );
    assert_eq!(counters, Counters { faults: 1, zero_fills: 1, ..NOTHING });
}

#[test]
fn mapping_a_resident_file_page_costs_nothing_at_all() {
    let counters = counted(
        "create A
         create B
         map A file 0 0
         cpu 0 write A 0 word 0
         map B file 0 0
         cpu 0 write B 0 word 1
         cpu 0 read A 0 word 1",
    );
    assert_eq!(counters, Counters { faults: 1, page_ins: 1, ..NOTHING });
}

#[test]
fn a_ghost_is_taken_over_without_a_read() {
    let counters = counted(
        "create A
         map A file 0 0
         cpu 0 write A 0 word 0
         destroy A
         create A
         map A file 0 0
         cpu 0 read A 0 word 0
         cpu 0 write A 0 word 1",
    );
    assert_eq!(counters, Counters { faults: 1, page_ins: 1, ..NOTHING });
}

#[test]
fn a_shared_page_is_written_once_and_read_once_for_all() {
    let counters = counted_in(
        Setup { frames: 2, ..Setup::small() },
        "create A
         map A swap
         map A file 0 0
         cpu 0 write A 0 word 0
         fork A B
         fork A C
         cpu 0 read A 1 word 0
         cpu 0 read B 0 word 0
         cpu 0 read C 0 word 0
         cpu 0 read A 0 word 0",
    );
    let expected = Counters {
        faults: 3,
        zero_fills: 1,
        page_ins: 2,
        write_backs: 1,
        evictions: 2,
        second_chances: 2,
        ..NOTHING
    };
    assert_eq!(counters, expected);
}

#[test]
fn a_page_in_use_gets_its_second_chance() {
    let counters = counted(
        "create A
         map A file 0 0
         map A file 0 1
         map A file 0 2
         map A file 0 3
         cpu 0 read A 0 word 0
         cpu 0 read A 1 word 0
         cpu 0 read A 2 word 0
         cpu 0 read A 3 word 0
         cpu 0 read A 1 word 0
         cpu 0 read A 0 word 0
         cpu 0 read A 1 word 0",
    );
    // After the first sweep 1 and 2 are unreferenced and 1 stands at the hand; touching it costs a trap and saves it:
    // the hand passes it by (the fourth chance) and takes 2, so that the last read of 1 costs one more trap only.
    let expected = Counters { faults: 7, page_ins: 5, evictions: 2, second_chances: 4, ..NOTHING };
    assert_eq!(counters, expected);
}

#[test]
fn as_many_write_backs_as_demands_and_no_more() {
    let setup = Setup { asynchronous: true, cpus: 3, arena_pages: 12, swap_blocks: 16, ..Setup::small() };
    let counters = counted_in(
        setup,
        "create A
         map A swap
         map A swap
         map A swap
         map A swap
         map A swap
         cpu 0 write A 0 word 0
         cpu 0 write A 1 word 0
         cpu 0 write A 2 word 0
         cpu 0 write A 3 word 0
         cpu 1 write A 4 word 0
         tick
         tick",
    );
    // Two frames are needed, so two of the three dirty pages are written; the sweep costs three references.
    let expected =
        Counters { faults: 5, zero_fills: 5, write_backs: 2, evictions: 2, second_chances: 3, ..NOTHING };
    assert_eq!(counters, expected);
}

#[test]
fn nothing_is_done_ahead_without_a_mark() {
    let counters = counted(
        "create A
         map A swap
         cpu 0 write A 0 word 0
         tick
         tick",
    );
    assert_eq!(counters, Counters { faults: 1, zero_fills: 1, ..NOTHING });
}

#[test]
fn working_ahead_stops_at_the_mark() {
    let counters = counted_in(
        Setup { low_water: 1, ..Setup::small() },
        "create A
         map A swap
         map A swap
         map A swap
         cpu 0 write A 0 word 0
         cpu 0 write A 1 word 0
         cpu 0 write A 2 word 0
         tick
         tick
         tick",
    );
    let expected =
        Counters { faults: 3, zero_fills: 3, write_backs: 1, evictions: 1, second_chances: 3, ..NOTHING };
    assert_eq!(counters, expected);
}

#[test]
fn copies_take_the_frame_of_their_source_when_it_is_the_victim() {
    let counters = counted_in(
        Setup { frames: 2, ..Setup::small() },
        "create A
         map A swap
         cpu 0 write A 0 word 0
         fork A B
         cpu 0 write B 0 word 0",
    );
    // The dirty source is the only victim: written once, then its frame passes to the writer with its bytes.
    let expected = Counters {
        faults: 2,
        zero_fills: 1,
        write_backs: 1,
        steals: 1,
        evictions: 1,
        second_chances: 1,
        ..NOTHING
    };
    assert_eq!(counters, expected);
}

#[test]
fn what_came_in_ahead_costs_no_fault() {
    let file = "create A
         map A file 0 0
         ahead read A 0
         cpu 0 read A 0 word 0
         cpu 1 read A 0 word 1";
    let unread = file.replace("file 0 0", "file 0 0 at 0 count 3");
    for sharing in [Sharing::Frame, Sharing::Place] {
        for references in References::ALL {
            let mut setup = Setup { references, ..Setup::small() };
            setup.share(sharing);
            for lines in [file, &unread] {
                assert_eq!(
                    counted_in(setup, lines),
                    Counters { page_ins: 1, aheads: 1, ..NOTHING },
                    "{setup}"
                );
            }
        }
    }
}

#[test]
fn what_was_filled_ahead_costs_no_fault() {
    let written = "create A
         map A swap
         ahead write A 0
         cpu 0 write A 0 word 0";
    let by_place = "create A
         map A swap
         ahead read A 0
         cpu 0 read A 0 word 0";
    let mut place = Setup::small();
    place.share(Sharing::Place);
    let filled = Counters { zero_fills: 1, aheads: 1, ..NOTHING };
    assert_eq!(counted(written), filled);
    assert_eq!(counted_in(place, written), filled);
    assert_eq!(counted_in(place, by_place), filled);
    // The zero page is there already.
    assert_eq!(counted(by_place), NOTHING);
}

#[test]
fn a_guess_evicts_nobody_and_does_nothing_twice() {
    let counters = counted_in(
        Setup { frames: 3, ..Setup::small() },
        "create A
         map A file 0 0
         map A file 0 1
         map A file 0 2
         map A swap
         ahead read A 0
         ahead read A 0
         ahead read A 1
         ahead read A 2
         ahead write A 3",
    );
    assert_eq!(counters, Counters { page_ins: 2, aheads: 2, ..NOTHING });
}

#[test]
fn what_is_discarded_is_not_written_and_leaves_room_for_others() {
    let counters = counted_in(
        Setup { frames: 3, ..Setup::small() },
        "create A
         map A swap
         map A swap
         map A file 0 0
         map A file 0 1
         cpu 0 write A 0 word 0
         cpu 0 write A 1 word 0
         discard A 0 count 2
         cpu 0 read A 0 word 0
         cpu 0 read A 2 word 0
         cpu 0 read A 3 word 0",
    );
    // Two frames: both are free again when the file comes in, and the zero page costs nothing.
    assert_eq!(counters, Counters { faults: 4, zero_fills: 2, page_ins: 2, ..NOTHING });
}
