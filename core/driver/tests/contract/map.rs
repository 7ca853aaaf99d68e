//! Rules 10-17: what a map does, and what it must not do yet.

use crate::world::{ARENA_PAGES, World, at, block};
use mager_pager::{Access, BlockNo, Denied, FrameNo, Home, ObjectNo, Refused, Shown, VirtPage};

#[test]
fn rule_10_a_full_arena_is_refused_first_and_without_effect() {
    let mut w = World::new(3, ARENA_PAGES);
    let a = w.with_swap(ARENA_PAGES);
    assert!(w.view().is_full(a));
    let before = w.snapshot();
    let did = w.did(|w| {
        assert_eq!(
            w.map_swap(a),
            Err(Refused::ArenaFull),
            "swap is used up as well, but the arena comes first"
        );
        assert_eq!(w.map_file(a, 0), Err(Refused::ArenaFull));
    });
    assert!(did.is_empty());
    assert_eq!(w.snapshot(), before);
}

#[test]
fn rule_10_a_swap_page_without_a_free_reservation_is_refused() {
    let mut w = World::new(3, 2);
    let a = w.with_swap(2);
    assert_eq!(w.map_swap(a), Err(Refused::NoSwap { wanted: 1, free: 0 }));
    assert_eq!(w.map_file(a, 0), Ok(VirtPage(2)), "a file page needs none");
}

#[test]
fn rule_11_the_result_is_the_lowest_invalid_page() {
    let mut w = World::new(3, 8);
    let a = w.with_swap(3);
    assert_eq!(w.map_file(a, 0), Ok(VirtPage(3)));
    w.unmap(at(a, 1));
    assert_eq!(w.map_file(a, 1), Ok(VirtPage(1)));
    assert_eq!(w.map_swap(a), Ok(VirtPage(4)));
}

/// That the block number is ignored is the course machine's: for the core a swap page has none.
#[test]
fn rule_12_a_swap_page_starts_on_the_zero_page_with_read_and_nothing_else() {
    let mut w = World::new(3, 8);
    let a = w.create();
    assert_eq!(w.did(|w| w.map_swap(a)), ["map 0:0 to 0 r"]);
    assert_eq!(w.rights(at(a, 0)), "r");
    assert_eq!(w.view().pte(at(a, 0)).unwrap().shown, Shown::Untouched);
    assert_eq!((w.view().counts().free_frames, w.view().counts().pages), (2, 0));
    assert_eq!(w.load(at(a, 0)), Ok(0));
}

/// Reading a name is the course machine's; what it needs of the core are ordinary faults. Its tests hold names that
/// straddle pages of every kind, and a name that runs off the arena.
#[test]
fn rule_13_a_name_is_read_through_ordinary_faults_which_may_evict_and_read() {
    let mut w = World::new(2, 8);
    let a = w.with_swap(2);
    w.store(at(a, 0), b'n').unwrap();
    w.store(at(a, 1), b'x').unwrap();
    assert_eq!(w.rights(at(a, 0)), "-");
    assert_eq!(w.io(|w| assert_eq!(w.load(at(a, 0)), Ok(b'n'))), ["write 1 to swap:1", "read swap:0 into 1"]);
    assert!(w.view().region(at(a, 2)).is_none(), "the machine can see where the name runs off");
}

#[test]
fn rule_13_a_name_that_cannot_be_read_is_denied_and_what_was_done_stays() {
    let mut w = World::new(2, 8);
    let a = w.with_swap(1);
    w.map_file(a, 3).unwrap();
    w.store(at(a, 0), 1).unwrap();
    w.machine.unreadable.insert(block(3));
    assert_eq!(w.load(at(a, 1)), Err(Denied::Io));
    assert_eq!(w.frame_of(at(a, 0)), None, "it was evicted for the name and stays so");
}

#[test]
fn rule_14_a_failed_map_consumes_neither_page_nor_reservation() {
    let mut w = World::new(3, 1);
    let a = w.with_swap(1);
    let before = w.snapshot();
    assert!(w.map_swap(a).is_err());
    assert_eq!(w.snapshot(), before);
    assert_eq!(w.map_file(a, 0), Ok(VirtPage(1)), "the page is still the lowest free one");
    w.unmap(at(a, 0));
    assert_eq!(w.map_swap(a), Ok(VirtPage(0)), "the reservation is still there");
}

/// Which names are legal is the course machine's; the core takes any object and block.
#[test]
fn rule_15_a_map_does_no_io_and_the_failure_comes_at_the_first_access() {
    let mut w = World::new(3, 8);
    let a = w.create();
    let did = w.did(|w| assert_eq!(w.map_file(a, 9999), Ok(VirtPage(0))));
    assert!(did.is_empty(), "{did:?}");
    assert_eq!(w.load(at(a, 0)), Err(Denied::Io));
    assert_eq!(w.load(at(a, 0)), Err(Denied::Io));
    assert_eq!(w.view().counts().free_frames, 2);
}

/// The core's identity is (object, block); that equal strings are equal objects is the course machine's.
#[test]
fn rule_16_a_file_page_is_identified_by_object_and_block() {
    let mut w = World::new(5, 8);
    let (a, b) = (w.with_file(&[1, 2]), w.with_file(&[1]));
    let other = Home::Object(ObjectNo(6), BlockNo(1));
    w.machine.disk.insert(other, [66; crate::machine::PAGE]);
    let call = mager_driver::Control::MapObject(b, ObjectNo(6), BlockNo(1));
    assert_eq!(w.control(call), mager_driver::Outcome::Page(VirtPage(1)));
    w.store(at(a, 0), 7).unwrap();
    assert_eq!(w.load(at(b, 0)), Ok(7));
    assert_eq!((w.load(at(a, 1)), w.load(at(b, 1))), (Ok(102), Ok(66)));
    assert_eq!(w.view().counts().file_pages, 3);
}

#[test]
fn rule_17_a_resident_page_is_shared_at_once_with_no_fault_at_all() {
    let mut w = World::new(4, 8);
    let a = w.with_file(&[0, 1]);
    w.store(at(a, 0), 7).unwrap();
    w.load(at(a, 1)).unwrap();
    let b = w.create();
    assert_eq!(w.did(|w| w.map_file(b, 0)), ["map 1:0 to 1 rw"]);
    assert_eq!(w.did(|w| w.map_file(b, 1)), ["map 1:1 to 2 r"]);
    let did = w.did(|w| {
        assert_eq!((w.load(at(b, 0)), w.load(at(b, 1))), (Ok(7), Ok(101)));
        w.store(at(b, 0), 8).unwrap();
        assert_eq!(w.load(at(a, 0)), Ok(8));
    });
    assert!(did.is_empty(), "{did:?}");
}

#[test]
fn rule_17_within_one_arena_too() {
    let mut w = World::new(4, 8);
    let a = w.with_file(&[0, 0]);
    w.store(at(a, 0), 7).unwrap();
    assert_eq!(w.did(|w| assert_eq!(w.load(at(a, 1)), Ok(7))), [""; 0]);
}

#[test]
fn rule_17_mapping_neither_references_a_page_nor_moves_it_in_the_clock() {
    let mut w = World::new(4, 8);
    let a = w.with_file(&[0, 1, 2]);
    (0..3).for_each(|page| assert!(w.load(at(a, page)).is_ok()));
    w.sweep();
    let (page, order) = (1, w.clock());
    assert!(!w.referenced(at(a, page)), "the sweep took page 0 and left the others unreferenced");
    let b = w.create();
    assert_eq!(w.did(|w| w.map_file(b, page)), ["map 1:0 to 2 -"]);
    assert!(!w.referenced(at(a, page)));
    assert_eq!(w.clock(), order);
}

#[test]
fn rule_17_an_absent_page_known_to_others_is_mapped_without_rights() {
    let mut w = World::new(2, 8);
    let a = w.with_file(&[0, 1]);
    w.load(at(a, 0)).unwrap();
    w.load(at(a, 1)).unwrap();
    let b = w.create();
    assert_eq!(w.did(|w| w.map_file(b, 0)), [""; 0]);
    assert_eq!(w.did(|w| w.fault(at(b, 0), Access::Read)).last().unwrap(), "resume");
    assert_eq!(w.frame_of(at(a, 0)), Some(FrameNo(1)), "one page for both");
    assert_eq!(w.rights(at(a, 0)), "r");
}
