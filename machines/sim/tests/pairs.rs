//! Every pair of operations that can meet: one starts an I/O, the other comes while it is under way.
//!
//! Each pair runs with both sharings, all kinds of reference bits, every policy, one to three usable frames, eager
//! CPUs and others, each way in which the I/O can end, and with the second operation before each single answer.

use mager_pager::{References, Sharing, VirtPage};
use mager_sim::{Direction, How, Name, Op, Setup, Watch, World, policies};

const HOWS: [How; 5] = [How::Fine, How::Fails, How::Tears, How::FailsLate, How::Lies];

/// A meeting: what leads up to it, what starts the I/O, what comes meanwhile, and which page is under way then.
struct Meeting {
    before: &'static str,
    first: &'static str,
    second: &'static str,
    page: (u8, u32, Direction),
}

fn worlds() -> impl Iterator<Item = Setup> {
    let sharings = [Sharing::Frame, Sharing::Place];
    let references = References::ALL;
    sharings.into_iter().flat_map(move |sharing| {
        references.into_iter().flat_map(move |references| {
            policies()
                .flat_map(move |policy| (0..6).map(move |rest| world(sharing, references, policy, rest)))
        })
    })
}

fn world(sharing: Sharing, references: References, policy: &'static str, rest: u32) -> Setup {
    let usable = 1 + rest % 3;
    Setup {
        frames: usable + u32::from(sharing == Sharing::Frame),
        swap_blocks: 16,
        cpus: 4,
        asynchronous: true,
        eager: rest < 3,
        sharing,
        references,
        policy,
        ..Setup::small()
    }
}

fn act(world: &mut World, line: &str) {
    let op: Op = line.trim().parse().expect("a line is an operation");
    world.apply(op);
}

fn each_line(world: &mut World, lines: &str, rest: bool) {
    for line in lines.split(';').filter(|line| !line.trim().is_empty()) {
        act(world, line);
        if rest {
            world.come_to_rest();
        }
    }
}

/// Runs the meeting with the second operation after `answers` answers. Whether an I/O was still under way then.
fn run(meeting: &Meeting, setup: Setup, how: How, answers: u32) -> bool {
    let mut world = World::new(setup, Watch { check_every: 1, replay: true, story: false });
    each_line(&mut world, meeting.before, true);
    each_line(&mut world, meeting.first, false);
    for _ in 0..answers {
        world.answer_oldest(How::Fine);
    }
    let met = world.in_flight() > 0;
    let (name, page, direction) = meeting.page;
    if answers == 0 && setup.config().usable_frames() == 1 {
        assert_eq!(world.under_way(Name(name), VirtPage(page)), Some(direction), "they do not meet: {setup}");
    }
    each_line(&mut world, meeting.second, false);
    world.answer_oldest(how);
    // Another process at every step: it reads and writes its own page, and whatever is shared with it.
    each_line(&mut world, "cpu 3 read A 0 word 3; cpu 2 write B 0 word 2; harvest; tick", false);
    world.finish();
    met
}

fn meet(meeting: &Meeting) {
    let mut met = 0;
    for setup in worlds() {
        for how in HOWS {
            // With nothing in flight after so many answers, one more makes no difference.
            met += (0..4).map(|answers| run(meeting, setup, how, answers)).take_while(|met| *met).count();
        }
    }
    assert!(met > 100, "they have met");
}

/// Two private pages of A, both written; the one in memory at last is page 1.
const TWO_DIRTY: &str =
    "create A; create B; map B swap; map A swap; map A swap; cpu 0 write A 0 word 0; cpu 0 write A 1 word 1";
/// Two pages of one file in A, both written; the one in memory at last is page 1.
const TWO_FILE: &str = "create A; create B; map B swap; map A file 0 0; map A file 0 1; cpu 0 write A 0 word 0; cpu 0 write A 1 word 1";
/// As the first, with B forked from A, so that page 1 is shared; B's own page 0 is its copy of A's.
const SHARED: &str =
    "create A; map A swap; map A swap; cpu 0 write A 0 word 0; cpu 0 write A 1 word 1; fork A B";

const OUT: &str = "cpu 0 read A 0 word 0";
const PAGE_1_OUT: (u8, u32, Direction) = (0, 1, Direction::Write);

macro_rules! meetings {
    ($($name:ident: $before:expr, $first:expr, $second:expr, $page:expr;)*) => {
        $(#[test]
        fn $name() {
            meet(&Meeting { before: $before, first: $first, second: $second, page: $page });
        })*
    };
}

meetings! {
    map_while_evicting: TWO_DIRTY, OUT, "map A swap; map B file 0 0; map A swap at 6 count 2", PAGE_1_OUT;
    map_of_a_file_page_being_written_back: TWO_FILE, OUT, "map B file 0 1; cpu 1 write B 1 word 0", PAGE_1_OUT;
    access_to_a_page_being_written_back: TWO_DIRTY, OUT, "cpu 1 write A 1 word 0; cpu 2 read A 1 word 1", PAGE_1_OUT;
    access_to_a_file_page_being_written_back: TWO_FILE, OUT, "cpu 1 write A 1 word 0", PAGE_1_OUT;
    fork_during_a_write_back: TWO_DIRTY, OUT, "fork A C; cpu 1 write C 1 word 0; cpu 2 write A 1 word 0", PAGE_1_OUT;
    fork_and_exit_during_a_write_back: TWO_DIRTY, OUT, "fork A C; destroy A; cpu 1 read C 1 word 1", PAGE_1_OUT;
    copy_on_write_of_a_page_being_written_back: SHARED, OUT, "cpu 1 write B 1 word 0", PAGE_1_OUT;
    both_copy_a_page_being_written_back: SHARED, OUT, "cpu 1 write B 1 word 0; cpu 2 write A 1 word 1", PAGE_1_OUT;
    exit_of_the_parent_during_a_write_back: SHARED, OUT, "cpu 1 read B 1 word 1; destroy A", PAGE_1_OUT;
    exit_of_the_child_during_a_write_back: SHARED, OUT, "cpu 1 write B 1 word 1; destroy B", PAGE_1_OUT;
    exit_of_both_during_a_write_back: SHARED, OUT, "destroy A; destroy B; create A; map A swap", PAGE_1_OUT;
    unmap_during_a_write_back: TWO_DIRTY, OUT, "unmap A 1 count 1; map A swap; cpu 1 read A 1 word 1", PAGE_1_OUT;
    unmap_of_a_shared_page_during_a_write_back: SHARED, OUT, "unmap A 1 count 1; cpu 1 read B 1 word 1; map A swap; cpu 2 read A 1 word 0", PAGE_1_OUT;
    unmap_of_the_wanted_page_during_a_write_back: TWO_DIRTY, OUT, "unmap A 0 count 1; map A file 0 0", PAGE_1_OUT;
    flush_while_writing: TWO_FILE, OUT, "flush; flush 0; cpu 1 write A 1 word 3; flush", PAGE_1_OUT;
    flush_meets_a_flush: TWO_FILE, "flush 0", "flush; cpu 1 write A 1 word 3; flush 0", PAGE_1_OUT;
    exit_during_a_flush: TWO_FILE, "flush", "destroy A; map B file 0 1; cpu 1 write B 1 word 0", PAGE_1_OUT;
    a_ghost_is_taken_over_while_it_is_written: TWO_FILE, OUT, "destroy A; map B file 0 1; cpu 1 read B 1 word 1", PAGE_1_OUT;
    a_ghost_is_written_to_while_it_is_flushed: TWO_FILE, "flush", "unmap A 0 count 2; map B file 0 1; cpu 1 write B 1 word 1", PAGE_1_OUT;
    pin_during_a_write_back: TWO_FILE, OUT, "pin A 1 read; cpu 1 read A 1 word 1; unpin A 1", PAGE_1_OUT;
    two_processes_fault_on_one_shared_page_out: SHARED, "cpu 0 read A 0 word 0; cpu 1 read B 0 word 1", "cpu 2 write B 0 word 0; cpu 3 write A 0 word 1", PAGE_1_OUT;
    a_mapping_is_lost_during_a_write_back: TWO_DIRTY, OUT, "lose A 1; cpu 1 read A 1 word 1; fault write A 1", PAGE_1_OUT;
    the_hand_comes_round_during_a_write_back: TWO_DIRTY, OUT, "harvest; tick; cpu 1 write B 0 word 0; cpu 2 read A 1 word 0", PAGE_1_OUT;
}

meetings! {
    discard_during_a_write_back: TWO_DIRTY, OUT, "discard A 1 count 1; cpu 1 write A 1 word 1; cpu 2 read A 1 word 0", PAGE_1_OUT;
    discard_while_a_writer_waits_for_the_write: TWO_DIRTY, OUT, "cpu 1 write A 1 word 1; discard A 1 count 1; cpu 2 read A 1 word 0", PAGE_1_OUT;
    discard_of_a_forked_page_during_a_write_back: SHARED, OUT, "discard A 1 count 1; cpu 1 read A 1 word 0; cpu 2 write B 1 word 1", PAGE_1_OUT;
    discard_by_every_sharer_during_a_write_back: SHARED, OUT, "discard A 1 count 1; discard B 1 count 1; cpu 1 write B 1 word 1", PAGE_1_OUT;
    discard_and_exit_during_a_write_back: TWO_DIRTY, OUT, "discard A 1 count 1; destroy A; create A; map A swap", PAGE_1_OUT;
    discard_and_fork_during_a_write_back: TWO_DIRTY, OUT, "discard A 1 count 1; fork A C; cpu 1 write C 1 word 1; cpu 2 write A 1 word 1", PAGE_1_OUT;
    discard_of_the_wanted_page_during_a_write_back: TWO_DIRTY, OUT, "discard A 0 count 2; cpu 1 write A 0 word 1", PAGE_1_OUT;
    discard_of_a_wanted_page_that_another_keeps: SHARED, "cpu 0 read A 0 word 0; cpu 1 read B 1 word 0", "discard A 0 count 1; cpu 2 write B 0 word 1; discard B 0 count 1", PAGE_1_OUT;
    the_source_discards_while_a_copy_waits: SHARED, OUT, "cpu 1 write B 1 word 1; discard A 1 count 1; cpu 2 read A 1 word 1", PAGE_1_OUT;
    the_copier_discards_while_its_copy_waits: SHARED, OUT, "cpu 1 write B 1 word 1; discard B 1 count 1; cpu 2 read B 1 word 1", PAGE_1_OUT;
    discard_twice_during_a_write_back: TWO_DIRTY, OUT, "discard A 1 count 1; cpu 1 write A 1 word 0; discard A 1 count 1; cpu 2 write A 1 word 1", PAGE_1_OUT;
    a_guess_during_a_write_back: TWO_DIRTY, OUT, "ahead write A 1; ahead read A 0; ahead write B 0; cpu 1 write A 1 word 1", PAGE_1_OUT;
}

/// Page 0 is on its way in: it is absent, and the frame it needs is clean or free.
const IN: &str = "cpu 0 read A 0 word 0";
const PAGE_0_IN: (u8, u32, Direction) = (0, 0, Direction::Read);
/// Pages of a file: 0 was read and driven out by 1, so that nothing is dirty.
const CLEAN_FILE: &str = "create A; create B; map B swap; map A file 0 0; map A file 0 1; cpu 0 read A 0 word 0; cpu 0 read A 1 word 1";
/// Private pages, shared with B: both were written home and read again, so that nothing is dirty.
const CLEAN_SHARED: &str = "create A; map A swap; map A swap; cpu 0 write A 0 word 0; cpu 0 write A 1 word 1; fork A B; cpu 0 read A 0 word 0; cpu 0 read A 1 word 0";

meetings! {
    fork_during_a_page_in: CLEAN_SHARED, IN, "fork A C; cpu 1 write C 0 word 0; cpu 2 read B 0 word 0", PAGE_0_IN;
    fork_during_a_page_in_of_a_file: CLEAN_FILE, IN, "fork A C; cpu 1 write C 0 word 0", PAGE_0_IN;
    copy_on_write_of_a_page_being_read: CLEAN_SHARED, IN, "cpu 1 write B 0 word 0; cpu 2 write A 0 word 0", PAGE_0_IN;
    exit_of_the_faulter_during_a_page_in: CLEAN_SHARED, IN, "destroy A; cpu 1 read B 0 word 0", PAGE_0_IN;
    exit_of_everybody_during_a_page_in: CLEAN_SHARED, IN, "destroy A; destroy B; create A; map A swap", PAGE_0_IN;
    exit_during_a_page_in_of_a_file: CLEAN_FILE, IN, "destroy A; map B file 0 0; cpu 1 write B 1 word 0", PAGE_0_IN;
    unmap_during_a_page_in: CLEAN_SHARED, IN, "unmap A 0 count 1; map A swap; cpu 1 read A 0 word 0", PAGE_0_IN;
    unmap_during_a_page_in_of_a_file: CLEAN_FILE, IN, "unmap A 0 count 1; map B file 0 0", PAGE_0_IN;
    map_of_a_page_being_read: CLEAN_FILE, IN, "map B file 0 0; cpu 1 read B 1 word 0; cpu 2 write B 1 word 1", PAGE_0_IN;
    two_processes_fault_on_one_page: CLEAN_SHARED, IN, "cpu 1 read B 0 word 0; cpu 2 write B 0 word 1", PAGE_0_IN;
    a_stale_fault_during_a_page_in: CLEAN_SHARED, IN, "fault write A 0; fault read A 0; create C; destroy C; stale C 0", PAGE_0_IN;
    discard_during_a_page_in: CLEAN_SHARED, IN, "discard A 0 count 1; cpu 1 write A 0 word 1; cpu 2 write B 0 word 0", PAGE_0_IN;
    discard_by_every_sharer_during_a_page_in: CLEAN_SHARED, IN, "discard A 0 count 2; discard B 0 count 2; cpu 1 write B 0 word 1", PAGE_0_IN;
    discard_by_the_other_sharer_during_a_page_in: CLEAN_SHARED, IN, "cpu 1 read B 0 word 0; discard B 0 count 1; cpu 2 write B 0 word 1", PAGE_0_IN;
    discard_and_unmap_during_a_page_in: CLEAN_SHARED, IN, "discard A 0 count 1; unmap A 0 count 1; map A swap; cpu 1 write A 0 word 0", PAGE_0_IN;
    a_guess_during_a_page_in: CLEAN_SHARED, IN, "ahead read A 0; ahead write B 0; ahead read A 1", PAGE_0_IN;
    flush_during_a_page_in: CLEAN_FILE, "cpu 0 write A 0 word 0", "flush; flush 0", PAGE_0_IN;
    pin_during_a_page_in: CLEAN_FILE, IN, "pin A 0 read; unpin A 0", PAGE_0_IN;
}

/// Page 0 comes in ahead of any fault: it is out, shared with B, and a frame is free.
const SPARE: &str = "create A; map A swap at 0 count 4; cpu 0 write A 0 word 0; cpu 0 write A 1 word 0; cpu 0 write A 2 word 0; cpu 0 write A 3 word 0; fork A B; unmap A 1 count 3; unmap B 1 count 3";
/// The same with a file's page: B shows it too.
const SPARE_FILE: &str = "create A; create B; map A file 0 0; map B file 0 0; map B swap";
const AHEAD: &str = "ahead read A 0";

meetings! {
    fault_while_reading_ahead: SPARE, AHEAD, "cpu 0 read A 0 word 0; cpu 1 write A 0 word 1", PAGE_0_IN;
    fault_of_the_other_sharer_while_reading_ahead: SPARE, AHEAD, "cpu 0 read B 0 word 0; cpu 1 write B 0 word 1", PAGE_0_IN;
    faults_of_both_while_reading_ahead: SPARE, AHEAD, "cpu 0 write B 0 word 0; cpu 1 write A 0 word 1", PAGE_0_IN;
    unmap_while_reading_ahead: SPARE, AHEAD, "unmap A 0 count 1; map A swap; cpu 1 read A 0 word 0; cpu 2 read B 0 word 0", PAGE_0_IN;
    fork_while_reading_ahead: SPARE, AHEAD, "fork A C; cpu 1 write C 0 word 0; cpu 2 read A 0 word 0", PAGE_0_IN;
    exit_while_reading_ahead: SPARE, AHEAD, "destroy A; cpu 1 read B 0 word 0; create A; map A swap", PAGE_0_IN;
    exit_of_everybody_while_reading_ahead: SPARE, AHEAD, "destroy A; destroy B; create A; map A swap", PAGE_0_IN;
    discard_while_reading_ahead: SPARE, AHEAD, "discard A 0 count 1; cpu 1 read A 0 word 0; cpu 2 read B 0 word 0", PAGE_0_IN;
    discard_by_every_sharer_while_reading_ahead: SPARE, AHEAD, "discard A 0 count 1; discard B 0 count 1; cpu 1 write A 0 word 0", PAGE_0_IN;
    another_guess_while_reading_ahead: SPARE, AHEAD, "ahead write A 0; ahead read B 0; cpu 1 read A 0 word 0", PAGE_0_IN;
    pin_while_reading_ahead: SPARE, AHEAD, "pin A 0 write; cpu 1 write A 0 word 0; unpin A 0", PAGE_0_IN;
    others_want_the_frame_while_reading_ahead: SPARE, AHEAD, "map B swap at 4 count 2; cpu 0 write B 4 word 0; cpu 1 write B 5 word 0; cpu 2 read A 0 word 0", PAGE_0_IN;
    a_file_is_unmapped_while_reading_ahead: SPARE_FILE, AHEAD, "unmap A 0 count 1; cpu 1 read B 0 word 0", PAGE_0_IN;
    a_file_is_mapped_while_reading_ahead: SPARE_FILE, AHEAD, "map B file 0 0; cpu 1 write B 2 word 0; cpu 2 read A 0 word 0", PAGE_0_IN;
    everybody_unmaps_a_file_while_reading_ahead: SPARE_FILE, AHEAD, "destroy A; destroy B; create A; map A file 0 0; cpu 1 read A 0 word 1", PAGE_0_IN;
    flush_while_reading_ahead: SPARE_FILE, AHEAD, "flush; flush 0; cpu 1 write B 0 word 0; flush", PAGE_0_IN;
}
