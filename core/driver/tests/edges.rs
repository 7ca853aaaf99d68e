//! Edges of the driver, the event log and the scenarios: found by looking at which changes no other test would notice.

use mager_driver::scenario::{Command, Scenario, transcript};
use mager_driver::{
    Control, Driver, Hardware, Header, Io, LogReader, LogWriter, MAX_LOG_LINE, Outcome, Paging, Recorder,
    Replay,
};
use mager_pager::{
    Access, BlockNo, Config, Denied, Effect, Event, Fault, FrameNo, ObjectNo, Refused, Site, Ticket, VirtPage,
};
use mager_policies::Clock;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Remembers that it was told, and how often.
#[derive(Default, PartialEq, Eq, Debug)]
struct Told {
    controls: u32,
    events: u32,
    notes: String,
}

impl Recorder for Told {
    fn control(&mut self, _call: &Control, _outcome: &Outcome, _effects: &[Effect]) {
        self.controls += 1;
    }
    fn event(&mut self, _event: &Event, _effects: &[Effect]) {
        self.events += 1;
    }
    fn note(&mut self, text: core::fmt::Arguments<'_>) {
        self.notes.push_str(&text.to_string());
    }
}

fn tell(mut recorder: impl Recorder) {
    recorder.control(&Control::Create, &Outcome::Done, &[]);
    recorder.event(&Event::Tick, &[]);
    recorder.event(&Event::Tick, &[]);
    recorder.note(format_args!("so"));
}

#[test]
fn recorders_in_pairs_shared_or_perhaps_there_are_all_told() {
    let all = Told { controls: 1, events: 2, notes: "so".to_owned() };
    let recorder = || Rc::new(RefCell::new(Told::default()));
    let [one, other, third] = [recorder(), recorder(), recorder()];
    tell((Rc::clone(&one), Rc::clone(&other)));
    tell((Some(Rc::clone(&third)), None::<Told>));
    assert_eq!([&*one.borrow(), &*other.borrow(), &*third.borrow()], [&all; 3]);
}

/// A machine whose I/O is finished as soon as it is started.
#[derive(Default)]
struct Machine {
    answers: VecDeque<Event>,
    resumed: Vec<(Ticket, Result<(), Denied>)>,
}

impl Hardware for Machine {
    fn map(&mut self, _at: Site, _frame: FrameNo, _access: Access) {}
    fn unmap(&mut self, _at: Site, _frame: FrameNo) {}
    fn zero(&mut self, _frame: FrameNo, _at: Site) {}
    fn copy(&mut self, _from: FrameNo, _to: FrameNo, _at: Site) {}
    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>) {
        self.resumed.push((who, outcome));
    }
}

impl Paging for Machine {
    fn start(&mut self, io: Io) {
        self.answers.push_back(match io {
            Io::Read { frame, .. } => Event::Read { frame, result: Ok(()) },
            Io::Write { frame, .. } => Event::Written { frame, result: Ok(()) },
        });
    }
    fn finished(&mut self) -> Option<Event> {
        self.answers.pop_front()
    }
}

#[test]
fn an_event_is_delivered_to_its_end_and_an_arena_destroyed_once() {
    let mut machine = Machine::default();
    let mut driver = Driver::new(Config::course(3, 4), Clock::new(3), Told::default()).unwrap();
    let arena = driver.create(&mut machine).unwrap();
    let page = driver.map_object(arena, ObjectNo(1), BlockNo(0), &mut machine).unwrap();
    let fault = Fault { at: Site { arena, page }, access: Access::Read, who: Ticket(7) };
    driver.deliver(Event::Fault(fault), &mut machine);
    assert_eq!(machine.resumed, [(Ticket(7), Ok(()))]);
    assert_eq!(
        (driver.recorder.controls, driver.recorder.events),
        (2, 2),
        "a fault and the answer to its read"
    );
    assert_eq!(driver.destroy(arena, &mut machine), Ok(()));
    assert!(!driver.view().lives(arena));
    assert_eq!(driver.destroy(arena, &mut machine), Err(Refused::NoArena(arena)));
}

fn log() -> LogWriter<String> {
    let header = Header { config: Config::course(4, 16), policy: "clock".to_owned(), seed: 0 };
    LogWriter::new(String::new(), &header)
}

#[test]
fn steps_are_counted_by_who_writes_and_who_reads() {
    let mut log = log();
    (0..3).for_each(|_| log.event(&Event::Tick, &[]));
    assert_eq!(log.steps(), 3);
    let text = log.finish().unwrap();
    let mut reader = LogReader::new();
    let counts: Vec<u64> = text
        .lines()
        .map(|line| {
            reader.line(line.as_bytes()).unwrap();
            reader.steps()
        })
        .collect();
    assert_eq!(
        counts,
        [0, 0, 0, 0, 1, 2, 3, 0],
        "a version, a configuration, a policy, a seed, steps, the end"
    );
}

#[test]
fn a_header_that_cannot_work_is_refused_in_words() {
    let header = Header { config: Config::course(1, 16), policy: "clock".to_owned(), seed: 0 };
    let says = |header: &Header| Replay::new(header).unwrap_err().to_string();
    assert!(says(&header).starts_with("at least one frame beside the zero page"));
    let other = Header { config: Config::course(4, 16), policy: "lifo".to_owned(), seed: 0 };
    assert!(says(&other).starts_with("unknown policy"));
}

#[test]
fn a_line_may_be_as_long_as_a_log_allows() {
    let mut reader = LogReader::new();
    let head = log().finish().unwrap();
    head.lines().take(4).for_each(|line| drop(reader.line(line.as_bytes()).unwrap()));
    let comment = format!("# {}", "x".repeat(MAX_LOG_LINE - 2));
    assert!(reader.line(comment.as_bytes()).is_ok());
    assert!(reader.line(format!("{comment}\n").as_bytes()).is_ok(), "its end does not count");
    assert!(reader.line(format!("{comment}x").as_bytes()).is_err());
}

#[test]
fn a_long_word_that_is_wrong_is_told_in_short() {
    let first = |word: &str| LogReader::new().line(word.as_bytes()).unwrap_err().found.unwrap();
    assert_eq!(first(&"x".repeat(100)), format!("{}...", "x".repeat(40)));
    assert_eq!(first(&"x".repeat(40)), "x".repeat(40));
}

#[test]
fn a_note_is_kept_whole_unless_it_is_very_long() {
    let mut log = log();
    let text = "x".repeat(4000);
    Recorder::note(&mut log, format_args!("{text}"));
    Recorder::note(&mut log, format_args!("{text}{text}"));
    let log = log.finish().unwrap();
    assert!(log.lines().any(|line| line.strip_prefix("# ") == Some(text.as_str())));
    assert!(log.lines().any(|line| line.starts_with("# xxx") && line.ends_with("xxx...")));
}

#[test]
fn a_scenario_says_little_and_means_the_rest() {
    let scenario = Scenario::parse("pager frames=4\ncreate A\nmap A swap at 2\n").unwrap();
    let expected = Config { arena_pages: 8, ..Config::course(4, 16) };
    assert_eq!((scenario.setup.config, scenario.setup.policy.as_str()), (expected, "clock"));
    let Command::Map(_, _, Some(pages)) = &scenario.commands[1].command else { panic!("a map at a place") };
    assert_eq!((pages.start, pages.count), (VirtPage(2), 1));
    let wrong = Scenario::parse("pager frames=4\ncreate A\nmap A swap near 2\n").unwrap_err();
    assert_eq!(wrong.to_string(), "line 3: expected `at`, found `near`");
}

#[test]
fn the_name_of_an_arena_that_is_gone_can_be_given_again() {
    assert!(transcript("pager frames=4\ncreate A\ndestroy A\ncreate A\nmap A swap\n", |_| ()).is_ok());
    let gone = transcript("pager frames=4\ncreate A\ndestroy A\nread A 0\n", |_| ()).unwrap_err();
    assert_eq!(gone.to_string(), "line 4: no arena has the name `A`");
}
