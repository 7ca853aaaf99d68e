//! `mager replay`.

use crate::run::{Ran, command, finish, mager, with_file};
use std::fs::File;
use std::process::Stdio;

/// Two arenas, one private page shared by a fork, a file page, three frames: it evicts, copies and writes back.
pub const LOG: &str = "mager-events 3
config page-size=65536 arena-pages=256 arena-base=0x600000000 frames=3 swap-blocks=8 references=trap sharing=frame low-water=0
policy clock
seed 0
call create -> arena 0.0
call map-swap 0.0 -> page 0
  map 0.0:0 frame 0 read
event fault 0.0:0 write by 7
  zero frame 1 for 0.0:0
  map 0.0:0 frame 1 write
  resume 7 ok
# object 0 = \"data.bin\"
call map-object 0.0 object:0:4 -> page 1
event fault 0.0:1 read by 7
  read frame 2 from object:0:4 for 0.0:1
event read frame 2 ok
  map 0.0:1 frame 2 read
  resume 7 ok
call fork 0.0 -> arena 1.0
  map 0.0:0 frame 1 read
  map 1.0:0 frame 1 read
  map 1.0:1 frame 2 read
event fault 1.0:0 write by 8
  map 0.0:0 frame 1 trap
  map 1.0:0 frame 1 trap
  map 0.0:1 frame 2 trap
  map 1.0:1 frame 2 trap
  write frame 1 to swap:0
event written frame 1 ok
  unmap 0.0:0 frame 1
  map 1.0:0 frame 1 write
  resume 8 ok
call destroy 1.0 -> done
  unmap 1.0:0 frame 1
  unmap 1.0:1 frame 2
end 10
";

fn replay(text: &str, more: &[&str]) -> Ran {
    let (_dir, log) = with_file("run.events", text);
    finish(command().arg("replay").arg(log).args(more))
}

#[test]
fn an_equal_run_is_called_equal() {
    let ran = replay(LOG, &[]);
    assert_eq!(ran.out, "equal: 10 steps gave the same 20 effects (policy clock, seed 0)\n", "{}", ran.err);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_run_comes_from_the_standard_input_too() {
    let (_dir, log) = with_file("run.events", LOG);
    let input = File::open(log).expect("the log is there");
    let ran = finish(command().args(["replay", "-"]).stdin(Stdio::from(input)));
    assert_eq!((ran.code, ran.out.starts_with("equal: 10 steps")), (Some(0), true));
}

#[test]
fn the_first_difference_is_shown_with_its_step() {
    let ran = replay(&LOG.replace("unmap 0.0:0 frame 1", "unmap 0.0:0 frame 2"), &[]);
    let expected = "different at line 30, step 9: recorded \"unmap 0.0:0 frame 2\", replayed \"unmap 0.0:0 frame 1\"\n  \
                    the step is \"event written frame 1 ok\"\n";
    assert_eq!((ran.out.as_str(), ran.code), (expected, Some(1)));
}

#[test]
fn a_log_that_was_cut_off_is_equal_as_far_as_it_goes() {
    for end in ["end 10\n", "  unmap 1.0:1 frame 2\nend 10\n", " 1.0:1 frame 2\nend 10\n", " 10\n"] {
        let ran = replay(LOG.strip_suffix(end).expect("an end of the log"), &[]);
        assert!(
            ran.out.starts_with("equal as far as it goes, but the log was cut off"),
            "{end:?}: {}",
            ran.out
        );
        assert_eq!(ran.code, Some(1));
    }
}

#[test]
fn a_log_whose_last_line_end_is_missing_is_whole() {
    assert_eq!(replay(LOG.trim_end(), &[]).code, Some(0));
}

#[test]
fn another_file_is_no_event_log() {
    let (_dir, log) = with_file("run.events", "vm_switch\t(1)\n");
    let ran = mager(["replay".as_ref(), log.as_os_str()]);
    let expected =
        format!("mager: {}: line 1: expected `mager-events`, found \"vm_switch\"\n", log.display());
    assert_eq!((ran.err, ran.code), (expected, Some(2)));
    let ran = mager(["replay", "/dev/zero"]);
    assert!(ran.err.contains("expected a line of at most 4096 bytes"), "{}", ran.err);
}

#[test]
fn headers_without_a_pager_are_refused() {
    let says = |from, to| replay(&LOG.replace(from, to), &[]).err;
    let frames = says("frames=3", "frames=1");
    assert!(frames.contains("at least one frame beside the zero page"), "{frames}");
    let policy = says("policy clock", "policy guess");
    assert!(policy.contains("unknown policy; expected one of: clock, fifo"), "{policy}");
}

#[test]
fn the_state_after_a_step_is_shown() {
    let ran = replay(LOG, &["--at", "9"]);
    for part in [
        "state after step 9\n\narena 0.0: 2 of 256 pages mapped, 1 swap blocks reserved\n",
        "          0  -         -  private page 0, in swap block 0 only\n",
        "          1  trap      2  \"data.bin\" block 4, in frame 2, clean, shared with 1.0:1\n",
        "          1  yes         yes    private page 2, mapped at 1.0:0\n",
        "clock: hand -> 2 1*",
        "swap: 8 blocks, 2 reserved, 1 assigned\n    block 0  private page 0\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}{}", ran.out, ran.err);
    }
    assert_eq!(ran.code, Some(0));
}

#[test]
fn the_state_before_the_first_and_after_the_last_step_is_shown() {
    assert!(replay(LOG, &["--at", "0"]).out.contains("core map: 3 frames, 2 free"));
    assert!(replay(LOG, &["--at", "10"]).out.contains("file pages: 1, 0 of them ghosts"));
    let ran = replay(LOG, &["--at", "11"]);
    assert!(ran.err.contains("there is no step 11: the log has 10") && ran.code == Some(2), "{}", ran.err);
}

#[test]
fn the_life_of_a_page_is_told_step_by_step() {
    let ran = replay(LOG, &["--page", "0:0"]);
    let expected = "\
page 0 of arena 0.0
  step 2     call map-swap 0.0 -> page 0  (line 6)
             zeros, never written; reads go on, a write traps
  step 3     event fault 0.0:0 write by 7  (line 8)
             private page 0, in frame 1, dirty; reads and writes go on
  step 7     call fork 0.0 -> arena 1.0  (line 19)
             private page 0, in frame 1, dirty, shared with 1.0:0; reads go on, a write traps
  step 8     event fault 1.0:0 write by 8  (line 23)
             private page 0, being written from frame 1 to swap block 0, shared with 1.0:0; unreferenced: the next \
touch traps
  step 9     event written frame 1 ok  (line 29)
             private page 0, in swap block 0 only; not mapped: the next touch traps

equal: 10 steps gave the same 20 effects (policy clock, seed 0)
";
    assert_eq!((ran.out.as_str(), ran.code), (expected, Some(0)), "{}", ran.err);
}

#[test]
fn programs_get_json() {
    let json = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&replay(LOG, more).out).expect("it prints JSON")
    };
    assert_eq!(json(&["--json"])["equal"], true);
    assert_eq!(json(&["--json", "--at", "9"])["arenas"][0]["rows"][1]["access"], "trap");
    assert_eq!(json(&["--json", "--page", "1.0:0"])["life"][0]["step"], 7);
    let text = LOG.replace("resume 8 ok", "resume 9 ok");
    let found: serde_json::Value = serde_json::from_str(&replay(&text, &["--json"]).out).expect("JSON");
    assert_eq!(found["difference"]["step"], 9);
}
