//! What every load must return: memory as programs see it, with nothing ever evicted, shared or written back.
//!
//! It knows arenas, virtual pages, files and pins, and nothing of frames, swap blocks or policies. Words that are
//! stored only grow (each store writes a new stamp), so that "at least as new as" can be told from the bytes.

use crate::op::{Mapped, Name};
use crate::setup::{Contents, NAMES, Setup};
use mager_pager::{BlockNo, FrameNo, ObjectNo, Refused, VirtPage};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Backing {
    Private(Contents),
    File(ObjectNo, BlockNo),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    backing: Backing,
    /// Which mapping this is: a number never used again.
    pub(crate) mapping: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PinRecord {
    pub(crate) page: VirtPage,
    pub(crate) frame: FrameNo,
    pub(crate) count: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Space {
    pub(crate) pages: Vec<Option<Slot>>,
    pub(crate) pins: Vec<PinRecord>,
}

/// The naive model.
#[derive(Debug)]
pub(crate) struct Oracle {
    spaces: [Option<Space>; NAMES as usize],
    pub(crate) files: Vec<Vec<Contents>>,
    swap_blocks: u32,
    arena_pages: u32,
    mappings: u64,
    stamp: u64,
}

/// What a control call must answer.
pub(crate) type Expected<T> = Result<T, Refused>;

impl Oracle {
    pub(crate) fn new(setup: &Setup) -> Self {
        let file = |file| (0..=setup.blocks).map(|block| setup.first_contents(file, block)).collect();
        Oracle {
            spaces: Default::default(),
            files: (0..setup.files).map(file).collect(),
            swap_blocks: setup.swap_blocks,
            arena_pages: setup.arena_pages,
            mappings: 0,
            stamp: 1 << 32,
        }
    }

    pub(crate) fn space(&self, name: Name) -> Option<&Space> {
        self.spaces[usize::from(name.0)].as_ref()
    }

    pub(crate) fn space_mut(&mut self, name: Name) -> &mut Space {
        self.spaces[usize::from(name.0)].as_mut().expect("oracle: the arena was looked up before")
    }

    pub(crate) fn slot(&self, name: Name, page: VirtPage) -> Option<Slot> {
        *self.space(name)?.pages.get(page.index())?
    }

    pub(crate) fn create(&mut self, name: Name) {
        let pages = vec![None; self.arena_pages as usize];
        self.spaces[usize::from(name.0)] = Some(Space { pages, pins: Vec::new() });
    }

    pub(crate) fn destroy(&mut self, name: Name) {
        self.spaces[usize::from(name.0)] = None;
    }

    pub(crate) fn fork(&mut self, parent: Name, child: Name) {
        let mut copy = self.space(parent).expect("oracle: the parent lives").clone();
        copy.pins.clear();
        for slot in copy.pages.iter_mut().flatten() {
            slot.mapping = self.next_mapping();
        }
        self.spaces[usize::from(child.0)] = Some(copy);
    }

    fn next_mapping(&mut self) -> u64 {
        self.mappings += 1;
        self.mappings
    }

    /// Private pages of all arenas: each has one swap block reserved.
    pub(crate) fn reserved(&self) -> u32 {
        self.spaces.iter().flatten().map(Space::private).sum()
    }

    pub(crate) fn may_fork(&self, parent: Name) -> Expected<()> {
        let space = self.space(parent).expect("oracle: the parent lives");
        self.room_for(space.private())?;
        let pinned = |pin: &PinRecord| {
            matches!(space.pages[pin.page.index()], Some(Slot { backing: Backing::Private(_), .. }))
        };
        if space.pins.iter().any(pinned) { Err(Refused::Pinned) } else { Ok(()) }
    }

    fn room_for(&self, wanted: u32) -> Expected<()> {
        let free = self.swap_blocks - self.reserved();
        if wanted <= free { Ok(()) } else { Err(Refused::NoSwap { wanted, free }) }
    }

    pub(crate) fn may_map(&self, name: Name, what: Mapped) -> Expected<VirtPage> {
        let pages = &self.space(name).expect("oracle: the arena lives").pages;
        let lowest = (0u32..).zip(pages).find(|(_, slot)| slot.is_none()).map(|(page, _)| VirtPage(page));
        let lowest = lowest.ok_or(Refused::ArenaFull)?;
        if what == Mapped::Swap {
            self.room_for(1)?;
        }
        Ok(lowest)
    }

    pub(crate) fn may_map_at(&self, name: Name, what: Mapped, at: VirtPage, count: u32) -> Expected<()> {
        let run = self.run(name, at, count)?;
        if run.iter().any(Option::is_some) {
            return Err(Refused::Taken);
        }
        if what == Mapped::Swap { self.room_for(count) } else { Ok(()) }
    }

    pub(crate) fn may_unmap(&self, name: Name, at: VirtPage, count: u32) -> Expected<()> {
        let run = self.run(name, at, count)?;
        if run.iter().any(Option::is_none) {
            return Err(Refused::NotMapped);
        }
        let space = self.space(name).expect("oracle: the arena lives");
        let inside = |pin: &PinRecord| (at.0..at.0 + count).contains(&pin.page.0);
        if space.pins.iter().any(inside) { Err(Refused::Pinned) } else { Ok(()) }
    }

    pub(crate) fn may_discard(&self, name: Name, at: VirtPage, count: u32) -> Expected<()> {
        let file = |slot: &Option<Slot>| matches!(slot, Some(Slot { backing: Backing::File(..), .. }));
        let run = self.run(name, at, count)?;
        let files = run.iter().any(file);
        match self.may_unmap(name, at, count) {
            Err(Refused::Pinned) if files => Err(Refused::NotPrivate),
            Ok(()) if files => Err(Refused::NotPrivate),
            other => other,
        }
    }

    fn run(&self, name: Name, at: VirtPage, count: u32) -> Expected<&[Option<Slot>]> {
        let pages = &self.space(name).expect("oracle: the arena lives").pages;
        let run = pages.get(at.index()..at.index() + count as usize).ok_or(Refused::BadRange)?;
        if run.is_empty() { Err(Refused::BadRange) } else { Ok(run) }
    }

    pub(crate) fn map(&mut self, name: Name, what: Mapped, at: VirtPage, count: u32) {
        for offset in 0..count {
            let backing = match what {
                Mapped::Swap => Backing::Private(Contents::default()),
                Mapped::File(object, block) => Backing::File(object, BlockNo(block.0 + offset)),
            };
            let mapping = self.next_mapping();
            let page = (at.0 + offset) as usize;
            self.space_mut(name).pages[page] = Some(Slot { backing, mapping });
        }
    }

    pub(crate) fn unmap(&mut self, name: Name, at: VirtPage, count: u32) {
        self.space_mut(name).pages[at.index()..at.index() + count as usize].fill(None);
    }

    pub(crate) fn discard(&mut self, name: Name, at: VirtPage, count: u32) {
        let run = &mut self.space_mut(name).pages[at.index()..at.index() + count as usize];
        for slot in run.iter_mut().flatten() {
            slot.backing = Backing::Private(Contents::default());
        }
    }

    /// The word a load must return.
    pub(crate) fn load(&self, slot: Slot, word: u8) -> u64 {
        match slot.backing {
            Backing::Private(contents) => contents[usize::from(word)],
            Backing::File(object, block) => {
                // Past the end nothing can be read, so nothing can be compared.
                let file = &self.files[object.index()];
                file.get(block.index()).map_or(u64::MAX, |contents| contents[usize::from(word)])
            }
        }
    }

    /// Stores a new stamp in one word; the stamp.
    pub(crate) fn store(&mut self, name: Name, page: VirtPage, word: u8) -> u64 {
        self.stamp += 1;
        let stamp = self.stamp;
        let slot = self.space_mut(name).pages[page.index()].as_mut();
        match &mut slot.expect("oracle: the page is mapped").backing {
            Backing::Private(contents) => contents[usize::from(word)] = stamp,
            &mut Backing::File(object, block) => {
                self.files[object.index()][block.index()][usize::from(word)] = stamp;
            }
        }
        stamp
    }

    /// Every word of every page and file.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        let private = |slot: &Slot| match slot.backing {
            Backing::Private(contents) => Some(contents),
            Backing::File(..) => None,
        };
        let spaces = self.spaces.iter().flatten();
        let pages = spaces.flat_map(move |space| space.pages.iter().flatten().filter_map(private).flatten());
        pages.chain(self.files.iter().flatten().flatten().copied())
    }

    /// Whether a page holds a block no file has.
    pub(crate) fn beyond_the_end(&self, slot: Slot) -> bool {
        match slot.backing {
            Backing::Private(_) => false,
            Backing::File(object, block) => block.index() + 1 >= self.files[object.index()].len(),
        }
    }

    pub(crate) fn pin(&mut self, name: Name, page: VirtPage, frame: FrameNo) {
        let pins = &mut self.space_mut(name).pins;
        match pins.iter_mut().find(|pin| pin.page == page) {
            Some(pin) => {
                assert!(pin.frame == frame, "oracle: a pinned page changed its frame");
                pin.count += 1;
            }
            None => pins.push(PinRecord { page, frame, count: 1 }),
        }
    }

    /// Takes a pin off. Whether there was one.
    pub(crate) fn unpin(&mut self, name: Name, page: VirtPage) -> bool {
        let pins = &mut self.space_mut(name).pins;
        let Some(index) = pins.iter().position(|pin| pin.page == page) else { return false };
        pins[index].count -= 1;
        if pins[index].count == 0 {
            pins.remove(index);
        }
        true
    }
}

impl Space {
    fn private(&self) -> u32 {
        let private = |slot: &&Option<Slot>| matches!(slot, Some(Slot { backing: Backing::Private(_), .. }));
        u32::try_from(self.pages.iter().filter(private).count()).expect("few pages")
    }
}
