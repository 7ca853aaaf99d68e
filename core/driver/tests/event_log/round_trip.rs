//! What is written can be read, and says the same.

use crate::run;
use mager_driver::{Header, Line, LogReader, LogWriter, Recorder};
use mager_pager::{Access, Config, Denied, Effect, Event, FrameNo, Ticket};

/// Reads a log and spells out again what was read.
fn respelled(text: &str) -> String {
    let mut reader = LogReader::new();
    let mut out = String::new();
    for line in text.lines() {
        match reader.line(line.as_bytes()).unwrap_or_else(|bad| panic!("{bad}")) {
            Line::Nothing => {}
            Line::Header(header) => {
                out = LogWriter::new(String::new(), &header).finish().unwrap();
                out.truncate(out.len() - "end 0\n".len());
            }
            line => out.push_str(&format!("{line}\n")),
        }
    }
    assert!(reader.ended());
    out
}

#[test]
fn a_random_run_is_read_back_without_a_difference() {
    for seed in 0..60 {
        let text = run::log(seed, 500);
        assert_eq!(respelled(&text), text, "seed {seed}");
    }
}

fn short() -> LogWriter<String> {
    let header = Header { config: Config::course(4, 16), policy: "clock".to_owned(), seed: 42 };
    LogWriter::new(String::new(), &header)
}

#[test]
fn the_format_is_what_the_manual_shows() {
    let mut log = short();
    log.note("object 3 = \"data.bin\"");
    log.event(&Event::Tick, &[Effect::Resume { who: Ticket(9), outcome: Err(Denied::NoMemory) }]);
    log.event(&Event::Touched { frame: FrameNo(2), access: Access::Write }, &[]);
    let text = log.finish().unwrap();
    let expected = "mager-events 3\n\
        config page-size=65536 arena-pages=256 arena-base=0x600000000 frames=4 swap-blocks=16 references=trap \
        sharing=frame low-water=0\n\
        policy clock\nseed 42\n# object 3 = \"data.bin\"\nevent tick\n  resume 9 no-memory\n\
        event touched frame 2 write\nend 2\n";
    assert_eq!(text, expected);
}

#[test]
fn a_note_cannot_break_the_log() {
    let mut log = short();
    log.note("one\nevent tick\r\u{7}\n");
    log.note("x".repeat(100_000));
    let text = log.finish().unwrap();
    assert!(text.contains("# one\n# event tick\\r\\u{7}\n"), "{text:?}");
    let mut reader = LogReader::new();
    text.lines().for_each(|line| assert!(reader.line(line.as_bytes()).is_ok()));
    assert!(reader.ended() && text.lines().all(|line| line.len() <= mager_driver::MAX_LOG_LINE));
}

struct Full(usize);

impl core::fmt::Write for Full {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(core::fmt::Error)?;
        Ok(())
    }
}

#[test]
fn a_log_that_could_not_be_written_says_so_at_the_end() {
    let header = Header { config: Config::course(4, 16), policy: "clock".to_owned(), seed: 0 };
    let mut log = LogWriter::new(Full(200), &header);
    (0..20).for_each(|_| log.event(&Event::Tick, &[]));
    assert!(log.finish().is_err());
    assert!(LogWriter::new(Full(1000), &header).finish().is_ok());
}

/// Each line that is wrong, and what the reader says about it.
const WRONG: &[(&str, &str)] = &[
    ("call crate -> done", "expected a control call (create, fork"),
    ("call create", "expected `->`, found the end of the line"),
    ("call create -> arena 0", "expected an arena (SLOT.GENERATION), found \"0\""),
    ("call fork -1.0 -> arena 1.0", "expected an arena (SLOT.GENERATION), found \"-1.0\""),
    ("call unmap 0.0:1 -> done", "expected a run of pages (SLOT.GENERATION:PAGE+COUNT), found \"0.0:1\""),
    ("call create -> refused no-swap wanted 3", "expected `free`, found the end of the line"),
    ("call map-object 0.0 object:4294967295:0 -> page 0", "expected a block of an object"),
    ("event fault 0.0:1 wrte by 7", "expected an access (trap, read or write), found \"wrte\""),
    ("event fault 0.0:4294967296 read by 7", "expected a site (SLOT.GENERATION:PAGE)"),
    ("event fault 0.0:1 read by +7", "expected a number below 2^64, found \"+7\""),
    ("call discard 0.0 -> done", "expected a run of pages (SLOT.GENERATION:PAGE+COUNT), found \"0.0\""),
    ("call withhold all -> frames 3", "expected a number below 2^32, found \"all\""),
    ("call restore 3 -> frames", "expected a number below 2^32, found the end of the line"),
    ("event ahead 0.0:1", "expected an access (trap, read or write), found the end of the line"),
    ("event tick tock", "expected the end of the line, found \"tock\""),
    ("  release object:1:0", "expected a swap block (swap:BLOCK), found \"object:1:0\""),
    ("  map 0.0:0 frame x read", "expected a number below 2^32, found \"x\""),
    (
        "  write frame 1 to nowhere:3",
        "expected a home (swap:BLOCK or object:OBJECT:BLOCK), found \"nowhere:3\"",
    ),
    (
        "  dance",
        "expected a call, an event, an effect (map, unmap, zero, copy, read, write, empty, release or resume) or the end",
    ),
];

#[test]
fn a_wrong_line_is_named_with_what_was_expected() {
    for (wrong, message) in WRONG {
        let text = format!("mager-events 3\n{}\nevent tick\n{wrong}\n", HEADER);
        let mut reader = LogReader::new();
        let bad = text.lines().find_map(|line| reader.line(line.as_bytes()).err());
        let said = bad.map(|bad| bad.to_string()).unwrap_or_default();
        assert!(said.starts_with("line 6: ") && said.contains(message), "{wrong:?}: {said}");
    }
}

const HEADER: &str = "config page-size=65536 arena-pages=256 arena-base=0x600000000 frames=4 swap-blocks=16 \
                      references=trap sharing=frame low-water=0\npolicy clock\nseed 0";

#[test]
fn other_files_and_other_versions_are_refused() {
    let first = |line: &[u8]| LogReader::new().line(line).unwrap_err().to_string();
    assert_eq!(first(b"\x7fELF"), "line 1: expected `mager-events`, found \"\\u{7f}ELF\"");
    assert_eq!(first(b""), "line 1: expected `mager-events`, found the end of the line");
    assert_eq!(first(b"mager-events 1"), "line 1: expected version 3 of the event log, found \"1\"");
    assert_eq!(first(b"\xff\xfe"), "line 1: expected text in UTF-8, found \"other bytes\"");
    assert_eq!(first(&[b'x'; 5000]), "line 1: expected a line of at most 4096 bytes, found \"a longer one\"");
}

#[test]
fn effects_before_the_first_step_and_lines_after_the_end_are_refused() {
    let says = |tail: &str| {
        let mut reader = LogReader::new();
        let text = format!("mager-events 3\n{HEADER}\n{tail}");
        text.lines().find_map(|line| reader.line(line.as_bytes()).err()).unwrap().to_string()
    };
    assert_eq!(says("  resume 1 ok"), "line 5: expected a step before its effects, found \"resume\"");
    assert_eq!(
        says("end 0\nevent tick"),
        "line 6: expected nothing after the end of the log, found \"event tick\""
    );
}
