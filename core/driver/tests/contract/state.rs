//! Rules 18 and 19: what a page is, and what its sharers may do.

use crate::world::{World, at};
use mager_pager::{Access, State};

#[test]
fn rule_18_only_faults_set_referenced_and_dirty() {
    let mut w = World::new(3, 16);
    let a = w.with_file(&[0, 1]);
    w.load(at(a, 0)).unwrap();
    w.load(at(a, 1)).unwrap();
    w.sweep();
    let page = 1;
    assert!(!w.referenced(at(a, page)) && !w.dirty(at(a, page)));
    let b = w.fork(a);
    w.map_file(b, 0).unwrap();
    w.map_file(b, 1).unwrap();
    w.destroy(b);
    w.flush();
    assert!(!w.referenced(at(a, page)) && !w.dirty(at(a, page)), "no control call touches a page");
    w.fault(at(a, page), Access::Read).unwrap();
    assert!(w.referenced(at(a, page)) && !w.dirty(at(a, page)));
    w.fault(at(a, page), Access::Write).unwrap();
    assert!(w.referenced(at(a, page)) && w.dirty(at(a, page)));
}

#[test]
fn rule_18_a_page_knows_its_sharers_and_its_block() {
    let mut w = World::new(3, 16);
    let a = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    let b = w.fork(a);
    let page = w.page(at(b, 0));
    assert_eq!((page.sharers, page.home), (vec![at(a, 0), at(b, 0)], None));
    assert!(matches!(page.state, State::Resident { dirty: true, .. }));
}

/// The world holds every entry against rule 19 after every step; this test walks a page through all its states.
#[test]
fn rule_19_rights_follow_the_state_for_every_sharer() {
    let mut w = World::new(2, 16);
    let a = w.with_swap(1);
    let scratch = w.with_swap(1);
    w.store(at(a, 0), 1).unwrap();
    assert_eq!(w.rights(at(a, 0)), "rw", "dirty, referenced, one sharer");
    let b = w.fork(a);
    let rights = |w: &World| (w.rights(at(a, 0)), w.rights(at(b, 0)));
    assert_eq!(rights(&w), ("r", "r"), "two sharers");
    w.store(at(scratch, 0), 2).unwrap();
    assert_eq!(rights(&w), ("-", "-"), "not resident");
    w.load(at(b, 0)).unwrap();
    assert_eq!(rights(&w), ("r", "r"), "clean and referenced, for both by one fault");
    w.destroy(a);
    assert_eq!(w.rights(at(b, 0)), "r", "one sharer, but clean");
    w.store(at(b, 0), 3).unwrap();
    assert_eq!(w.rights(at(b, 0)), "rw");
}

#[test]
fn rule_19_an_unreferenced_page_gives_no_right_however_dirty() {
    let mut w = World::new(4, 16);
    let a = w.with_swap(4);
    (0..3).for_each(|page| w.store(at(a, page), 1).unwrap());
    w.store(at(a, 3), 1).unwrap();
    for page in [1, 2] {
        assert_eq!(
            (w.dirty(at(a, page)), w.referenced(at(a, page)), w.rights(at(a, page))),
            (true, false, "-")
        );
    }
}

#[test]
fn rule_19_a_dirty_file_page_is_writable_by_every_sharer() {
    let mut w = World::new(3, 16);
    let (a, b, c) = (w.with_file(&[0]), w.with_file(&[0, 0]), w.with_file(&[1]));
    w.load(at(a, 0)).unwrap();
    w.load(at(c, 0)).unwrap();
    assert_eq!([at(a, 0), at(b, 0), at(b, 1)].map(|site| w.rights(site)), ["r"; 3]);
    let did = w.did(|w| w.store(at(b, 1), 1));
    assert_eq!(did, ["map 0:0 to 1 rw", "map 1:0 to 1 rw", "map 1:1 to 1 rw", "resume"]);
    assert_eq!(w.rights(at(c, 0)), "r", "another page is left alone");
}
