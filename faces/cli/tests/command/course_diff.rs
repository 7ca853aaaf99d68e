//! `mager course diff`.

use crate::run::{Ran, command, finish, with_file};

/// One process, a private and a file page; then a fork and a write by the parent; little memory.
const LOG: &str = "vm_create\t(100, 101)
vm_create returned 0
vm_switch\t(101)
\t\t\t\t\treturning to (101) with r|w pages:
vm_map\t\t(0x0, 0)
vm_map returned 0x600000000
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\tr\tvpage 0x60000\tppage 0x0
vm_fault\t(0x600000000, write)
vm_fault returned 0
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\trw\tvpage 0x60000\tppage 0x1
vm_map\t\t(0x600000000, 2)
vm_map returned 0x600010000
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\trw\tvpage 0x60000\tppage 0x1
vm_fault\t(0x600010000, read)
file_write\t(<swap>, 5)
file_read\t(data (1), 3).bin, 2)
vm_fault returned 0
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\tr\tvpage 0x60001\tppage 0x1
vm_create\t(101, 102)
vm_create returned 0
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\tr\tvpage 0x60001\tppage 0x1
vm_fault\t(0x600000007, read)
file_read\t(<swap>, 5)
vm_fault returned 0
\t\t\t\t\treturning to (101) with r|w pages:
\t\t\t\t\tr\tvpage 0x60000\tppage 0x2
vm_destroy
vm_switch\t(102)
\t\t\t\t\treturning to (102) with r|w pages:
\t\t\t\t\tr\tvpage 0x60000\tppage 0x2
";

fn diff(left: &str, right: &str) -> Ran {
    let (_dir_left, left) = with_file("mine.log", left);
    let (_dir_right, right) = with_file("theirs.log", right);
    let mut ran = finish(command().args(["course", "diff"]).args([&left, &right]));
    ran.out = ran.out.replace(&*left.to_string_lossy(), "mine").replace(&*right.to_string_lossy(), "theirs");
    ran
}

/// Our log against itself with one thing changed: what is said.
fn changed(from: &str, to: &str) -> String {
    assert!(LOG.contains(from), "{from:?} is in the log");
    let ran = diff(LOG, &LOG.replacen(from, to, 1));
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    ran.out
}

#[test]
fn equal_logs_are_equal() {
    let ran = diff(LOG, LOG);
    let expected = "equal: 28 calls, results and tables, with pids, physical pages and swap blocks masked\n";
    assert_eq!((ran.out.as_str(), ran.code), (expected, Some(0)), "{}", ran.err);
}

#[test]
fn pids_physical_pages_and_swap_blocks_mean_nothing() {
    let other = LOG
        .replace("101", "7001")
        .replace("102", "33")
        .replace("ppage 0x1", "ppage 0x3")
        .replace("<swap>, 5", "<swap>, 0");
    let ran = diff(LOG, &other);
    assert_eq!(ran.code, Some(0), "{}", ran.out);
}

/// However the text is broken into lines.
fn assert_says(said: &str, parts: &[&str]) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = flat(said);
    parts.iter().for_each(|part| assert!(all.contains(&flat(part)), "{part:?} is not in\n{said}"));
}

#[test]
fn a_missing_right_is_explained_by_the_rule_for_rights() {
    let said = changed("r\tvpage 0x60000\tppage 0x2\nvm_destroy", "rw\tvpage 0x60000\tppage 0x2\nvm_destroy");
    assert_says(
        &said,
        &[
            "The logs differ during vm_fault (0x600000007, read) of process 2:",
            "  > mine:30: returning to (101)",
            "Virtual page 0x60000 of process 2: mine gives it read, theirs gives it read and write.",
            "Rule 21: ",
            "Rule 19: A page may be read when it is resident and referenced.",
        ],
    );
}

#[test]
fn a_private_page_that_starts_without_the_zero_page_is_explained() {
    let said = changed("r\tvpage 0x60000\tppage 0x0", "r\tvpage 0x60000\tppage 0x1");
    assert_says(&said, &["mine gives it read on the zero page, theirs gives it read.", "Rule 12: "]);
}

#[test]
fn a_write_that_was_not_needed_is_explained() {
    let said = changed("vm_destroy\n", "vm_destroy\nfile_write\t(data (1), 3).bin, 2)\n");
    assert_says(&said, &["theirs has a write that the other log does not have", "Rule 9: ", "Rule 29: "]);
    let said = changed("file_write\t(<swap>, 5)\n", "");
    assert_says(&said, &["One pager writes where the other reads", "Rule 25: "]);
}

#[test]
fn another_victim_is_explained_by_the_clock() {
    let said = changed("file_write\t(<swap>, 5)", "file_write\t(other.bin, 0)");
    assert_says(&said, &["have chosen different victims", "Rule 31: Nothing is evicted"]);
}

#[test]
fn a_swap_block_read_with_other_contents_is_found() {
    let said = changed("file_read\t(<swap>, 5)", "file_read\t(<swap>, 6)");
    assert_says(&said, &["swap blocks with different contents", "Rule 33: "]);
}

#[test]
fn results_and_calls_that_differ_are_explained() {
    assert_says(
        &changed("vm_create returned 0\n\t", "vm_create returned -1\n\t"),
        &["refuses the new process", "Rule 4: "],
    );
    assert_says(&changed("returned 0x600010000", "returned (nil)"), &["refuses the new page", "Rule 13: "]);
    assert_says(&changed("returned 0x600010000", "returned 0x600020000"), &["Rule 11: "]);
    assert_says(
        &changed("vm_fault returned 0", "vm_fault returned -1"),
        &["refuses the access", "Rule 20: "],
    );
    assert_says(
        &changed("(0x600010000, read)", "(0x600000000, read)"),
        &["fault at different places", "Rule 19: "],
    );
    assert_says(&changed("vm_fault\t(0x600000000, write)\n", ""), &["In mine an access faults", "Rule 17: "]);
    assert_says(&changed("vm_switch\t(102)", "vm_switch\t(101)"), &["No pager decides this"]);
}

#[test]
fn a_log_that_ends_early_is_told() {
    let said = diff(LOG, &LOG[..LOG.find("vm_destroy").unwrap_or(0)]).out;
    assert_says(&said, &["  > mine:32: vm_destroy\n  > theirs: ends here", "One log ends here"]);
}

#[test]
fn output_between_the_lines_is_passed_over_aloud_and_no_log_is_an_error() {
    let ran = diff(LOG, &LOG.replace("vm_destroy", "hello\nvm_destroy"));
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("the first is line 32: \"hello\""), "{}", ran.err);
    let ran = diff(LOG, "hello\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no line of it is a line of a pager's log"), "{}", ran.err);
}
