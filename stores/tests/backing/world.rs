//! A backing with its buffers, and a model that knows what every block must hold.

use mager_stores::{
    Backing, BufferNo, Buffers, EngineKind, Home, Options, StoreError, SwapOptions, SwapPlace,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;

pub const ENGINES: [EngineKind; 3] = [EngineKind::Inline, EngineKind::Pool(4), EngineKind::Uring];

/// xorshift64*.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) * limit) >> 32
    }
}

/// What version `version` of a page is: zeros or a double word, a word, half compressible or random, by turns.
pub fn contents(version: u64, page_size: usize) -> Vec<u8> {
    let mut random = Random(version.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let word = random.below(1 << 31).to_le_bytes();
    let mut page = vec![0; page_size];
    match version % 5 {
        0 if version % 10 == 5 => {
            let double = random.below(1 << 31) << 32 | random.below(1 << 31);
            page.chunks_mut(8).for_each(|it| it.copy_from_slice(&double.to_le_bytes()));
        }
        0 => {}
        1 => page.chunks_mut(4).for_each(|it| it.copy_from_slice(&word[..4])),
        2 => page.chunks_mut(8).for_each(|it| it.copy_from_slice(&random.below(1 << 31).to_le_bytes())),
        3 => {
            let half = page_size / 2;
            page[..half]
                .chunks_mut(4)
                .for_each(|it| it.copy_from_slice(&random.below(1 << 31).to_le_bytes()[..4]));
        }
        _ => page.chunks_mut(4).for_each(|it| {
            it.copy_from_slice(&(random.below(1 << 32)).to_le_bytes()[..4]);
        }),
    }
    page
}

struct Flight {
    home: Home,
    buffer: BufferNo,
    reads: bool,
}

pub struct World {
    pub backing: Backing,
    pub buffers: Buffers,
    flights: HashMap<u32, Flight>,
    /// Which version each home has; 0 (zeros) if none was written.
    versions: HashMap<Home, u64>,
    next_version: u64,
    next_tag: u32,
    /// Errors told so far.
    pub errors: Vec<StoreError>,
}

pub fn swap(page_size: usize, place: SwapPlace, blocks: u32, engine: EngineKind) -> Options {
    Options { swap: Some(SwapOptions { place, blocks }), engine, ..Options::new(page_size) }
}

impl World {
    pub fn new(options: Options) -> Self {
        let buffers = Buffers::new(options.page_size, 96).unwrap();
        World {
            backing: Backing::new(options).unwrap(),
            buffers,
            flights: HashMap::new(),
            versions: HashMap::new(),
            next_version: 1,
            next_tag: 0,
            errors: Vec::new(),
        }
    }

    pub fn busy(&self, home: Home) -> bool {
        self.flights.values().any(|flight| flight.home == home)
    }

    pub fn write(&mut self, home: Home) {
        let version = self.next_version;
        self.next_version += 1;
        self.write_version(home, version);
    }

    pub fn write_version(&mut self, home: Home, version: u64) {
        let buffer = self.buffers.take().unwrap();
        let page = contents(version, self.buffers.page_size());
        self.buffers.bytes_mut(buffer).copy_from_slice(&page);
        self.versions.insert(home, version);
        let tag = self.begin(home, buffer, false);
        self.backing.write(tag, home, buffer, &mut self.buffers);
    }

    pub fn read(&mut self, home: Home) {
        let buffer = self.buffers.take().unwrap();
        self.buffers.bytes_mut(buffer).fill(0xA5);
        let tag = self.begin(home, buffer, true);
        self.backing.read(tag, home, buffer, &mut self.buffers);
    }

    fn begin(&mut self, home: Home, buffer: BufferNo, reads: bool) -> u32 {
        assert!(!self.busy(home));
        let tag = self.next_tag;
        self.next_tag += 1;
        self.flights.insert(tag, Flight { home, buffer, reads });
        tag
    }

    pub fn release(&mut self, block: u32) {
        self.backing.release(block);
        self.versions.remove(&Home::Swap(block));
    }

    pub fn submit(&mut self) {
        self.backing.submit(&mut self.buffers);
    }

    /// Fetches the answers there are; each read must have brought the version its home has.
    pub fn fetch(&mut self) -> usize {
        let mut count = 0;
        while let Some(done) = self.backing.finished() {
            let flight = self.flights.remove(&done.tag).expect("each job is answered once");
            assert!(!self.buffers.in_flight(flight.buffer));
            match done.result {
                Ok(()) if flight.reads => self.compare(&flight),
                Ok(()) => {}
                Err(error) => self.errors.push(error),
            }
            self.buffers.give(flight.buffer);
            count += 1;
        }
        count
    }

    fn compare(&self, flight: &Flight) {
        let version = self.versions.get(&flight.home).copied().unwrap_or(0);
        let expected = contents(version, self.buffers.page_size());
        let got = self.buffers.bytes(flight.buffer);
        assert!(got == expected, "{}: not version {version}", flight.home);
    }

    /// Submits, and waits until everything is answered.
    pub fn settle(&mut self) {
        self.submit();
        while self.fetch() > 0 || self.backing.in_flight() > 0 {
            self.wait();
        }
        assert_eq!((self.flights.len(), self.buffers.free()), (0, self.buffers.count()));
    }

    /// Waits for the descriptor; it must become readable, as something is in flight.
    fn wait(&self) {
        if self.backing.in_flight() == 0 {
            return;
        }
        let fd = self.backing.wait_fd().expect("an engine that takes its time can be waited for");
        let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&patience)).unwrap();
        assert_eq!(ready, 1, "nothing came for 20 seconds");
    }
}
