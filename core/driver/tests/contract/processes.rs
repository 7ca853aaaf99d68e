//! Rules 1-9: the zero page, free frames, and how processes come and go.

use crate::world::{World, at, block};
use mager_driver::{Control, Outcome};
use mager_pager::{Access, Denied, FrameNo, Refused, SwapBlock};
use mager_pager::{Home, VirtPage};

/// That frame 0 is never filled or mapped for writing is asserted by the machine, in every test here. That it is
/// zeroed at init is the machine's own work.
#[test]
fn rule_01_the_zero_page_is_shared_and_never_in_the_clock() {
    let mut w = World::new(3, 16);
    let (a, b) = (w.with_swap(4), w.with_swap(1));
    assert_eq!(w.load(at(a, 3)), Ok(0));
    assert_eq!(w.machine.mapped[&at(a, 3)].0, FrameNo(0));
    assert_eq!(w.machine.mapped[&at(b, 0)].0, FrameNo(0));
    for page in 0..3 {
        w.store(at(a, page), 9).unwrap();
        assert!(!w.clock().contains(&0));
    }
    assert_eq!(w.load(at(b, 0)), Ok(0));
    assert_eq!(w.load(at(a, 3)), Ok(0));
}

#[test]
fn rule_02_frames_start_free_in_order_and_the_clock_empty() {
    let w = World::new(5, 4);
    assert_eq!(w.view().free_frames(), [1, 2, 3, 4].map(FrameNo));
    assert!(w.clock().is_empty());
}

#[test]
fn rule_02_free_frames_go_first_in_first_out_before_any_eviction() {
    let mut w = World::new(4, 16);
    let (a, b) = (w.with_swap(2), w.with_swap(4));
    w.store(at(a, 0), 1).unwrap();
    w.store(at(a, 1), 2).unwrap();
    w.destroy(a);
    assert_eq!(w.view().free_frames(), [3, 1, 2].map(FrameNo));
    for (page, frame) in [(0, 3), (1, 1), (2, 2)] {
        w.store(at(b, page), 3).unwrap();
        assert_eq!(w.frame_of(at(b, page)), Some(FrameNo(frame)));
    }
    assert_eq!(w.view().counters().evictions, 0);
    w.store(at(b, 3), 3).unwrap();
    assert_eq!(w.view().counters().evictions, 1);
}

/// Which processes are managed is the machine's knowledge; for the core a new arena is an empty one.
#[test]
fn rule_03_a_new_arena_is_empty() {
    let mut w = World::new(3, 4);
    w.with_swap(2);
    let child = w.create();
    assert!(w.view().regions(child).is_empty());
    assert_eq!(w.load(at(child, 0)), Err(Denied::BadAddress));
}

#[test]
fn rule_04_a_child_has_its_parents_pages() {
    let mut w = World::new(8, 16);
    let parent = w.with_swap(3);
    assert_eq!(w.map_file(parent, 6), Ok(VirtPage(3)));
    w.store(at(parent, 1), 7).unwrap();
    let child = w.fork(parent);
    assert_eq!(w.view().regions(child), w.view().regions(parent));
    assert_eq!([0, 1, 2, 3].map(|page| w.load(at(child, page)).unwrap()), [0, 7, 0, 106]);
    assert_eq!(w.load(at(child, 4)), Err(Denied::BadAddress));
}

#[test]
fn rule_04_a_fork_short_of_reservations_is_refused_and_changes_nothing() {
    let mut w = World::new(3, 5);
    let parent = w.with_swap(3);
    w.map_file(parent, 0).unwrap();
    (0..3).for_each(|page| w.store(at(parent, page), 1).unwrap());
    let before = w.snapshot();
    let did = w.did(|w| assert_eq!(w.try_fork(parent), Err(Refused::NoSwap { wanted: 3, free: 2 })));
    assert!(did.is_empty());
    assert_eq!(w.snapshot(), before);
}

#[test]
fn rule_05_a_reservation_is_taken_by_each_map_and_fork_and_returned_by_destroy() {
    let mut w = World::new(4, 10);
    let a = w.with_swap(3);
    assert_eq!(w.free_swap(), 7);
    w.map_file(a, 0).unwrap();
    assert_eq!(w.free_swap(), 7, "a file page takes none");
    w.store(at(a, 0), 1).unwrap();
    let b = w.fork(a);
    assert_eq!(w.free_swap(), 4, "sharing does not reduce it, untouched pages count");
    w.store(at(b, 0), 2).unwrap();
    assert_eq!(w.free_swap(), 4, "a copy has its reservation already");
    w.destroy(a);
    assert_eq!(w.free_swap(), 7);
    w.destroy(b);
    assert_eq!(w.free_swap(), 10);
}

#[test]
fn rule_05_every_reserved_page_finds_a_block_when_all_are_taken() {
    let mut w = World::new(2, 6);
    let a = w.with_swap(3);
    (0..3).for_each(|page| w.store(at(a, page), 1).unwrap());
    let b = w.fork(a);
    for page in 0..3 {
        w.store(at(b, page), 2).unwrap();
        w.store(at(a, page), 3).unwrap();
    }
    assert_eq!(w.free_swap(), 0);
    assert_eq!([0, 1, 2].map(|page| w.load(at(a, page)).unwrap()), [3; 3]);
    assert_eq!([0, 1, 2].map(|page| w.load(at(b, page)).unwrap()), [2; 3]);
}

#[test]
fn rule_06_a_block_is_assigned_at_the_first_write_back_and_kept() {
    let mut w = World::new(2, 8);
    let a = w.with_swap(2);
    w.store(at(a, 0), 1).unwrap();
    assert_eq!(w.view().counts().swap_assigned, 0);
    w.store(at(a, 1), 2).unwrap();
    assert_eq!(w.page(at(a, 0)).home, Some(Home::Swap(SwapBlock(0))));
    assert_eq!(w.view().counts().swap_assigned, 1);
    w.store(at(a, 0), 3).unwrap();
    w.store(at(a, 1), 4).unwrap();
    assert_eq!(w.page(at(a, 0)).home, Some(Home::Swap(SwapBlock(0))), "written again to the same block");
}

#[test]
fn rule_07_fork_copies_nothing() {
    let mut w = World::new(3, 16);
    let parent = w.with_swap(4);
    w.map_file(parent, 0).unwrap();
    (0..3).for_each(|page| w.store(at(parent, page), 1).unwrap());
    let (free, before) = (w.view().counts().free_frames, w.view().counters());
    let did = w.did(|w| w.fork(parent));
    assert!(did.iter().all(|effect| effect.starts_with("map")), "{did:?}");
    assert_eq!((w.view().counts().free_frames, w.view().counters()), (free, before));
}

#[test]
fn rule_07_swap_pages_lose_write_in_every_sharer() {
    let mut w = World::new(4, 16);
    let parent = w.with_swap(1);
    w.store(at(parent, 0), 1).unwrap();
    let child = w.fork(parent);
    assert_eq!((w.rights(at(parent, 0)), w.rights(at(child, 0))), ("r", "r"));
    let grandchild = w.fork(child);
    assert_eq!(w.rights(at(grandchild, 0)), "r");
    assert_eq!(w.page(at(parent, 0)).sharers.len(), 3);
}

#[test]
fn rule_07_file_pages_keep_the_protections_they_have() {
    let mut w = World::new(4, 16);
    let parent = w.with_file(&[0, 1, 2]);
    w.store(at(parent, 0), 1).unwrap();
    w.load(at(parent, 1)).unwrap();
    let child = w.fork(parent);
    for (page, rights) in [(0, "rw"), (1, "r"), (2, "-")] {
        assert_eq!((w.rights(at(parent, page)), w.rights(at(child, page))), (rights, rights));
    }
}

#[test]
fn rule_07_an_untouched_page_stays_on_the_zero_page_for_both() {
    let mut w = World::new(4, 16);
    let parent = w.with_swap(1);
    let child = w.fork(parent);
    assert_eq!(w.did(|w| w.store(at(child, 0), 5).unwrap()), ["zero 1", "map 1:0 to 1 rw", "resume"]);
    assert_eq!(w.load(at(parent, 0)), Ok(0));
    assert_eq!(w.did(|w| w.store(at(parent, 0), 6).unwrap()), ["zero 2", "map 0:0 to 2 rw", "resume"]);
}

#[test]
fn rule_07_a_non_resident_page_is_read_once_for_all() {
    let mut w = World::new(2, 16);
    let parent = w.with_swap(2);
    w.store(at(parent, 0), 8).unwrap();
    w.store(at(parent, 1), 9).unwrap();
    let child = w.fork(parent);
    assert_eq!(w.io(|w| w.load(at(child, 0))), ["write 1 to swap:1", "read swap:0 into 1"]);
    assert_eq!(w.rights(at(parent, 0)), "r");
    assert_eq!(w.did(|w| w.load(at(parent, 0))), [""; 0]);
}

/// The current process and the base register are the machine's (`vm_switch`); the core is told whose page it is
/// with each fault, so that turning from one arena to another costs nothing.
#[test]
fn rule_08_turning_to_another_arena_does_nothing() {
    let mut w = World::new(4, 16);
    let (a, b) = (w.with_swap(1), w.with_swap(1));
    w.store(at(a, 0), 1).unwrap();
    w.store(at(b, 0), 2).unwrap();
    for _ in 0..3 {
        assert_eq!(w.did(|w| assert_eq!((w.load(at(a, 0)), w.load(at(b, 0))), (Ok(1), Ok(2)))), [""; 0]);
    }
}

#[test]
fn rule_09_destroy_writes_nothing_and_frees_frame_and_block() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(4);
    (0..4).for_each(|page| w.store(at(a, page), 1).unwrap());
    let counts = w.view().counts();
    assert_eq!((counts.free_frames, counts.swap_assigned), (0, 2));
    assert_eq!(w.io(|w| w.destroy(a)), [""; 0]);
    let counts = w.view().counts();
    assert_eq!((counts.free_frames, counts.swap_assigned, counts.swap_reserved, counts.pages), (2, 0, 0, 0));
    assert!(w.clock().is_empty());
}

#[test]
fn rule_09_a_destroyed_sharer_leaves_the_page_to_the_others() {
    for first_to_go in [0, 1] {
        let mut w = World::new(3, 16);
        let parent = w.with_swap(1);
        w.store(at(parent, 0), 4).unwrap();
        let child = w.fork(parent);
        let (gone, left) = if first_to_go == 0 { (parent, child) } else { (child, parent) };
        w.destroy(gone);
        assert_eq!(w.rights(at(left, 0)), "rw", "rule 22: one sharer is left, the page is dirty");
        assert_eq!(w.did(|w| w.store(at(left, 0), 5).unwrap()), [""; 0]);
        assert_eq!(w.load(at(left, 0)), Ok(5));
    }
}

#[test]
fn rule_09_an_evicted_page_is_freed_by_its_last_sharer_only() {
    let mut w = World::new(2, 16);
    let parent = w.with_swap(2);
    w.store(at(parent, 0), 4).unwrap();
    w.store(at(parent, 1), 5).unwrap();
    let child = w.fork(parent);
    w.destroy(parent);
    assert_eq!(w.view().counts().swap_assigned, 1);
    assert_eq!(w.load(at(child, 0)), Ok(4));
    w.destroy(child);
    assert_eq!(w.view().counts().swap_assigned, 0);
}

#[test]
fn rule_09_a_destroyed_arena_is_nobodys_any_more() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    w.store(at(a, 0), 1).unwrap();
    w.destroy(a);
    assert_eq!(w.control(Control::Destroy(a)), Outcome::Refused(Refused::NoArena(a)));
    assert_eq!(w.fault(at(a, 0), Access::Read), Err(Denied::BadAddress));
    let again = w.create();
    assert_eq!((again.slot, again == a), (a.slot, false), "the slot is used again, the handle is not");
    assert_eq!(w.machine.disk[&block(0)][0], 100, "rule 29: nothing was flushed");
}
