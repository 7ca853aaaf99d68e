//! Rules 30-36: second chance, write-back, and no work early.

use crate::world::{World, at, block};
use mager_pager::{Access, Denied, FrameNo, Home, SwapBlock};

/// Three frames full of dirty pages 0, 1, 2 of an arena with `pages` swap pages.
fn full(pages: u32) -> (World, mager_pager::ArenaId) {
    let mut w = World::new(4, 16);
    let a = w.with_swap(pages);
    (0..3).for_each(|page| w.store(at(a, page), 10 + u8::try_from(page).unwrap()).unwrap());
    (w, a)
}

#[test]
fn rule_30_pages_enter_at_the_tail_on_zero_fill_bring_in_and_copy() {
    let mut w = World::new(5, 16);
    let a = w.with_swap(1);
    w.map_file(a, 0).unwrap();
    w.load(at(a, 1)).unwrap();
    w.store(at(a, 0), 1).unwrap();
    let b = w.fork(a);
    w.store(at(b, 0), 2).unwrap();
    assert_eq!(w.clock(), [1, 2, 3]);
    assert!(w.referenced(at(a, 1)) && w.referenced(at(b, 0)));
}

#[test]
fn rule_30_a_fault_on_a_resident_page_does_not_move_it() {
    let (mut w, a) = full(4);
    w.store(at(a, 3), 13).unwrap();
    assert_eq!(w.clock(), [2, 3, 1]);
    w.load(at(a, 2)).unwrap();
    w.store(at(a, 1), 1).unwrap();
    assert_eq!(w.clock(), [2, 3, 1]);
}

#[test]
fn rule_31_a_referenced_head_is_spared_and_loses_its_rights() {
    let (mut w, a) = full(4);
    let did = w.did(|w| w.store(at(a, 3), 13).unwrap());
    assert_eq!(did[..3], ["map 0:0 to 1 -", "map 0:1 to 2 -", "map 0:2 to 3 -"]);
    assert_eq!(w.frame_of(at(a, 0)), None, "after one full sweep the first one goes");
    assert_eq!((w.rights(at(a, 1)), w.rights(at(a, 2)), w.rights(at(a, 3))), ("-", "-", "rw"));
}

#[test]
fn rule_31_all_sharers_lose_their_rights_when_the_hand_passes() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(3);
    w.store(at(a, 0), 1).unwrap();
    w.store(at(a, 1), 2).unwrap();
    let b = w.fork(a);
    w.store(at(a, 2), 3).unwrap();
    assert_eq!((w.rights(at(a, 1)), w.rights(at(b, 1))), ("-", "-"));
    assert_eq!(w.frame_of(at(b, 1)), Some(FrameNo(2)));
}

#[test]
fn rule_31_the_hands_position_persists() {
    let (mut w, a) = full(6);
    w.store(at(a, 3), 13).unwrap();
    assert_eq!(w.clock(), [2, 3, 1]);
    w.load(at(a, 1)).unwrap();
    w.store(at(a, 4), 14).unwrap();
    assert_eq!(w.clock(), [1, 2, 3], "page 1 was spared, page 2 in frame 3 went");
    assert_eq!((w.frame_of(at(a, 1)), w.frame_of(at(a, 2))), (Some(FrameNo(2)), None));
    w.store(at(a, 5), 15).unwrap();
    assert_eq!(
        w.frame_of(at(a, 1)),
        None,
        "page 3, in frame 1, was referenced; page 1 was not since it was spared"
    );
}

#[test]
fn rule_31_nothing_is_evicted_while_a_frame_is_free() {
    let (mut w, a) = full(4);
    let b = w.with_swap(1);
    w.store(at(b, 0), 1).unwrap();
    let evictions = w.view().counters().evictions;
    w.destroy(b);
    w.store(at(a, 3), 1).unwrap();
    assert_eq!(w.view().counters().evictions, evictions);
}

#[test]
fn rule_31_no_chance_is_taken_while_a_frame_is_free() {
    let mut w = World::new(8, 16);
    let a = w.with_swap(7);
    (0..7).for_each(|page| w.store(at(a, page), 1).unwrap());
    assert_eq!(w.view().counters().second_chances, 0);
}

#[test]
fn rule_32_a_freed_page_leaves_the_clock_and_the_others_keep_their_order() {
    let mut w = World::new(6, 16);
    let (a, b) = (w.with_swap(3), w.with_swap(2));
    for (arena, page) in [(a, 0), (b, 0), (a, 1), (b, 1), (a, 2)] {
        w.store(at(arena, page), 1).unwrap();
    }
    assert_eq!(w.clock(), [1, 2, 3, 4, 5]);
    w.destroy(b);
    assert_eq!(w.clock(), [1, 3, 5]);
}

#[test]
fn rule_32_when_the_hand_stands_on_the_freed_page_it_goes_to_the_next() {
    let (mut w, a) = full(4);
    w.store(at(a, 3), 1).unwrap();
    assert_eq!(w.clock(), [2, 3, 1]);
    w.unmap(at(a, 1));
    assert_eq!(w.clock(), [3, 1]);
}

#[test]
fn rule_33_a_dirty_victim_is_written_once_to_its_one_home() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    w.map_file(a, 2).unwrap();
    w.store(at(a, 0), 1).unwrap();
    assert_eq!(w.io(|w| w.store(at(a, 1), 2)), ["write 1 to swap:0", "read object:5:2 into 1"]);
    assert_eq!(w.io(|w| w.load(at(a, 0))), ["write 1 to object:5:2", "read swap:0 into 1"]);
    assert_eq!((w.machine.disk[&block(2)][0], w.rights(at(a, 1))), (2, "-"));
}

#[test]
fn rule_33_a_clean_victim_is_dropped_without_a_write() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    w.map_file(a, 2).unwrap();
    w.store(at(a, 0), 1).unwrap();
    w.load(at(a, 1)).unwrap();
    assert_eq!(w.io(|w| w.load(at(a, 0))), ["read swap:0 into 1"], "the file page was only read");
    assert_eq!(w.io(|w| w.load(at(a, 1))), ["read object:5:2 into 1"], "the swap page was not written again");
    assert_eq!(w.io(|w| assert_eq!(w.load(at(a, 0)), Ok(1))), ["read swap:0 into 1"]);
}

#[test]
fn rule_34_a_shared_swap_page_is_written_once_and_read_once() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    let sharers = [a, w.fork(a), w.fork(a)];
    let scratch = w.with_swap(1);
    assert_eq!(w.io(|w| w.store(at(scratch, 0), 2)), ["write 1 to swap:0"]);
    let io = w.io(|w| sharers.map(|id| assert_eq!(w.load(at(id, 0)), Ok(1))));
    assert_eq!(io, ["write 1 to swap:1", "read swap:0 into 1"]);
}

#[test]
fn rule_35_a_failed_write_denies_the_fault_and_keeps_the_victim() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(2);
    w.store(at(a, 0), 1).unwrap();
    w.machine.unwritable.insert(Home::Swap(SwapBlock(0)));
    assert_eq!(w.store(at(a, 1), 2), Err(Denied::Io));
    assert!(w.dirty(at(a, 0)) && !w.referenced(at(a, 0)));
    assert_eq!((w.rights(at(a, 0)), w.rights(at(a, 1))), ("-", "r"));
    assert_eq!(w.load(at(a, 0)), Ok(1), "nothing is lost");
    w.machine.unwritable.clear();
    assert_eq!(w.store(at(a, 1), 2), Ok(()));
    assert_eq!(w.load(at(a, 0)), Ok(1));
}

#[test]
fn rule_35_the_victim_goes_to_the_tail_and_the_next_fault_tries_another() {
    let (mut w, a) = full(4);
    w.machine.unwritable.insert(Home::Swap(SwapBlock(0)));
    assert_eq!(w.store(at(a, 3), 4), Err(Denied::Io));
    assert_eq!(w.clock(), [2, 3, 1]);
    assert_eq!(w.store(at(a, 3), 4), Ok(()));
    assert_eq!((w.frame_of(at(a, 0)), w.frame_of(at(a, 1))), (Some(FrameNo(1)), None));
}

#[test]
fn rule_35_the_failed_victim_is_tried_again_when_the_hand_returns() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    let b = w.with_swap(2);
    w.store(at(a, 0), 7).unwrap();
    w.store(at(b, 0), 1).unwrap();
    w.machine.unwritable.insert(block(0));
    assert_eq!(w.store(at(b, 1), 2), Err(Denied::Io));
    assert_eq!(w.store(at(b, 1), 2), Ok(()));
    assert_eq!(w.io(|w| assert_eq!(w.load(at(b, 0)), Err(Denied::Io))), ["write 1 to object:5:0"]);
    w.machine.unwritable.clear();
    let io = w.io(|w| [at(b, 0), at(b, 1), at(b, 0), at(b, 1)].map(|site| w.load(site).unwrap()));
    assert!(io.contains(&"write 1 to object:5:0".to_owned()), "{io:?}");
    assert_eq!(w.machine.disk[&block(0)][0], 7);
}

#[test]
fn rule_35_a_copy_whose_victim_fails_leaves_the_writer_where_it_was() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    let b = w.fork(a);
    w.machine.unwritable.insert(Home::Swap(SwapBlock(0)));
    assert_eq!(w.store(at(b, 0), 2), Err(Denied::Io));
    assert_eq!((w.load(at(a, 0)), w.load(at(b, 0))), (Ok(1), Ok(1)));
    w.machine.unwritable.clear();
    assert_eq!(w.store(at(b, 0), 2), Ok(()));
    assert_eq!((w.load(at(a, 0)), w.load(at(b, 0))), (Ok(1), Ok(2)));
}

/// A small life of everything, and exactly the work it needs.
#[test]
fn rule_36_no_work_that_can_be_avoided() {
    let mut w = World::new(4, 16);
    let a = w.with_swap(3);
    w.map_file(a, 0).unwrap();
    (0..3).for_each(|page| assert_eq!(w.load(at(a, page)), Ok(0)));
    assert_eq!(w.view().counters().faults, 0, "reading untouched pages costs nothing");
    w.store(at(a, 0), 1).unwrap();
    assert_eq!(w.load(at(a, 0)), Ok(1));
    w.store(at(a, 0), 2).unwrap();
    w.store(at(a, 3), 9).unwrap();
    let b = w.fork(a);
    assert_eq!((w.load(at(b, 0)), w.load(at(b, 3))), (Ok(2), Ok(9)));
    w.store(at(b, 3), 8).unwrap();
    w.store(at(b, 1), 3).unwrap();
    w.destroy(b);
    w.store(at(a, 0), 4).unwrap();
    let done = w.view().counters();
    assert_eq!((done.faults, done.zero_fills, done.page_ins), (3, 2, 1));
    assert_eq!((done.write_backs, done.copies, done.evictions, done.second_chances), (0, 0, 0, 0));
}

#[test]
fn rule_36_a_repeated_fault_only_says_again_what_is_there() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    assert_eq!(w.did(|w| w.fault(at(a, 0), Access::Write)), ["map 0:0 to 1 rw", "resume"]);
    assert_eq!(w.did(|w| w.fault(at(a, 0), Access::Read)), ["map 0:0 to 1 rw", "resume"]);
}

#[test]
fn rule_36_the_last_of_two_writers_needs_no_copy() {
    let mut w = World::new(4, 16);
    let a = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    let b = w.fork(a);
    w.store(at(a, 0), 2).unwrap();
    w.store(at(b, 0), 3).unwrap();
    assert_eq!((w.view().counters().copies, w.view().counters().faults), (1, 2));
}

#[test]
fn rule_36_a_copy_of_a_clean_page_writes_and_reads_nothing() {
    let mut w = World::new(4, 16);
    let a = w.with_swap(4);
    (0..4).for_each(|page| w.store(at(a, page), 1).unwrap());
    w.load(at(a, 0)).unwrap();
    let b = w.fork(a);
    w.unmap(at(b, 3));
    w.unmap(at(a, 3));
    assert_eq!(w.io(|w| w.store(at(b, 0), 2)), [""; 0]);
}
