//! The disk: swap and files, I/O that takes as long as the world pleases, and every way in which it can go wrong.
//!
//! It stands for a store with checksums: a block that was torn or never reached the platter fails when it is read.

use crate::op::{Direction, How};
use crate::setup::{Contents, Setup, WORDS};
use mager_driver::Io;
use mager_pager::{BlockNo, Event, FrameNo, Home, IoFailed, IoResult, ObjectNo, SwapBlock};

/// What a frame holds while it is read into, and after a read that failed: no word anybody ever stored.
pub const JUNK: Contents = [u64::MAX; WORDS];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Block {
    /// Nobody wrote it yet.
    Fresh,
    Holds(Contents),
    /// Its checksum is wrong. `lied`: although the write was said to be fine.
    Bad {
        lied: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    io: Io,
    at_start: Contents,
}

/// All blocks, and what is in flight.
#[derive(Debug)]
pub struct Disk {
    swap: Vec<Block>,
    /// Swap blocks that a write was started for, and that were not released since.
    assigned: Vec<bool>,
    files: Vec<Vec<Block>>,
    flying: Vec<Flight>,
    /// I/Os that failed so far.
    pub failures: u64,
    /// I/Os answered so far.
    pub answered: u64,
    canary: bool,
}

pub(crate) fn frame_of(io: Io) -> FrameNo {
    match io {
        Io::Read { frame, .. } | Io::Write { frame, .. } => frame,
    }
}

fn home_of(io: Io) -> Home {
    match io {
        Io::Read { home, .. } | Io::Write { home, .. } => home,
    }
}

impl Disk {
    pub(crate) fn new(setup: &Setup) -> Self {
        let file = |file| (0..setup.blocks).map(|b| Block::Holds(setup.first_contents(file, b))).collect();
        Disk {
            swap: vec![Block::Fresh; setup.swap_blocks as usize],
            assigned: vec![false; setup.swap_blocks as usize],
            files: (0..setup.files).map(file).collect(),
            flying: Vec::new(),
            failures: 0,
            answered: 0,
            canary: setup.canary,
        }
    }

    /// How many I/Os are not answered yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flying.len()
    }

    /// What is in flight, oldest first.
    pub fn flights(&self) -> impl Iterator<Item = (Direction, FrameNo)> {
        self.flying.iter().map(|flight| match flight.io {
            Io::Read { frame, .. } => (Direction::Read, frame),
            Io::Write { frame, .. } => (Direction::Write, frame),
        })
    }

    /// Where in the queue an I/O is.
    pub(crate) fn nth(&self, direction: Direction, frame: FrameNo) -> Option<usize> {
        self.flights().position(|flight| flight == (direction, frame))
    }

    /// Every block of every file, in order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Home, Block)> {
        (0u32..).map(ObjectNo).zip(&self.files).flat_map(|(object, blocks)| {
            let home = move |block| Home::Object(object, BlockNo(block));
            (0u32..).map(home).zip(blocks.iter().copied())
        })
    }

    /// Every word that is well on the disk: those of files.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        let holds = |block: &Block| match block {
            Block::Holds(contents) => Some(*contents),
            Block::Fresh | Block::Bad { .. } => None,
        };
        self.files.iter().flatten().filter_map(holds).flatten()
    }

    pub(crate) fn block(&self, home: Home) -> Option<Block> {
        match home {
            Home::Swap(block) => self.swap.get(block.index()).copied(),
            Home::Object(object, block) => self.files.get(object.index())?.get(block.index()).copied(),
        }
    }

    fn set(&mut self, home: Home, contents: Block) {
        let block = match home {
            Home::Swap(block) => self.swap.get_mut(block.index()),
            Home::Object(object, block) => {
                self.files.get_mut(object.index()).and_then(|file| file.get_mut(block.index()))
            }
        };
        *block.expect("disk: a write beyond the end") = contents;
    }

    pub(crate) fn start(&mut self, io: Io, memory: &[Contents]) {
        let home = home_of(io);
        assert!(!self.flying.iter().any(|other| home_of(other.io) == home), "disk: two I/Os at {home}");
        if let Io::Read { .. } = io {
            assert!(self.block(home) != Some(Block::Fresh), "disk: {home} is read, but was never written");
        }
        if let Io::Write { home: Home::Swap(block), .. } = io {
            self.assigned[block.index()] = true;
        }
        self.flying.push(Flight { io, at_start: memory[frame_of(io).index()] });
    }

    /// Nobody needs what is in this block: it is as if nobody had ever written it.
    pub(crate) fn release(&mut self, block: SwapBlock) {
        let home = Home::Swap(block);
        assert!(!self.flying.iter().any(|flight| home_of(flight.io) == home), "disk: {home} is in flight");
        let assigned = std::mem::replace(&mut self.assigned[block.index()], false);
        assert!(assigned, "disk: {home} is released, but is nobody's");
        self.set(home, Block::Fresh);
    }

    pub(crate) fn unreleased(&self) -> usize {
        self.assigned.iter().filter(|assigned| **assigned).count()
    }

    /// Ends the `nth` I/O: moves the bytes, and says so.
    pub(crate) fn finish(&mut self, nth: usize, how: How, memory: &mut [Contents]) -> Event {
        let flight = self.flying.remove(nth);
        let frame = frame_of(flight.io);
        let bytes = &mut memory[frame.index()];
        assert!(*bytes == flight.at_start, "disk: frame {frame} changed while it was in flight");
        self.answered += 1;
        let event = match flight.io {
            Io::Read { home, .. } => Event::Read { frame, result: self.read(home, how, bytes) },
            Io::Write { home, .. } => Event::Written { frame, result: self.write(home, how, *bytes) },
        };
        self.failures += u64::from(matches!(
            event,
            Event::Read { result: Err(_), .. } | Event::Written { result: Err(_), .. }
        ));
        event
    }

    fn read(&self, home: Home, how: How, bytes: &mut Contents) -> IoResult {
        match (how, self.block(home)) {
            (How::Fine | How::Lies, Some(Block::Holds(contents))) => {
                *bytes = contents;
                Ok(())
            }
            _ => {
                *bytes = JUNK;
                Err(IoFailed)
            }
        }
    }

    fn write(&mut self, home: Home, how: How, bytes: Contents) -> IoResult {
        match how {
            How::Fine if self.canary && self.answered.is_multiple_of(64) => {
                self.set(home, Block::Holds([bytes[0], bytes[0], bytes[2], bytes[3]]));
            }
            How::Fine | How::FailsLate => self.set(home, Block::Holds(bytes)),
            How::Tears => self.set(home, Block::Bad { lied: false }),
            How::Lies => self.set(home, Block::Bad { lied: true }),
            How::Fails => {}
        }
        match how {
            How::Fine | How::Lies => Ok(()),
            How::Fails | How::Tears | How::FailsLate => Err(IoFailed),
        }
    }
}
