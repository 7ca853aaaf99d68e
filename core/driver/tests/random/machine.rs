//! Frames that hold one word each, a page table, a disk; and what a machine may demand of the core.

use mager_pager::{Access, Config, Effect, Event, FrameNo, Home, IoFailed, Sharing, Site, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a failed I/O leaves behind, in the frame or on the disk.
const GARBAGE: u64 = 0xDEAD_DEAD;

#[derive(Clone, Copy, PartialEq, Debug)]
struct Io {
    read: bool,
    frame: FrameNo,
    home: Home,
    /// What the frame held when the I/O was started.
    word: u64,
}

/// Where the bytes of a frame can be seen.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Lives {
    /// At every site that maps it.
    Anywhere,
    /// By place: at one site only.
    At(Site),
    /// By place: the site is gone, and the frame has not moved yet.
    Nowhere,
}

pub struct Machine {
    by_place: bool,
    pub words: Vec<u64>,
    lives: Vec<Lives>,
    /// By place: filled and not emptied since.
    pub filled: BTreeSet<FrameNo>,
    pub mapped: BTreeMap<Site, (FrameNo, Access)>,
    /// Sites whose sticky reference bit is set.
    pub touched: BTreeSet<Site>,
    pub disk: BTreeMap<Home, u64>,
    in_flight: Vec<Io>,
    pub resumed: VecDeque<(Ticket, Result<(), mager_pager::Denied>)>,
}

impl Machine {
    pub fn new(config: &Config) -> Self {
        let frames = config.frames as usize;
        let mut words = vec![GARBAGE; frames];
        if config.sharing == Sharing::Frame {
            words[0] = 0;
        }
        Machine {
            by_place: config.sharing == Sharing::Place,
            words,
            lives: vec![Lives::Anywhere; frames],
            filled: BTreeSet::new(),
            mapped: BTreeMap::new(),
            touched: BTreeSet::new(),
            disk: BTreeMap::new(),
            in_flight: Vec::new(),
            resumed: VecDeque::new(),
        }
    }

    pub fn carry_out(&mut self, effects: &[Effect]) {
        for &effect in effects {
            match effect {
                Effect::Map { at, frame, access } => self.map(at, frame, access),
                Effect::Clear { at, frame } => {
                    let shown = self.mapped.get(&at).map(|&(frame, _)| frame);
                    assert_eq!(shown, Some(frame), "{at} does not show frame {frame}, and has no bit of it");
                    self.touched.remove(&at);
                }
                Effect::Unmap { at, frame } => self.unmap(at, frame),
                Effect::Zero { frame, at } => self.fill(frame, 0, Some(at)),
                Effect::Copy { from, to, at } if from == to => self.migrate(from, at),
                Effect::Copy { from, to, at } => {
                    assert_ne!(
                        self.lives[from.index()],
                        Lives::Nowhere,
                        "frame {from} is copied, but is nowhere"
                    );
                    self.fill(to, self.words[from.index()], Some(at));
                }
                Effect::Read { frame, home, at } => self.read(frame, home, at),
                Effect::Write { frame, home } => self.start(Io { read: false, frame, home, word: 0 }),
                Effect::Empty { frame } => self.empty(frame),
                Effect::Release { block } => self.release(Home::Swap(block)),
                Effect::Resume { who, outcome } => self.resumed.push_back((who, outcome)),
            }
        }
    }

    fn flying(&self, frame: FrameNo) -> Option<&Io> {
        self.in_flight.iter().find(|io| io.frame == frame)
    }

    fn map(&mut self, at: Site, frame: FrameNo, access: Access) {
        let stable = access < Access::Write || self.flying(frame).is_none();
        assert!(stable, "{at} may write to frame {frame}, which is in flight");
        assert!(self.flying(frame).is_none_or(|io| !io.read), "frame {frame} is shown before it is read");
        assert!(self.by_place || frame.0 > 0 || access == Access::Read, "the zero page is mapped {access:?}");
        let lives = self.lives[frame.index()];
        let here = lives == Lives::Anywhere || lives == Lives::At(at);
        assert!(here, "frame {frame} lives at {lives:?}, but is mapped at {at}");
        self.mapped.insert(at, (frame, access));
    }

    /// What is being written home where it lives is kept elsewhere from then on, and that may have shown nothing.
    fn unmap(&mut self, at: Site, frame: FrameNo) {
        let was = self.mapped.remove(&at).map(|(frame, _)| frame);
        let writing = self.flying(frame).is_some_and(|io| !io.read);
        if writing && self.lives[frame.index()] == Lives::At(at) {
            assert!(was.is_none_or(|was| was == frame), "{at} shows another frame than lives there");
            self.lives[frame.index()] = Lives::Nowhere;
        } else {
            assert_eq!(was, Some(frame), "{at} is unmapped from a frame it did not show");
        }
    }

    fn fill(&mut self, frame: FrameNo, word: u64, at: Option<Site>) {
        assert!(self.by_place || frame.0 > 0, "the zero page is filled");
        assert!(self.flying(frame).is_none(), "frame {frame} is filled while in flight");
        assert!(
            self.mapped.values().all(|&(shown, _)| shown != frame),
            "frame {frame} is filled while mapped"
        );
        if let Some(at) = at.filter(|_| self.by_place) {
            let others = self.filled.iter().filter(|other| self.lives[other.index()] == Lives::At(at));
            assert_eq!(
                others.collect::<Vec<_>>(),
                Vec::<&FrameNo>::new(),
                "frame {frame} is filled where they live"
            );
        }
        assert!(!self.by_place || self.filled.insert(frame), "frame {frame} is filled, but was not emptied");
        self.words[frame.index()] = word;
        self.lives[frame.index()] = at.filter(|_| self.by_place).map_or(Lives::Anywhere, Lives::At);
    }

    fn empty(&mut self, frame: FrameNo) {
        assert!(self.by_place, "frame {frame} is emptied, which only frames by place are");
        assert!(self.flying(frame).is_none(), "frame {frame} is emptied while in flight");
        assert!(
            self.mapped.values().all(|&(shown, _)| shown != frame),
            "frame {frame} is emptied, but mapped"
        );
        assert!(self.filled.remove(&frame), "frame {frame} is emptied twice");
        self.words[frame.index()] = GARBAGE;
    }

    fn release(&mut self, home: Home) {
        assert!(self.in_flight.iter().all(|io| io.home != home), "{home} is released while in flight");
        assert!(self.disk.remove(&home).is_some(), "{home} is released, but nobody wrote it");
    }

    /// By place: the frame goes to another site, its old one loses it.
    fn migrate(&mut self, frame: FrameNo, at: Site) {
        assert!(self.by_place, "frame {frame} moves to {at}, but frames live nowhere here");
        assert!(self.flying(frame).is_none(), "frame {frame} moves while in flight");
        self.mapped.retain(|_, &mut (shown, _)| shown != frame);
        self.lives[frame.index()] = Lives::At(at);
    }

    /// Sites that are unmapped for good: what is being read there is nowhere, and moves when it has been.
    pub fn gone(&mut self, gone: impl Fn(Site) -> bool) {
        for io in self.in_flight.iter().filter(|io| io.read) {
            let lives = &mut self.lives[io.frame.index()];
            if matches!(*lives, Lives::At(site) if gone(site)) {
                *lives = Lives::Nowhere;
            }
        }
    }

    fn read(&mut self, frame: FrameNo, home: Home, at: Site) {
        let private = matches!(home, Home::Swap(_));
        self.fill(frame, GARBAGE, Some(at).filter(|_| private));
        self.start(Io { read: true, frame, home, word: 0 });
    }

    fn start(&mut self, io: Io) {
        assert!(self.flying(io.frame).is_none(), "two I/Os on frame {}", io.frame);
        assert!(self.in_flight.iter().all(|other| other.home != io.home), "two I/Os on {}", io.home);
        let writer = self.mapped.values().any(|&now| now == (io.frame, Access::Write));
        assert!(!writer, "frame {} can be written to while in flight", io.frame);
        if !io.read && matches!(io.home, Home::Swap(_)) {
            self.disk.entry(io.home).or_insert(GARBAGE);
        }
        self.in_flight.push(Io { word: self.words[io.frame.index()], ..io });
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The I/O at `index` of those in flight ends.
    pub fn answer(&mut self, index: usize, well: bool) -> Event {
        let Io { read, frame, home, word } = self.in_flight.remove(index);
        let result = if well { Ok(()) } else { Err(IoFailed) };
        if read {
            let fresh = match home {
                Home::Object(..) => 0,
                Home::Swap(_) => GARBAGE,
            };
            let there = self.disk.get(&home).copied().unwrap_or(fresh);
            self.words[frame.index()] = if well { there } else { GARBAGE };
            return Event::Read { frame, result };
        }
        assert_eq!(self.words[frame.index()], word, "frame {frame} changed while it was written home");
        self.disk.insert(home, if well { word } else { GARBAGE });
        Event::Written { frame, result }
    }

    /// The frame that `at` shows, if the access can happen there without a fault.
    pub fn allows(&self, at: Site, access: Access) -> Option<FrameNo> {
        self.mapped.get(&at).filter(|(_, now)| *now >= access).map(|&(frame, _)| frame)
    }
}
