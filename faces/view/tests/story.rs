//! A small run as it is told, word for word, at two and at three frames.
//!
//! After a change that is meant to change it: `MAGER_GOLDEN=write cargo test -p mager-view --test story`, and read
//! the difference before it is committed.

use mager_driver::{Control, Driver, Hardware, Io, Outcome, Paging, Recorder};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Denied, Event, Fault, FrameNo, Home, IoFailed, ObjectNo, Site, Ticket,
    VirtPage, What,
};
use mager_policies::Clock;
use mager_view::{Kind, Story, Tally};
use std::collections::VecDeque;
use std::path::Path;

/// Answers all I/O at once; block 9 of every file is bad.
#[derive(Default)]
struct Machine(VecDeque<Event>);

impl Hardware for Machine {
    fn map(&mut self, _at: Site, _frame: FrameNo, _access: Access) {}
    fn unmap(&mut self, _at: Site, _frame: FrameNo) {}
    fn zero(&mut self, _frame: FrameNo, _at: Site) {}
    fn copy(&mut self, _from: FrameNo, _to: FrameNo, _at: Site) {}
    fn resume(&mut self, _who: Ticket, _outcome: Result<(), Denied>) {}
}

impl Paging for Machine {
    fn start(&mut self, io: Io) {
        let (Io::Read { home, .. } | Io::Write { home, .. }) = io;
        let bad = matches!(home, Home::Object(_, BlockNo(9)));
        let result = if bad { Err(IoFailed) } else { Ok(()) };
        self.0.push_back(match io {
            Io::Read { frame, .. } => Event::Read { frame, result },
            Io::Write { frame, .. } => Event::Written { frame, result },
        });
    }
    fn finished(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}

struct Run {
    driver: Driver<Clock, Story<String>>,
    machine: Machine,
}

impl Run {
    fn call(&mut self, call: Control) -> Outcome {
        self.driver.control(call, &mut self.machine)
    }

    fn arena(&mut self, call: Control) -> ArenaId {
        match self.call(call) {
            Outcome::Arena(arena) => arena,
            other => panic!("{call:?} gave {other:?}"),
        }
    }

    fn touch(&mut self, arena: ArenaId, page: u32, access: Access) {
        let at = Site { arena, page: VirtPage(page) };
        self.driver.deliver(Event::Fault(Fault { at, access, who: Ticket(1) }), &mut self.machine);
    }
}

/// Everything a story has words for, in one run.
fn play(frames: u32) -> (String, Tally) {
    let story = Story::new(String::new());
    let driver = Driver::new(Config::course(frames, 6), Clock::new(frames), story).expect("it can work");
    let mut run = Run { driver, machine: Machine::default() };
    let (notes, unnamed) = (ObjectNo(0), ObjectNo(1));
    run.driver.recorder.note(format_args!("object 0 = \"notes\""));

    let a = run.arena(Control::Create);
    for page in 0..3 {
        assert_eq!(run.call(Control::MapSwap(a)), Outcome::Page(VirtPage(page)));
    }
    (0..3).for_each(|page| run.touch(a, page, Access::Write));
    run.touch(a, 0, Access::Read);
    let b = run.arena(Control::Fork(a));
    run.touch(b, 0, Access::Write);
    run.call(Control::Fork(b));
    run.call(Control::MapObject(b, notes, BlockNo(0)));
    run.touch(b, 3, Access::Read);
    run.touch(b, 3, Access::Write);
    run.call(Control::MapObject(a, notes, BlockNo(0)));
    run.call(Control::Destroy(a));
    run.call(Control::Destroy(b));
    let c = run.arena(Control::Create);
    run.call(Control::MapObject(c, notes, BlockNo(0)));
    run.call(Control::MapObject(c, unnamed, BlockNo(9)));
    run.touch(c, 1, Access::Read);
    run.touch(c, 7, Access::Read);
    run.touch(c, 0, Access::Write);
    run.call(Control::Flush(What::All, Ticket(2)));
    let story = &run.driver.recorder;
    (story.text().to_owned(), story.tally.clone())
}

#[test]
fn a_run_is_told_in_plain_words() {
    for frames in [2, 3] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stories/{frames}-frames.txt"));
        let (told, _) = play(frames);
        if std::env::var_os("MAGER_GOLDEN").is_some_and(|value| value == "write") {
            std::fs::write(&path, &told).expect("the golden text is written");
        }
        let expected = std::fs::read_to_string(&path).expect("the golden text is there");
        assert_eq!(told, expected, "{}: MAGER_GOLDEN=write rewrites it", path.display());
    }
}

#[test]
fn what_is_told_is_what_is_counted() {
    for frames in [2, 3, 16] {
        let (told, tally) = play(frames);
        let lines = |part: &str| told.lines().filter(|line| line.contains(part)).count() as u64;
        assert_eq!(tally.zero_fills, lines("is filled with zeros"), "{told}");
        assert_eq!(tally.page_ins, lines("is read from"), "{told}");
        assert_eq!(tally.write_backs, lines("so written to") + lines("is written home"), "{told}");
        assert_eq!(tally.copies, lines("is copied to frame"), "{told}");
        assert_eq!(tally.steals, lines("passes on without being copied"), "{told}");
        assert_eq!(tally.ghosts, lines("a ghost"), "{told}");
        assert_eq!(tally.refusals, lines("refused, nothing has changed"), "{told}");
        assert_eq!(tally.faults[&Kind::Copy], tally.copies + tally.steals, "{told}");
        assert_eq!(tally.faults[&Kind::Denied], 2, "{told}");
        assert_eq!(tally.faults.values().sum::<u64>(), lines(" reads page ") + lines(" writes to page "));
    }
}
