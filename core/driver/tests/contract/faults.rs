//! Rules 20-25: reads, writes, copies, and bringing a page in.

use crate::world::{World, at, block};
use mager_pager::{Access, Denied, FrameNo, Home, SwapBlock};

#[test]
fn rule_20_an_access_outside_the_valid_pages_is_denied_without_effect() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(2);
    let before = w.snapshot();
    for page in [2, 7, 8, 255, 1 << 31, u32::MAX] {
        for access in [Access::Read, Access::Write] {
            assert_eq!(w.did(|w| w.fault(at(a, page), access)), ["deny: bad address"]);
        }
    }
    assert_eq!(w.snapshot(), before);
}

#[test]
fn rule_21_a_read_references_and_nothing_more() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    assert_eq!(w.did(|w| w.load(at(a, 0))), ["read object:5:0 into 1", "map 0:0 to 1 r", "resume"]);
    assert!(w.referenced(at(a, 0)) && !w.dirty(at(a, 0)));
}

#[test]
fn rule_21_a_read_of_a_dirty_page_gives_write_back_at_once() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(3);
    (0..3).for_each(|page| w.store(at(a, page), 1).unwrap());
    assert_eq!(w.rights(at(a, 1)), "-");
    assert_eq!(w.did(|w| w.load(at(a, 1))), ["map 0:1 to 2 rw", "resume"]);
}

#[test]
fn rule_22_a_write_with_one_sharer_takes_one_fault_and_no_copy() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(2);
    w.store(at(a, 0), 1).unwrap();
    w.store(at(a, 1), 2).unwrap();
    let faults = w.view().counters().faults;
    let did = w.did(|w| w.store(at(a, 0), 3).unwrap());
    assert_eq!(
        did[..did.len() - 2],
        ["map 0:1 to 1 -", "write 1 to swap:1", "unmap 0:1 from 1", "read swap:0 into 1"]
    );
    assert_eq!((w.rights(at(a, 0)), w.view().counters().faults), ("rw", faults + 1));
    assert!(w.dirty(at(a, 0)) && w.referenced(at(a, 0)));
}

#[test]
fn rule_22_a_write_on_a_file_page_is_never_a_copy() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    let b = w.fork(a);
    w.store(at(b, 0), 9).unwrap();
    assert_eq!((w.view().counters().faults, w.view().counters().copies), (1, 0));
    assert_eq!((w.load(at(a, 0)), w.rights(at(a, 0))), (Ok(9), "rw"));
}

#[test]
fn rule_22_when_sharers_fall_to_one_the_right_comes_at_once() {
    let mut w = World::new(4, 16);
    let parent = w.with_swap(1);
    w.store(at(parent, 0), 1).unwrap();
    let child = w.fork(parent);
    let did = w.did(|w| w.store(at(child, 0), 2).unwrap());
    assert!(did.contains(&"map 0:0 to 1 rw".to_owned()), "the parent is the last sharer: {did:?}");
    assert_eq!(w.did(|w| w.store(at(parent, 0), 3).unwrap()), [""; 0]);
    assert_eq!((w.load(at(parent, 0)), w.load(at(child, 0))), (Ok(3), Ok(2)));
}

#[test]
fn rule_23_the_first_write_takes_a_zeroed_frame_at_the_tail() {
    let mut w = World::new(4, 16);
    let a = w.with_swap(3);
    for page in 0..3 {
        let frame = page + 1;
        let did = w.did(|w| w.store(at(a, page), 7).unwrap());
        assert_eq!(
            did,
            [format!("zero {frame}"), format!("map 0:{page} to {frame} rw"), "resume".to_owned()]
        );
        assert!(w.dirty(at(a, page)) && w.referenced(at(a, page)));
        assert_eq!(w.clock(), (1..=frame).collect::<Vec<_>>());
    }
}

#[test]
fn rule_23_the_frame_is_zero_even_after_others_used_it() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(2);
    w.store(at(a, 0), 7).unwrap();
    w.fault(at(a, 1), Access::Write).unwrap();
    assert_eq!(w.load(at(a, 1)), Ok(0));
}

#[test]
fn rule_24_a_write_on_a_shared_page_leaves_it_for_a_copy() {
    let mut w = World::new(4, 16);
    let parent = w.with_swap(1);
    w.store(at(parent, 0), 1).unwrap();
    let (child, third) = (w.fork(parent), w.fork(parent));
    let did = w.did(|w| w.store(at(child, 0), 2).unwrap());
    assert_eq!(did, ["copy 1 to 2", "map 1:0 to 2 rw", "resume"]);
    assert_eq!([parent, child, third].map(|id| w.load(at(id, 0)).unwrap()), [1, 2, 1]);
    assert!(w.dirty(at(child, 0)) && w.referenced(at(child, 0)));
    assert_eq!((w.clock(), w.rights(at(parent, 0)), w.rights(at(third, 0))), (vec![1, 2], "r", "r"));
}

#[test]
fn rule_24_the_source_is_brought_in_for_all_first_and_referenced() {
    let mut w = World::new(3, 16);
    let parent = w.with_swap(3);
    (0..3).for_each(|page| w.store(at(parent, page), 10 + u8::try_from(page).unwrap()).unwrap());
    let child = w.fork(parent);
    assert_eq!(w.frame_of(at(parent, 0)), None);
    w.store(at(child, 0), 99).unwrap();
    assert_eq!((w.load(at(parent, 0)), w.load(at(child, 0))), (Ok(10), Ok(99)));
    assert_eq!(w.view().counters().page_ins, 1);
}

#[test]
fn rule_24_the_source_gets_a_reference_from_the_writers_fault() {
    let mut w = World::new(4, 16);
    let parent = w.with_swap(4);
    (0..4).for_each(|page| w.store(at(parent, page), 1).unwrap());
    let child = w.fork(parent);
    w.unmap(at(parent, 3));
    w.unmap(at(child, 3));
    assert!(!w.referenced(at(parent, 1)));
    assert_eq!(w.fault(at(child, 1), Access::Write), Ok(()));
    assert!(w.referenced(at(parent, 1)), "rule 24 (ii)");
    assert_eq!(w.rights(at(parent, 1)), "rw", "rule 24 (v): one sharer is left");
}

#[test]
fn rule_24_the_source_itself_can_be_the_victim_and_its_bytes_survive() {
    let mut w = World::new(2, 16);
    let parent = w.with_swap(1);
    w.store(at(parent, 0), 1).unwrap();
    let child = w.fork(parent);
    let did = w.did(|w| w.store(at(child, 0), 2).unwrap());
    assert!(did.contains(&"write 1 to swap:0".to_owned()), "{did:?}");
    assert!(!did.iter().any(|effect| effect.starts_with("copy")), "the frame passes with its bytes: {did:?}");
    assert_eq!(w.view().counters().steals, 1);
    assert_eq!(w.load(at(child, 0)), Ok(2));
    assert_eq!(w.load(at(parent, 0)), Ok(1));
    assert_eq!(w.load(at(child, 0)), Ok(2));
}

#[test]
fn rule_24_a_clean_source_that_is_the_victim_costs_no_write() {
    let mut w = World::new(2, 16);
    let parent = w.with_swap(2);
    w.store(at(parent, 0), 1).unwrap();
    w.store(at(parent, 1), 9).unwrap();
    let child = w.fork(parent);
    w.load(at(child, 0)).unwrap();
    assert_eq!(w.io(|w| w.store(at(child, 0), 2).unwrap()), [""; 0]);
    assert_eq!((w.load(at(parent, 0)), w.load(at(child, 0))), (Ok(1), Ok(2)));
}

#[test]
fn rule_24_the_second_frame_may_cost_another_page_its_own() {
    let mut w = World::new(3, 16);
    let other = w.with_file(&[0]);
    w.load(at(other, 0)).unwrap();
    let parent = w.with_swap(1);
    w.store(at(parent, 0), 1).unwrap();
    let child = w.fork(parent);
    let did = w.did(|w| w.store(at(child, 0), 2));
    let sweep = ["map 0:0 to 1 -", "map 1:0 to 2 -", "map 2:0 to 2 -", "unmap 0:0 from 1"];
    assert_eq!(did[..4], sweep);
    assert_eq!(did[4], "copy 2 to 1");
    assert_eq!((w.load(at(parent, 0)), w.load(at(child, 0))), (Ok(1), Ok(2)));
}

#[test]
fn rule_25_a_victims_write_precedes_the_read() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    w.map_file(a, 4).unwrap();
    w.store(at(a, 0), 1).unwrap();
    let did = w.did(|w| assert_eq!(w.load(at(a, 1)), Ok(104)));
    assert_eq!(
        did[..4],
        ["map 0:0 to 1 -", "write 1 to swap:0", "unmap 0:0 from 1", "read object:5:4 into 1"]
    );
    assert!(!w.dirty(at(a, 1)) && w.referenced(at(a, 1)));
    assert_eq!((w.rights(at(a, 1)), w.clock()), ("r", vec![1]));
}

#[test]
fn rule_25_a_failed_read_returns_the_frame_and_the_victim_stays_out() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(2);
    w.map_file(a, 4).unwrap();
    w.store(at(a, 0), 1).unwrap();
    w.store(at(a, 1), 2).unwrap();
    w.machine.unreadable.insert(block(4));
    assert_eq!(w.load(at(a, 2)), Err(Denied::Io));
    assert_eq!((w.frame_of(at(a, 0)), w.frame_of(at(a, 2))), (None, None));
    assert_eq!(w.view().free_frames(), [FrameNo(1)]);
    w.machine.unreadable.clear();
    assert_eq!(w.io(|w| assert_eq!(w.load(at(a, 2)), Ok(104))), ["read object:5:4 into 1"]);
}

#[test]
fn rule_25_the_frame_of_a_failed_read_goes_to_the_end_of_the_free_list() {
    let mut w = World::new(5, 16);
    let a = w.with_file(&[4]);
    w.machine.unreadable.insert(block(4));
    assert_eq!(w.load(at(a, 0)), Err(Denied::Io));
    assert_eq!(w.view().free_frames(), [2, 3, 4, 1].map(FrameNo));
}

#[test]
fn rule_25_an_unreadable_swap_block_denies_that_access_only() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(2);
    w.store(at(a, 0), 1).unwrap();
    w.store(at(a, 1), 2).unwrap();
    let lost = Home::Swap(SwapBlock(0));
    w.machine.unreadable.insert(lost);
    assert_eq!(w.store(at(a, 0), 3), Err(Denied::Io));
    assert_eq!(w.load(at(a, 1)), Ok(2));
    w.machine.unreadable.clear();
    assert_eq!(w.load(at(a, 0)), Ok(1));
}
