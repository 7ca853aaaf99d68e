//! Rules 26-29: file pages and ghosts.

use crate::world::{FILE, World, at, block};
use mager_pager::{FrameNo, VirtPage};

#[test]
fn rule_26_one_page_per_block_in_the_whole_system() {
    let mut w = World::new(4, 16);
    let (a, b) = (w.with_file(&[3]), w.with_file(&[0, 3]));
    let c = w.fork(b);
    w.store(at(c, 1), 8).unwrap();
    assert_eq!([at(a, 0), at(b, 1), at(c, 1)].map(|site| w.load(site).unwrap()), [8; 3]);
    assert_eq!((w.view().counters().page_ins, w.view().counters().copies), (1, 0));
    assert_eq!(w.page(at(a, 0)).sharers.len(), 3);
}

#[test]
fn rule_27_a_non_resident_page_is_forgotten_with_its_last_mapping() {
    let mut w = World::new(2, 16);
    let a = w.with_file(&[0, 1]);
    w.load(at(a, 0)).unwrap();
    w.load(at(a, 1)).unwrap();
    w.unmap(at(a, 0));
    assert_eq!(w.view().counts().file_pages, 1);
}

/// What the course machine needs to let a name go: an object is forgotten with its last page, and not if it is
/// mapped again before anybody has asked.
#[test]
fn rule_27_an_object_is_forgotten_with_its_last_page_or_ghost() {
    let mut w = World::new(3, 16);
    let (never_read, again) = (w.with_file(&[0, 1]), w.create());
    w.unmap(at(never_read, 0));
    assert!(w.forgotten().is_empty(), "one of its pages is left");
    w.destroy(never_read);
    w.map_file(again, 0).unwrap();
    assert!(w.forgotten().is_empty(), "it came back before anybody asked");
    w.load(at(again, 0)).unwrap();
    w.destroy(again);
    assert!(w.forgotten().is_empty(), "a ghost is left");
    let filler = w.with_swap(2);
    (0..2).for_each(|page| w.store(at(filler, page), 1).unwrap());
    assert_eq!((w.forgotten(), w.forgotten()), (vec![FILE], vec![]));
}

#[test]
fn rule_27_a_resident_page_stays_as_a_ghost_with_its_place_and_its_bits() {
    let mut w = World::new(4, 16);
    let a = w.with_file(&[0, 1, 2]);
    w.store(at(a, 1), 7).unwrap();
    w.load(at(a, 0)).unwrap();
    w.load(at(a, 2)).unwrap();
    let (clock, frames) = (w.clock(), w.view().frames());
    w.destroy(a);
    assert_eq!((w.clock(), w.view().frames()), (clock, frames));
    assert_eq!(w.view().counts().free_frames, 0);
    let b = w.create();
    assert_eq!(w.did(|w| w.map_file(b, 1)), ["map 0:0 to 1 rw"]);
    assert_eq!(w.did(|w| assert_eq!(w.load(at(b, 0)), Ok(7))), [""; 0]);
}

#[test]
fn rule_27_a_dirty_ghost_is_written_when_it_is_evicted() {
    let mut w = World::new(2, 16);
    let a = w.with_file(&[0]);
    w.store(at(a, 0), 7).unwrap();
    w.destroy(a);
    let b = w.with_swap(1);
    assert_eq!(
        w.did(|w| w.store(at(b, 0), 1)),
        ["write 1 to object:5:0", "zero 1", "map 0:0 to 1 rw", "resume"]
    );
    assert_eq!((w.machine.disk[&block(0)][0], w.view().counts().file_pages), (7, 0));
}

#[test]
fn rule_27_a_ghost_gets_a_second_chance_like_any_page() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0, 1]);
    w.load(at(a, 0)).unwrap();
    w.load(at(a, 1)).unwrap();
    w.unmap(at(a, 0));
    w.sweep();
    let order = w.clock();
    assert_eq!(w.view().counts().file_pages, 1, "the ghost was at the head, swept round and taken first");
    assert_eq!(order, [2]);
}

#[test]
fn rule_28_a_ghosts_frame_is_not_free_and_leaves_only_through_the_clock() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    w.load(at(a, 0)).unwrap();
    w.destroy(a);
    let b = w.with_swap(2);
    w.store(at(b, 0), 1).unwrap();
    assert_eq!((w.frame_of(at(b, 0)), w.view().counts().free_frames), (Some(FrameNo(2)), 0));
    assert_eq!(w.clock(), [1, 2]);
    w.store(at(b, 1), 2).unwrap();
    assert_eq!(w.frame_of(at(b, 1)), Some(FrameNo(1)), "the hand came to the ghost");
}

#[test]
fn rule_28_a_ghost_that_is_taken_over_is_a_ghost_again_after_the_next_destroy() {
    let mut w = World::new(3, 16);
    for round in 0..3u8 {
        let a = w.create();
        assert_eq!(w.map_file(a, 0), Ok(VirtPage(0)));
        assert_eq!(w.load(at(a, 0)), Ok(if round == 0 { 100 } else { round }));
        w.store(at(a, 0), round + 1).unwrap();
        w.destroy(a);
    }
    assert_eq!((w.view().counters().page_ins, w.view().counters().write_backs), (1, 0));
}

#[test]
fn rule_29_destroy_flushes_nothing() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0]);
    w.store(at(a, 0), 7).unwrap();
    assert_eq!(w.io(|w| w.destroy(a)), [""; 0]);
    assert_eq!(w.machine.disk[&block(0)][0], 100);
    w.flush();
    assert_eq!(w.machine.disk[&block(0)][0], 7, "only who asks for a flush gets one, ghosts included");
}
