//! The swap space: which tier a block goes to, its checksum, and the spare blocks.

use super::room::Room;
use super::{Figures, Home, Options, Packed, SwapPlace, demotion};
use crate::checksum::checksum;
use crate::engine::OpenFile;
use crate::pack::{self, Damage, Pack, fill_same, same_filled};
use crate::place::{narrow, small, wide};
use crate::table::{MOST, Place, Table};
use crate::{OpenError, StoreError, SwapFile};
use rustix::fs::FallocateFlags;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Places of the swap file that may turn out bad before writing a block fails.
const SPARES: u32 = 64;
/// Places beside one for each block: those, and one for each page that leaves compressed memory and is written anew
/// meanwhile.
const BESIDES: u32 = SPARES + demotion::MOST;
/// Places that are free again are given back so many at a time.
const BATCH: usize = 256;

/// Where a page that was written is now, or has to go.
pub(super) enum Kept {
    InMemory,
    /// Into compressed memory, once it is packed.
    ToPack,
    Spilled(Arc<OpenFile>, u64),
}

/// A page on its way from compressed memory to the swap file.
pub(super) struct Leaving {
    /// Where it is in compressed memory, and where it will be in the file, with which checksum.
    pub(super) slot: u32,
    pub(super) at: u32,
    pub(super) sum: u32,
    pub(super) file: Arc<OpenFile>,
    pub(super) offset: u64,
}

#[derive(Debug)]
pub(super) struct Swap {
    page_size: usize,
    checksums: bool,
    table: Table,
    pack: Option<Pack>,
    file: Option<Arc<OpenFile>>,
    /// The file's name, which goes with it.
    path: Option<PathBuf>,
    /// Where in the file there is room.
    room: Room,
    /// Places that could not be written, and are not used any more.
    bad: u32,
    /// Is the room of released blocks given back? Not that of a preallocated file: its room is a promise.
    gives_back: bool,
    released: Vec<u32>,
    same_filled: u64,
    spilled: u64,
    demoted: u64,
}

impl Swap {
    pub(super) fn new(options: &Options) -> Result<Self, OpenError> {
        let blocks = options.swap.as_ref().map_or(0, |swap| swap.blocks);
        if blocks > MOST - BESIDES {
            let (asked, most) = (u64::from(blocks), u64::from(MOST - BESIDES));
            return Err(OpenError::TooMuch { what: "swap blocks", asked, most });
        }
        let pack = |bytes| Pack::new(options.page_size, bytes, options.checksums);
        let mut pack = options.compressed.map(pack).transpose()?;
        let (file, path) = open(options, u64::from(blocks + BESIDES))?.unzip();
        let places = if file.is_some() { blocks + BESIDES } else { 0 };
        // What hardly compresses would take as much room as it frees.
        if let (Some(pack), Some(_)) = (&mut pack, &file) {
            pack.keep_small_ones();
        }
        Ok(Swap {
            page_size: options.page_size,
            checksums: options.checksums,
            table: Table::new(blocks as usize),
            pack,
            file: file.map(Arc::new),
            path: path.flatten(),
            room: Room::new(places),
            bad: 0,
            gives_back: options.swap.as_ref().is_some_and(|swap| swap.place == SwapPlace::Memory),
            released: Vec::with_capacity(BATCH),
            same_filled: 0,
            spilled: 0,
            demoted: 0,
        })
    }

    /// Fills the page if it is in memory; else says where it is to be read.
    pub(super) fn read(
        &mut self,
        block: u32,
        into: &mut [u8],
    ) -> Result<Option<(Arc<OpenFile>, u64)>, StoreError> {
        match self.place(block)? {
            Place::Same(word) => fill_same(word, into),
            Place::File { at, .. } => return Ok(self.at(at)),
            place @ (Place::Packed { .. } | Place::Raw { .. }) => self.unpack(block, place, into)?,
        }
        Ok(None)
    }

    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn is_packed(&self, block: u32) -> bool {
        matches!(self.table.get(block), Some(Place::Packed { .. } | Place::Raw { .. }))
    }

    pub(super) fn is_in_memory(&self, block: u32) -> bool {
        !matches!(self.table.get(block), Some(Place::File { .. }))
    }

    fn unpack(&self, block: u32, place: Place, into: &mut [u8]) -> Result<(), StoreError> {
        let at = Home::Swap(block);
        let unpacked = self.pack.as_ref().map_or(Err(Damage::Unpack), |pack| pack.get(place, into));
        unpacked.map_err(|damage| match damage {
            Damage::Checksum { expected, found } => StoreError::Checksum { at, expected, found },
            Damage::Unpack => StoreError::Unpack { at },
        })
    }

    /// Keeps the page, if it is one word over and over; else says where it is to go.
    pub(super) fn write(&mut self, block: u32, page: &[u8]) -> Result<Kept, StoreError> {
        self.place(block)?;
        self.release(block);
        if let Some(word) = same_filled(page) {
            self.same_filled += 1;
            self.table.set(block, Place::Same(word));
            return Ok(Kept::InMemory);
        }
        match &self.pack {
            Some(pack) if pack.has_room() => Ok(Kept::ToPack),
            Some(_) | None => self.spill(block, page),
        }
    }

    /// Keeps a page in compressed memory, if there is room: as it was packed elsewhere, or packing it here and now.
    pub(super) fn keep(
        &mut self,
        block: u32,
        page: &[u8],
        packed: Option<&pack::Packed>,
    ) -> Result<Kept, StoreError> {
        let place = self.pack.as_mut().and_then(|pack| match packed {
            Some(packed) => pack.keep(block, page, packed, None),
            None => pack.put(block, page, None),
        });
        let Some(place) = place else { return self.spill(block, page) };
        self.table.set(block, place);
        Ok(Kept::InMemory)
    }

    fn spill(&mut self, block: u32, page: &[u8]) -> Result<Kept, StoreError> {
        let Some((at, file, offset)) = self.take() else {
            return Err(StoreError::Full { at: Home::Swap(block) });
        };
        self.spilled += u64::from(self.pack.is_some());
        self.table.set(block, Place::File { at, sum: self.sum(page) });
        Ok(Kept::Spilled(file, offset))
    }

    pub(super) fn release(&mut self, block: u32) {
        let Some(place) = self.table.get(block) else { return };
        if let Some(pack) = &mut self.pack {
            pack.free(place);
        }
        if let Place::File { at, .. } = place {
            self.give(at);
        }
        self.table.set(block, Place::Same(0));
    }

    /// A place of the file to write to.
    fn take(&mut self) -> Option<(u32, Arc<OpenFile>, u64)> {
        let at = self.room.take()?;
        let (file, offset) = self.at(at)?;
        Some((at, file, offset))
    }

    /// What is at this place of the file is not needed any more.
    fn give(&mut self, at: u32) {
        self.room.give(at);
        if self.gives_back {
            self.released.push(at);
        }
    }

    /// Whether pages are to leave compressed memory for the swap file, as room is short.
    #[inline]
    pub(super) fn is_short(&self) -> bool {
        self.pack.as_ref().is_some_and(|pack| pack.beyond_aim() > 0)
    }

    /// Those that are to leave, as many as `into` has room for: their blocks and their slots.
    pub(super) fn to_leave(&self, into: &mut Vec<(u32, u32)>) {
        let Some(pack) = self.pack.as_ref().filter(|_| self.is_short()) else { return };
        pack.oldest(pack.beyond_aim(), into);
        into.retain(|&(block, at)| self.slot(block) == Some(at));
    }

    fn slot(&self, block: u32) -> Option<u32> {
        match self.table.get(block)? {
            Place::Packed { at, .. } => Some(at),
            Place::Same(_) | Place::Raw { .. } | Place::File { .. } => None,
        }
    }

    /// Fills `page` with what is to be written to the swap file, and says where, and with which checksum. The page can be
    /// read, written and released meanwhile.
    pub(super) fn leave(&mut self, block: u32, page: &mut [u8]) -> Option<Leaving> {
        let (place, slot) = (self.place(block).ok()?, self.slot(block)?);
        if self.unpack(block, place, page).is_err() {
            // It is not chosen again.
            self.pack.as_mut()?.leaves(slot);
            return None;
        }
        let (at, file, offset) = self.take()?;
        self.pack.as_mut()?.leaves(slot);
        Some(Leaving { slot, at, sum: self.sum(page), file, offset })
    }

    /// The page is in the swap file, unless it could not be written there, or was released or written anew meanwhile.
    pub(super) fn left(&mut self, block: u32, slot: u32, (at, sum): (u32, u32), written: bool) {
        let same = self.slot(block) == Some(slot);
        match self.pack.as_mut().filter(|pack| same && pack.is_leaving(slot, block)) {
            Some(pack) if written => {
                pack.free(Place::Packed { at: slot, sum });
                self.demoted += 1;
                return self.table.set(block, Place::File { at, sum });
            }
            Some(pack) => pack.stays(slot),
            None => {}
        }
        self.give(at);
    }

    pub(super) fn verify(&self, block: u32, page: &[u8]) -> Result<(), StoreError> {
        let Ok(Place::File { sum: expected, .. }) = self.place(block) else { return Ok(()) };
        let found = self.sum(page);
        let at = Home::Swap(block);
        if found == expected { Ok(()) } else { Err(StoreError::Checksum { at, expected, found }) }
    }

    /// Gives the block another place in the file, because writing it where it was failed: that place is not used again.
    pub(super) fn move_to_spare(&mut self, block: u32) -> Option<u64> {
        let Ok(Place::File { sum, .. }) = self.place(block) else { return None };
        if self.bad == SPARES {
            return None;
        }
        let (at, _, offset) = self.take()?;
        self.bad += 1;
        self.table.set(block, Place::File { at, sum });
        Some(offset)
    }

    /// Whether there are enough of them for [`Swap::give_back`].
    pub(super) fn gives_back(&self) -> bool {
        self.released.len() >= BATCH
    }

    /// Gives the room of places that are free back, a batch at a time.
    pub(super) fn give_back(&mut self) {
        if !self.gives_back() {
            return;
        }
        let mut released = std::mem::take(&mut self.released);
        // Some were written again meanwhile, or are about to be.
        released.retain(|&at| self.room.is_free(at));
        released.sort_unstable();
        released.dedup();
        for run in released.chunk_by(|a, b| a + 1 == *b) {
            self.punch(run[0], run.len());
        }
        released.clear();
        self.released = released;
    }

    fn punch(&self, at: u32, count: usize) {
        if let Some(open) = &self.file {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let (offset, length) = (self.offset(at), wide(count * self.page_size));
            // A hole that could not be made costs memory and nothing else.
            let _ = rustix::fs::fallocate(&open.file, flags, offset, length);
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |open| open.file.sync_data())
    }

    pub(super) fn packed(&self) -> Option<Packed> {
        self.pack.as_ref().map(|pack| Packed {
            budget: wide(pack.budget()),
            used: wide(pack.used()),
            step: wide(pack.step()),
        })
    }

    pub(super) fn grant_packed(&mut self, bytes: u64) -> u64 {
        let Some(pack) = &mut self.pack else { return 0 };
        wide(pack.grant(narrow(bytes)))
    }

    pub(super) fn aim_packed(&mut self, bytes: u64) {
        if let Some(pack) = &mut self.pack {
            pack.aim(narrow(bytes));
        }
    }

    /// Adds what is counted here.
    pub(super) fn figures(&self, of_backing: Figures) -> Figures {
        let pack = self.pack.as_ref();
        Figures {
            page_size: wide(self.page_size),
            packed_pages: pack.map_or(0, |pack| pack.pages),
            packed_bytes: pack.map_or(0, |pack| wide(pack.used())),
            packed_budget: pack.map_or(0, |pack| wide(pack.budget())),
            incompressible: pack.map_or(0, |pack| pack.incompressible),
            same_filled: self.same_filled,
            spilled: self.spilled,
            demoted: self.demoted,
            bad_blocks: u64::from(self.bad),
            spare_blocks: if self.file.is_some() { u64::from(SPARES - self.bad) } else { 0 },
            ..of_backing
        }
    }

    pub(super) fn describe(&self) -> String {
        let file = match &self.file {
            None => "no swap file",
            Some(open) if open.direct => "swap file, direct",
            Some(_) => "swap file through the page cache",
        };
        let pack = self.pack.as_ref();
        let pack =
            pack.map_or(String::new(), |pack| format!("{} bytes of compressed memory, ", pack.budget()));
        format!("{} swap blocks of {} bytes, {pack}{file}", self.table.blocks(), self.page_size)
    }

    fn place(&self, block: u32) -> Result<Place, StoreError> {
        let blocks = small(self.table.blocks());
        self.table.get(block).ok_or(StoreError::NoBlock { at: Home::Swap(block), blocks })
    }

    fn at(&self, place: u32) -> Option<(Arc<OpenFile>, u64)> {
        self.file.as_ref().map(|file| (Arc::clone(file), self.offset(place)))
    }

    fn offset(&self, place: u32) -> u64 {
        u64::from(place) * wide(self.page_size)
    }

    fn sum(&self, page: &[u8]) -> u32 {
        if self.checksums { checksum(page) } else { 0 }
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // If it cannot be removed it stays, which the next start says.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file that is open, and its name if it has one.
type Named = (OpenFile, Option<PathBuf>);

fn open(options: &Options, blocks: u64) -> Result<Option<Named>, OpenError> {
    let Some(swap) = &options.swap else { return Ok(None) };
    let file = match &swap.place {
        SwapPlace::Path(path, existing) => SwapFile::create(path, options.page_size, blocks, *existing)?,
        SwapPlace::Unnamed(dir) => SwapFile::unnamed(dir, options.page_size, blocks)?,
        SwapPlace::Memory => SwapFile::in_memory(options.page_size, blocks)?,
        SwapPlace::Nowhere => return Ok(None),
    };
    let direct = file.direct();
    let (file, path) = file.into_parts();
    Ok(Some((OpenFile { file, direct }, path)))
}
