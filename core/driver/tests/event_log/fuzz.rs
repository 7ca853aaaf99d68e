//! Garbled and truncated logs: an error or a difference, never a panic.

use crate::run::{self, Chance};
use mager_driver::{Line, LogReader, Replay};

/// Reads and replays as far as it goes; whether it went to the end.
fn survive(bytes: &[u8]) -> bool {
    let mut reader = LogReader::new();
    let mut replay: Option<Replay> = None;
    for line in bytes.split(|&byte| byte == b'\n') {
        let Ok(line) = reader.line(line) else { return false };
        if let Line::Header(header) = &line {
            // A huge machine is not wrong, only slow to build.
            let config = header.config;
            if config.frames > 1 << 16 || config.swap_blocks > 1 << 20 {
                return false;
            }
            replay = Replay::new(header).ok();
        }
        if let Some(replay) = &mut replay
            && replay.line(reader.number(), &line).is_err()
        {
            return false;
        }
    }
    reader.ended()
}

#[test]
fn random_bytes_are_survived() {
    let mut chance = Chance(7);
    for _ in 0..3000 {
        let bytes: Vec<u8> = (0..chance.below(300)).map(|_| chance.next().to_le_bytes()[0]).collect();
        assert!(!survive(&bytes));
    }
}

#[test]
fn words_of_the_format_in_any_order_are_survived() {
    let words: Vec<String> = run::log(3, 200).split_whitespace().map(str::to_owned).collect();
    let header: String = run::log(3, 0).lines().take(4).map(|line| format!("{line}\n")).collect();
    let mut chance = Chance(8);
    for _ in 0..3000 {
        let mut text = header.clone();
        for _ in 0..chance.below(40) {
            text.push_str(&words[chance.below(u32::try_from(words.len()).unwrap()) as usize]);
            text.push(if chance.below(4) == 0 { '\n' } else { ' ' });
        }
        survive(text.as_bytes());
    }
}

#[test]
fn a_log_cut_off_anywhere_is_never_taken_for_a_whole_one() {
    let text = run::log(4, 60);
    assert!(survive(text.as_bytes()));
    for end in 0..text.len() - 1 {
        // Without its last digit the last line still ends the log, but counts other steps.
        assert!(!survive(&text.as_bytes()[..end]), "cut off after {end} bytes of {}", text.len());
    }
}

#[test]
fn flipped_bytes_are_survived() {
    for seed in 0..6 {
        let text = run::log(seed, 150);
        let mut chance = Chance(seed);
        for _ in 0..400 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=chance.below(3) {
                let at = chance.below(u32::try_from(bytes.len()).unwrap()) as usize;
                bytes[at] = match chance.below(3) {
                    0 => chance.next().to_le_bytes()[0],
                    1 => b'0' + chance.next().to_le_bytes()[0] % 10,
                    _ => bytes[chance.below(u32::try_from(bytes.len()).unwrap()) as usize],
                };
            }
            survive(&bytes);
        }
    }
}

#[test]
fn lines_moved_around_are_survived() {
    for seed in 0..12 {
        let text = run::log(seed, 200);
        let (header, body): (Vec<_>, Vec<_>) = text.lines().enumerate().partition(|(at, _)| *at < 4);
        let mut chance = Chance(seed);
        for _ in 0..100 {
            let mut lines: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
            for _ in 0..=chance.below(5) {
                let (a, b) =
                    (chance.below(u32::try_from(lines.len()).unwrap()) as usize, chance.below(20) as usize);
                lines.swap(a, b);
            }
            let head: Vec<&str> = header.iter().map(|(_, line)| *line).collect();
            survive([head, lines].concat().join("\n").as_bytes());
        }
    }
}
