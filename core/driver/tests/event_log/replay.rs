//! A recorded run gives the same effects again; whatever was changed in the record is found.

use crate::run::{self, Chance};
use mager_driver::{Diverged, LogReader, Replay};

/// Replays a log; what the reader does not understand is a panic.
pub fn replay(text: &str) -> Result<Replay, Diverged> {
    let mut reader = LogReader::new();
    let mut replay: Option<Replay> = None;
    for line in text.lines() {
        let line = reader.line(line.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"));
        if let mager_driver::Line::Header(header) = &line {
            replay = Some(Replay::new(header).unwrap());
        }
        if let Some(replay) = &mut replay {
            replay.line(reader.number(), &line)?;
        }
    }
    Ok(replay.expect("the log has a header"))
}

#[test]
fn a_random_run_gives_the_same_effects_again() {
    let (mut effects, mut written) = (0, 0);
    for seed in 0..60 {
        let text = run::log(seed, 1000);
        let replayed = replay(&text).unwrap_or_else(|how| panic!("seed {seed}: {how}"));
        replayed.check();
        assert!(replayed.steps() >= 900);
        effects += replayed.total_effects();
        written += text.lines().filter(|line| line.starts_with("  ")).count() as u64;
    }
    assert_eq!(effects, written);
    assert!(effects > 30_000, "the runs were not worth much: {effects} effects");
}

fn divergence(text: &str) -> String {
    replay(text).expect_err("the log was changed").to_string()
}

/// A small run that is easy to check by eye.
const TEXT: &str = "mager-events 3
config page-size=4096 arena-pages=8 arena-base=0x0 frames=3 swap-blocks=4 references=trap sharing=frame low-water=0
policy clock
seed 0
call create -> arena 0.0
call map-swap 0.0 -> page 0
  map 0.0:0 frame 0 read
event fault 0.0:0 write by 7
  zero frame 1 for 0.0:0
  map 0.0:0 frame 1 write
  resume 7 ok
call map-swap 0.0 -> page 1
  map 0.0:1 frame 0 read
call destroy 0.0 -> done
  unmap 0.0:0 frame 1
  unmap 0.0:1 frame 0
end 5
";

#[test]
fn the_small_run_is_equal() {
    let replayed = replay(TEXT).unwrap();
    assert_eq!((replayed.steps(), replayed.total_effects()), (5, 7));
}

#[test]
fn a_changed_outcome_is_found() {
    assert_eq!(
        divergence(&TEXT.replace("map-swap 0.0 -> page 1", "map-swap 0.0 -> page 2")),
        "line 12, step 4: recorded \"page 2\", replayed \"page 1\""
    );
}

#[test]
fn a_changed_effect_is_found() {
    assert_eq!(
        divergence(&TEXT.replace("0.0:0 frame 1 write", "0.0:0 frame 1 read")),
        "line 10, step 3: recorded \"map 0.0:0 frame 1 read\", replayed \"map 0.0:0 frame 1 write\""
    );
}

#[test]
fn a_missing_effect_is_found_at_the_next_step() {
    assert_eq!(
        divergence(&TEXT.replace("  resume 7 ok\n", "")),
        "line 11, step 3: recorded no further effect, replayed \"resume 7 ok\""
    );
    assert_eq!(
        divergence(&TEXT.replace("  unmap 0.0:1 frame 0\n", "")),
        "line 16, step 5: recorded no further effect, replayed \"unmap 0.0:1 frame 0\""
    );
}

#[test]
fn an_effect_too_many_is_found() {
    assert_eq!(
        divergence(&TEXT.replace("  resume 7 ok\n", "  resume 7 ok\n  resume 8 ok\n")),
        "line 12, step 3: recorded \"resume 8 ok\", replayed no further effect"
    );
}

#[test]
fn an_answer_that_nobody_waits_for_is_found_instead_of_a_panic() {
    let answer = TEXT.replace("call destroy", "event written frame 1 ok\ncall destroy");
    assert_eq!(
        divergence(&answer),
        "line 14, step 5: recorded the answer to an I/O of frame 1, but replayed there is none under way"
    );
}

#[test]
fn a_wrong_count_of_steps_is_found() {
    assert_eq!(
        divergence(&TEXT.replace("end 5", "end 6")),
        "line 17, step 5: recorded 6 steps, but the log has 5"
    );
}

/// Swaps in another value for one number of one line: nearly always a difference; never a panic.
#[test]
fn every_effect_line_taken_out_of_a_random_run_is_found() {
    let text = run::log(1, 300);
    let lines: Vec<&str> = text.lines().collect();
    let mut chance = Chance(1);
    for _ in 0..60 {
        let at = chance.below(u32::try_from(lines.len()).unwrap()) as usize;
        if lines[at].starts_with("  ") && lines.get(at + 1) != Some(&lines[at]) {
            let without: Vec<&str> = [&lines[..at], &lines[at + 1..]].concat();
            assert!(replay(&without.join("\n")).is_err(), "line {} was not missed: {}", at + 1, lines[at]);
        }
    }
}
