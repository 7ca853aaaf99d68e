//! A machine small enough to be obviously right: frames with bytes, a page table, and a disk that fails on request.

use mager_driver::{Hardware, Io, Paging};
use mager_pager::{Access, Denied, Effect, Event, FrameNo, Home, IoFailed, IoResult, Site, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const PAGE: usize = 64;
pub type Bytes = [u8; PAGE];

/// What every frame holds before anything is put into it, but the zero page.
const JUNK: u8 = 0xA5;

#[derive(Default)]
pub struct Machine {
    pub frames: Vec<Bytes>,
    pub disk: BTreeMap<Home, Bytes>,
    /// Homes that cannot be read, or not be written, at the moment.
    pub unreadable: BTreeSet<Home>,
    pub unwritable: BTreeSet<Home>,
    pub mapped: BTreeMap<Site, (FrameNo, Access)>,
    /// Everything that was done, in order.
    pub log: Vec<Effect>,
    pub resumed: BTreeMap<Ticket, Result<(), Denied>>,
    answers: VecDeque<Event>,
}

impl Machine {
    pub fn new(frames: u32) -> Self {
        let mut frames = vec![[JUNK; PAGE]; frames as usize];
        frames[0] = [0; PAGE];
        Machine { frames, ..Machine::default() }
    }

    fn fill(&mut self, frame: FrameNo, bytes: Bytes) {
        assert_ne!(frame, FrameNo(0), "rule 1: the zero page is never written");
        assert!(!self.shows(frame), "frame {frame} is filled while somebody can see it");
        self.frames[frame.index()] = bytes;
    }

    fn shows(&self, frame: FrameNo) -> bool {
        self.mapped.values().any(|&(shown, _)| shown == frame)
    }

    fn read(&mut self, frame: FrameNo, home: Home) -> IoResult {
        if self.unreadable.contains(&home) {
            return Err(IoFailed);
        }
        let bytes = *self.disk.get(&home).ok_or(IoFailed)?;
        self.fill(frame, bytes);
        Ok(())
    }

    fn write(&mut self, frame: FrameNo, home: Home) -> IoResult {
        if self.unwritable.contains(&home) {
            return Err(IoFailed);
        }
        if let Home::Object(..) = home {
            assert!(self.disk.contains_key(&home), "a block of a file is written that was never read");
        }
        self.disk.insert(home, self.frames[frame.index()]);
        Ok(())
    }
}

impl Hardware for Machine {
    fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        assert!(frame != FrameNo(0) || access == Access::Read, "rule 12: the zero page is mapped read-only");
        self.mapped.insert(at, (frame, access));
        self.log.push(Effect::Map { at, frame, access });
    }
    fn unmap(&mut self, at: Site, frame: FrameNo) {
        let was = self.mapped.remove(&at).map(|(shown, _)| shown);
        assert_eq!(was, Some(frame), "{at} is unmapped from a frame it did not show");
        self.log.push(Effect::Unmap { at, frame });
    }
    fn zero(&mut self, frame: FrameNo, at: Site) {
        self.fill(frame, [0; PAGE]);
        self.log.push(Effect::Zero { frame, at });
    }
    fn copy(&mut self, from: FrameNo, to: FrameNo, at: Site) {
        self.fill(to, self.frames[from.index()]);
        self.log.push(Effect::Copy { from, to, at });
    }
    fn resume(&mut self, who: Ticket, outcome: Result<(), Denied>) {
        assert!(self.resumed.insert(who, outcome).is_none(), "{who} is resumed twice");
        self.log.push(Effect::Resume { who, outcome });
    }
}

impl Paging for Machine {
    fn start(&mut self, io: Io) {
        let answer = match io {
            Io::Read { frame, home, at } => {
                self.log.push(Effect::Read { frame, home, at });
                Event::Read { frame, result: self.read(frame, home) }
            }
            Io::Write { frame, home } => {
                self.log.push(Effect::Write { frame, home });
                Event::Written { frame, result: self.write(frame, home) }
            }
        };
        self.answers.push_back(answer);
    }
    fn finished(&mut self) -> Option<Event> {
        self.answers.pop_front()
    }
}

/// An effect in a few words: sites are slot:page, the ticket is left out.
pub fn words(effect: &Effect) -> String {
    let site = |at: &Site| format!("{}:{}", at.arena.slot, at.page);
    let rights = |access: &Access| match access {
        Access::Trap => "-",
        Access::Read => "r",
        Access::Write => "rw",
    };
    match effect {
        Effect::Map { at, frame, access } => format!("map {} to {frame} {}", site(at), rights(access)),
        Effect::Clear { at, frame } => format!("clear {} of {frame}", site(at)),
        Effect::Unmap { at, frame } => format!("unmap {} from {frame}", site(at)),
        Effect::Zero { frame, .. } => format!("zero {frame}"),
        Effect::Copy { from, to, .. } => format!("copy {from} to {to}"),
        Effect::Read { frame, home, .. } => format!("read {home} into {frame}"),
        Effect::Write { frame, home } => format!("write {frame} to {home}"),
        Effect::Empty { frame } => format!("empty {frame}"),
        Effect::Release { block } => format!("release {block}"),
        Effect::Resume { outcome: Ok(()), .. } => "resume".to_owned(),
        Effect::Resume { outcome: Err(why), .. } => format!("deny: {why}"),
    }
}
