//! The cells that the design fixes in words, held against those words.

use crate::cell::{Cell, EVENTS};
use crate::row;

/// What a cell comes to, in the design's words.
fn gist(sharing: &str, state: &str, event: &str) -> String {
    let event = EVENTS.iter().find(|it| it.name == event).unwrap_or_else(|| panic!("no event {event}"));
    let Cell { effects, after } = Cell::of(&row(sharing, state), event);
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
