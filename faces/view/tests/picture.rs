//! What a person sees of a small run.

use mager_driver::{Control, Outcome, apply};
use mager_pager::{
    Access, ArenaId, BlockNo, Config, Effect, Effects, Event, Fault, ObjectNo, Pager, Pages, Site, Ticket,
    VirtPage,
};
use mager_policies::Clock;
use mager_view::Snapshot;

struct Small(Pager<Clock>);

impl Small {
    fn new(frames: u32) -> Small {
        let config = Config { arena_pages: 2000, ..Config::course(frames, 16) };
        Small(Pager::new(config, Clock::new(frames)).expect("a good configuration"))
    }

    fn call(&mut self, call: Control) -> Outcome {
        apply(&mut self.0, call, &mut Effects::new())
    }

    fn create(&mut self) -> ArenaId {
        self.0.create().expect("room for an arena")
    }

    /// A fault, every I/O answered at once.
    fn touch(&mut self, arena: ArenaId, page: u32, access: Access) {
        let at = Site { arena, page: VirtPage(page) };
        let mut events = vec![Event::Fault(Fault { at, access, who: Ticket(0) })];
        while let Some(event) = events.pop() {
            let mut out = Effects::new();
            self.0.step(event, &mut out);
            events.extend(out.iter().filter_map(|effect| match *effect {
                Effect::Read { frame, .. } => Some(Event::Read { frame, result: Ok(()) }),
                Effect::Write { frame, .. } => Some(Event::Written { frame, result: Ok(()) }),
                _ => None,
            }));
        }
    }

    fn picture(&self) -> Snapshot {
        let name = |object: ObjectNo| (object.0 == 0).then(|| "data.bin".to_owned());
        Snapshot::of(&self.0.view(), "clock", name)
    }
}

/// Two arenas with private, shared, absent and file pages.
fn busy() -> Small {
    let mut small = Small::new(4);
    let a = small.create();
    for page in 0..4 {
        assert_eq!(small.call(Control::MapSwap(a)), Outcome::Page(VirtPage(page)));
    }
    small.call(Control::MapObject(a, ObjectNo(0), BlockNo(7)));
    small.touch(a, 0, Access::Write);
    small.touch(a, 1, Access::Write);
    small.call(Control::Fork(a));
    small.touch(a, 4, Access::Write);
    small.touch(a, 3, Access::Write);
    small
}

#[test]
fn the_whole_state_is_told() {
    let expected = "\
arena 0.0: 5 of 2000 pages mapped, 4 swap blocks reserved
       page  may   frame  shows
          0  -         -  private page 1, in swap block 0 only, shared with 1.0:0
          1  trap      2  private page 2, in frame 2, dirty, shared with 1.0:1
          2  r         0  zeros, never written
          3  rw        1  private page 3, in frame 1, dirty
          4  trap      3  \"data.bin\" block 7, in frame 3, dirty, shared with 1.0:4

arena 1.0: 5 of 2000 pages mapped, 4 swap blocks reserved
       page  may   frame  shows
          0  -         -  private page 1, in swap block 0 only, shared with 0.0:0
          1  trap      2  private page 2, in frame 2, dirty, shared with 0.0:1
        2-3  r         0  zeros, never written
          4  trap      3  \"data.bin\" block 7, in frame 3, dirty, shared with 0.0:4

core map: 4 frames, 0 free
      frame  referenced  dirty  holds
          0  -           -      the zero page, for ever
          1  yes         yes    private page 3, mapped at 0.0:3
";
    let told = busy().picture().to_string();
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn frames_clock_swap_and_files_are_told() {
    let told = busy().picture().to_string();
    for line in [
        "          1  yes         yes    private page 3, mapped at 0.0:3\n",
        "          3  -           yes    \"data.bin\" block 7, mapped at 0.0:4 1.0:4\n",
        "clock: hand -> 2 3 1*  (frames; * is referenced)\n",
        "swap: 16 blocks, 8 reserved, 1 assigned\n",
        "    block 0  private page 1\n",
        "file pages: 1, 0 of them ghosts\n",
        "so far: 4 faults, 3 zero-fills, 1 page-ins, 1 write-backs",
    ] {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
}

#[test]
fn a_ghost_is_called_a_ghost() {
    let mut small = Small::new(4);
    let a = small.create();
    small.call(Control::MapObject(a, ObjectNo(5), BlockNo(0)));
    small.touch(a, 0, Access::Read);
    small.call(Control::Destroy(a));
    let told = small.picture().to_string();
    assert!(told.contains("object 5 block 0, in frame 1, clean, a ghost: mapped nowhere any more"), "{told}");
    assert!(told.contains("free: 2-3, in this order"), "{told}");
}

#[test]
fn faults_that_wait_are_told() {
    let mut small = Small::new(2);
    let a = small.create();
    small.call(Control::MapSwapAt(a, Pages { start: VirtPage(0), count: 3 }));
    small.touch(a, 0, Access::Write);
    let at = Site { arena: a, page: VirtPage(1) };
    let fault = Event::Fault(Fault { at, access: Access::Write, who: Ticket(1) });
    small.0.step(fault, &mut Effects::new());
    let told = small.picture().to_string();
    assert!(told.contains("waiting: 0 on pages, 1 for a frame\n             zeros for 0.0:1\n"), "{told}");
    assert!(told.contains("being written from frame 1 to swap block 0"), "{told}");
}

#[test]
fn untouched_terabytes_are_one_row() {
    let mut small = Small::new(4);
    let a = small.create();
    small.call(Control::MapObjectAt(a, Pages { start: VirtPage(0), count: 2000 }, ObjectNo(0), BlockNo(3)));
    let told = small.picture().to_string();
    assert!(
        told.contains("     0-1999  -         -  \"data.bin\" block 3 and on, never touched here\n"),
        "{told}"
    );
}

#[test]
fn programs_read_the_same_picture() {
    let json = serde_json::to_value(busy().picture()).expect("plain data");
    assert_eq!(json["arenas"][1]["rows"][2]["shows"], "untouched");
    assert_eq!(json["arenas"][0]["rows"][4]["shows"]["page"], 0);
    assert_eq!(json["pages"][0]["file"], "\"data.bin\" block 7");
    assert_eq!(json["order"][0], 2);
    assert_eq!(json["swap"]["reserved"], 8);
}
