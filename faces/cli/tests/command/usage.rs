//! Help and wrong use.

use crate::run::{command, finish, mager};
use std::process::Stdio;

#[test]
fn help_has_examples_and_the_exit_codes() {
    let help = mager(["--help"]);
    assert_eq!(help.code, Some(0));
    for part in ["Examples:", "mager replay run.events --at 120", "Exit codes:", "  2  wrong use"] {
        assert!(help.out.contains(part), "{part:?} is not in\n{}", help.out);
    }
    for arguments in [vec!["replay", "--help"], vec!["course", "diff", "--help"]] {
        let help = mager(&arguments);
        assert!(help.out.contains("Examples:") && help.out.contains("Exit code 0"), "{}", help.out);
    }
}

#[test]
fn wrong_use_ends_with_code_2_and_says_what_was_expected() {
    for (arguments, said) in [
        (vec!["reply"], "unrecognized subcommand 'reply'"),
        (vec!["replay"], "<EVENTS>"),
        (vec!["replay", "x", "--at", "-1"], "unexpected argument '-1'"),
        (vec!["replay", "x", "--at", "x"], "invalid value 'x' for '--at <STEP>'"),
        (vec!["replay", "x", "--page", "3"], "expected ARENA:PAGE, such as 0:3"),
        (vec!["replay", "x", "--page", "0:3", "--at", "1"], "cannot be used with"),
        (vec!["course", "diff", "x"], "<RIGHT>"),
    ] {
        let ran = mager(&arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_sentence() {
    assert_eq!(
        mager(["replay", "/nowhere"]).err,
        "mager: /nowhere: No such file or directory (os error 2)\n"
    );
    assert_eq!(mager(["replay", "/"]).err, "mager: /: Is a directory (os error 21)\n");
    let ran = mager(["course", "diff", "/nowhere", "/nowhere"]);
    assert_eq!((ran.err.lines().count(), ran.code), (1, Some(2)));
}

#[test]
fn whoever_closes_the_output_early_gets_no_complaint() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let (_dir, log) = crate::run::with_file("run.events", crate::replay::LOG);
    let ran = finish(command().arg("replay").arg(log).stdout(Stdio::from(writer)));
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
}
