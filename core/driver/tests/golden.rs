//! Golden scenarios: each `.scenario` file tells a story and holds what came out when it was recorded.
//!
//! After a change that is meant to change them: `cargo xtask golden`, and
//! read the difference before it is committed.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use mager_driver::scenario::{Problem, Scenario, ScenarioError, transcript};
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "scenario")).collect();
    files.sort();
    files
}

#[test]
fn what_comes_out_is_what_was_recorded() {
    let write = std::env::var_os("MAGER_GOLDEN").is_some_and(|value| value == "write");
    let mut changed = Vec::new();
    for path in files() {
        let recorded = std::fs::read_to_string(&path).unwrap();
        let now = transcript(&recorded, mager_pager::Pager::check)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if write {
            std::fs::write(&path, &now).unwrap();
        } else if now != recorded {
            changed.push(difference(&path, &recorded, &now));
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// The first line that is not as it was recorded.
fn difference(path: &Path, recorded: &str, now: &str) -> String {
    let mut pairs = recorded.lines().zip(now.lines()).zip(1..);
    let name = path.file_name().unwrap().to_string_lossy();
    match pairs.find(|((recorded, now), _)| recorded != now) {
        Some(((recorded, now), line)) => {
            format!("{name}:{line}: recorded `{}`, now `{}`", recorded.trim(), now.trim())
        }
        None => {
            format!("{name}: {} lines recorded, {} lines now", recorded.lines().count(), now.lines().count())
        }
    }
}

#[test]
fn every_story_of_the_design_is_told() {
    let told: Vec<_> =
        files().iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    for story in [
        "zero-fill",
        "second-chance",
        "write-back",
        "copy-on-write",
        "steal",
        "ghost-reuse",
        "ghost-taken-over-while-written",
        "failed-page-in",
        "failed-write-back",
        "exit-during-read",
        "exit-during-write",
        "flush-while-writing",
        "by-place-fork",
        "pins",
        "by-place-empty",
        "swap-blocks-released",
        "discard",
        "discard-in-flight",
        "ahead",
    ] {
        assert!(told.iter().any(|name| name == story), "no scenario tells of {story}");
    }
}

#[test]
fn a_scenario_prints_as_it_was_read() {
    for path in files() {
        let scenario = Scenario::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let again = Scenario::parse(&scenario.to_string()).unwrap();
        assert_eq!(again.setup, scenario.setup);
        assert!(
            again.commands.iter().map(|it| &it.command).eq(scenario.commands.iter().map(|it| &it.command))
        );
    }
}

fn problem(text: &str) -> String {
    transcript(text, |_| ()).unwrap_err().to_string()
}

#[test]
fn an_error_names_its_line_and_what_was_expected() {
    assert_eq!(problem("# nothing\n"), "line 2: expected a line `pager frames=N`, found the end of the text");
    assert_eq!(problem("create A\n"), "line 1: expected `pager`, found `create`");
    assert_eq!(
        problem("pager swap=3"),
        "line 1: at least one frame beside the zero page is needed, at most 2^29"
    );
    assert_eq!(problem("pager frames=9999999"), "line 1: expected at most 1048576 frames");
    let unknown = problem("pager frames=4 policy=lifo");
    assert!(unknown.starts_with("line 1: unknown policy; expected one of: clock, fifo"), "{unknown}");
    let after = |line: &str| problem(&format!("pager frames=4\n\ncreate A\n{line}\n"));
    assert_eq!(after("read A"), "line 4: expected a number, found the end of the line");
    assert_eq!(after("read A x"), "line 4: expected a number, found `x`");
    assert_eq!(after("map A tape"), "line 4: expected `swap` or `file`, found `tape`");
    assert_eq!(after("tick tock"), "line 4: expected the end of the line, found `tock`");
    assert_eq!(after("dance"), "line 4: expected a command, found `dance`");
    assert_eq!(after("create A"), "line 4: arena `A` lives already");
    assert_eq!(after("write B 0"), "line 4: no arena has the name `B`");
    assert_eq!(after("answer read 1"), "line 4: no read is in flight on frame 1");
}

#[test]
fn recorded_lines_and_comments_are_skipped() {
    let scenario =
        Scenario::parse("pager frames=4 # small\n    anything at all\n\n# more\ntick # now\n").unwrap();
    assert_eq!((scenario.commands.len(), scenario.commands[0].number), (1, 5));
    let error = Scenario::parse("   pager frames=4").unwrap_err();
    assert_eq!(error, ScenarioError { line: 2, problem: Problem::NoPager });
}

/// Words of the language in random order, and random bytes between them: an error perhaps, a panic never.
#[test]
fn no_text_makes_the_reader_or_the_player_panic() {
    let words: Vec<&str> = "pager frames=3 swap=4 sharing=place create fork destroy map unmap discard ahead read write fault pin \
                            unpin flush withhold restore answer fail all tick A B swap file log 0 1 2 at count 4294967295 \u{fffd} = \n"
        .split(' ')
        .collect();
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..20_000 {
        let mut text = String::from("pager frames=3 swap=4\ncreate A\nmap A swap\n");
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(words[usize::try_from(state >> 33).unwrap() % words.len()]);
            text.push(if state >> 62 == 0 { '\n' } else { ' ' });
        }
        let _ = transcript(&text, |_| ());
    }
}
