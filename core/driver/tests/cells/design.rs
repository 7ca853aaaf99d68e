//! The cells that the design fixes in words, held against those words.

use crate::cell::{Cell, EVENTS, What};
use crate::row;

fn what(event: &str) -> &'static What {
    EVENTS.iter().find(|it| it.name == event).unwrap_or_else(|| panic!("no event {event}"))
}

/// What a cell comes to, in the design's words.
fn gist(sharing: &str, state: &str, event: &str) -> String {
    let Cell { effects, after } = Cell::of(&row(sharing, state), what(event));
    let has = |word: &str| effects.iter().any(|effect| effect.starts_with(word));
    let mut said = Vec::new();
    for (word, gist) in
        [("zero", "zero-fill"), ("read", "page-in"), ("copy", "copy"), ("write", "write"), ("deny", "deny")]
    {
        if has(word) {
            said.push(gist.to_owned());
        }
    }
    said.push(if has("resume") { "resumed" } else { "waits" }.to_owned());
    said.push(after.split(", frame").next().unwrap().split(", home").next().unwrap().to_owned());
    said.join(", ")
}

fn expect(sharing: &str, state: &str, expected: [(&str, &str); 2]) {
    for (event, gist_expected) in expected {
        assert_eq!(gist(sharing, state, event), gist_expected, "{state}, {event}, by {sharing}");
    }
}

fn faults(sharing: &str, state: &str, read: &str, write: &str) {
    expect(sharing, state, [("read fault", read), ("write fault", write)]);
}

#[test]
fn a_page_of_ones_own() {
    faults("frame", "private, sole: untouched", "resumed, untouched", "zero-fill, resumed, resident, dirty");
    faults(
        "place",
        "private, sole: untouched",
        "zero-fill, resumed, resident, clean",
        "zero-fill, resumed, resident, dirty",
    );
    for sharing in ["frame", "place"] {
        for kind in ["private, sole", "file, one mapping"] {
            let faults = |state: &str, read: &str, write: &str| {
                faults(sharing, &format!("{kind}: {state}"), read, write)
            };
            faults("absent", "page-in, waits, paging in", "page-in, waits, paging in");
            faults("wanted", "waits, wanted", "waits, wanted");
            faults("paging in", "waits, paging in", "waits, paging in");
            faults("resident, clean", "resumed, resident, clean", "resumed, resident, dirty");
            faults("resident, dirty", "resumed, resident, dirty", "resumed, resident, dirty");
            let promised = "writing back, promised";
            faults(promised, "resumed, writing back, promised", "waits, writing back, promised");
        }
    }
}

#[test]
fn a_page_shared_by_fork() {
    let faults = |state: &str, read: &str, write: &str| {
        faults("frame", &format!("private, shared: {state}"), read, write);
    };
    faults("untouched", "resumed, untouched", "zero-fill, resumed, resident, dirty");
    faults("absent", "page-in, waits, paging in", "page-in, waits, paging in");
    faults("wanted", "waits, wanted", "waits, wanted");
    faults("paging in", "waits, paging in", "waits, paging in");
    faults("resident, clean", "resumed, resident, clean", "copy, resumed, resident, clean");
    faults("resident, dirty", "resumed, resident, dirty", "copy, resumed, resident, dirty");
    faults("writing back", "resumed, writing back, promised", "copy, resumed, writing back, promised");
}

#[test]
fn a_file_page_is_never_copied() {
    for sharing in ["frame", "place"] {
        for event in ["write fault", "other's write fault"] {
            let clean = gist(sharing, "file, two mappings: resident, clean", event);
            assert_eq!(clean, "resumed, resident, dirty");
        }
    }
}

/// By place the sharer that the frame does not live at needs a copy even to read.
#[test]
fn a_frame_that_lives_elsewhere_is_copied() {
    for state in ["clean", "dirty"] {
        let row = format!("private, shared: resident, {state}");
        assert_eq!(gist("place", &row, "other's read fault"), format!("copy, resumed, resident, {state}"));
        assert_eq!(gist("place", &row, "read fault"), format!("resumed, resident, {state}"));
    }
}

#[test]
fn the_last_reference_goes() {
    for sharing in ["frame", "place"] {
        let gone = |row: &str| gist(sharing, row, "unmap").replace("waits, ", "");
        for state in ["absent", "resident, clean", "resident, dirty"] {
            assert_eq!(gone(&format!("private, sole: {state}")), "gone");
        }
        for kind in ["private, sole", "file, one mapping"] {
            assert_eq!(gone(&format!("{kind}: paging in")), "paging in", "freed on the answer");
            assert_eq!(gone(&format!("{kind}: wanted")), "deny, gone", "freed in its turn, which is now");
        }
        assert!(Cell::start(&row(sharing, "ghost: wanted")).starts_with("wanted"), "others are before it");
        assert_eq!(gone("private, sole: writing back"), "writing back, promised", "freed on the answer");
        assert_eq!(gone("file, one mapping: absent"), "gone");
        for state in ["resident, clean", "resident, dirty", "writing back, not promised"] {
            assert_eq!(gone(&format!("file, one mapping: {state}")), state, "a ghost");
        }
        for (row, event) in
            [("private, nobody's: paging in", "read ok"), ("private, nobody's: writing back", "write ok")]
        {
            assert!(gist(sharing, row, event).ends_with("gone"));
        }
    }
}

/// What a site gives up by a discard goes as by an unmap, but the site is there, and its waiters go on.
#[test]
fn a_discarded_page_is_zeros_again() {
    for sharing in ["frame", "place"] {
        let gone = |state: &str| gist(sharing, &format!("private, sole: {state}"), "discard");
        for state in ["absent", "resident, clean", "resident, dirty"] {
            assert_eq!(gone(state), "waits, gone");
        }
        assert_eq!(gone("untouched"), "waits, untouched");
        assert_eq!(gone("writing back"), "waits, writing back, promised", "freed on the answer");
        for state in ["resident, clean", "resident, dirty", "absent"] {
            let shared = gist(sharing, &format!("private, shared: {state}"), "discard");
            assert_eq!(shared, format!("waits, {state}"), "the other keeps it");
        }
        for file in ["file, one mapping: resident, dirty", "file, two mappings: absent"] {
            assert!(Cell::of(&row(sharing, file), what("discard")).effects[0].starts_with("refused"));
        }
    }
    assert_eq!(gist("frame", "private, sole: wanted", "discard"), "resumed, gone");
    assert_eq!(gist("frame", "private, sole: paging in", "discard"), "resumed, paging in");
    assert_eq!(gist("place", "private, sole: paging in", "discard"), "zero-fill, resumed, paging in");
}

/// Ahead of a fault the same comes about as after it, but nobody is resumed; and nothing where no frame is needed.
#[test]
fn what_a_fault_would_need_is_done_ahead() {
    let untouched = "private, sole: untouched";
    assert_eq!(gist("frame", untouched, "read ahead"), "waits, untouched");
    assert_eq!(gist("place", untouched, "read ahead"), "zero-fill, waits, resident, clean");
    for sharing in ["frame", "place"] {
        assert_eq!(gist(sharing, untouched, "written ahead"), "zero-fill, waits, resident, dirty");
        for kind in ["private, sole", "private, shared", "file, one mapping", "file, two mappings"] {
            let after = |state: &str| gist(sharing, &format!("{kind}: {state}"), "read ahead");
            assert_eq!(after("absent"), "page-in, waits, paging in");
            for state in ["wanted", "paging in", "resident, clean", "resident, dirty"] {
                assert_eq!(after(state), format!("waits, {state}"));
            }
            let ahead = row(sharing, &format!("{kind}: paging in (ahead"));
            let shown = Cell::of(&ahead, what("read ok")).effects;
            assert!(shown[0].starts_with("map A 0 to frame"), "{kind}: {shown:?}");
        }
    }
    let other = |sharing| gist(sharing, "private, shared: absent", "other's read ahead");
    assert_eq!(
        (other("frame"), other("place")),
        ("page-in, waits, paging in".into(), "waits, absent".into())
    );
}

#[test]
fn a_promise_is_kept_and_a_failed_write_keeps_the_page() {
    for sharing in ["frame", "place"] {
        for kind in ["private, sole", "private, shared", "file, one mapping", "file, two mappings"] {
            let row = format!("{kind}: writing back, promised (to a demand)");
            assert_eq!(gist(sharing, &row, "write ok"), "zero-fill, resumed, absent");
            assert_eq!(gist(sharing, &row, "write failed"), "deny, waits, resident, dirty");
        }
        for kind in ["file, one mapping", "file, two mappings", "ghost"] {
            let row = format!("{kind}: writing back, not promised");
            assert_eq!(gist(sharing, &row, "write ok"), "resumed, resident, clean");
            assert_eq!(gist(sharing, &row, "write failed"), "deny, waits, resident, dirty");
        }
    }
}
