//! The swap file beside preads, pwrites and a bare ring on a file like it.

use crate::sys::BareRing;
use crate::{Count, Random, row};
use mager_stores::{
    Backing, BufferNo, Buffers, EngineKind, Home, Options, StoreError, SwapOptions, SwapPlace,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const BLOCKS: u32 = 128 * 1024;
const DEPTH: usize = 32;

pub fn rows(dir: &Path) {
    let bare = Bare::new(dir);
    let mut random = Random(0xD1CE);
    for engine in [EngineKind::Uring, EngineKind::Pool(16)] {
        let mut world = World::new(dir, engine);
        let name = |what: &str| format!("{what}, {engine:?}");
        let picks: Vec<u32> = (0..2000).map(|_| random.below(BLOCKS)).collect();
        row(
            &name("read one at a time"),
            Count::Wall,
            2000,
            || world.one_by_one(&picks),
            || bare.preads(&picks),
        );
        let picks: Vec<u32> = (0..16_000).map(|_| random.below(BLOCKS / 2) * 2).collect();
        let mut ring = BareRing::new(DEPTH);
        row(
            &name("read, 32 in flight"),
            Count::Wall,
            16_000,
            || world.many(&picks, false),
            || ring.run(&bare.file, &picks, false),
        );
        row(
            &name("write, 32 in flight"),
            Count::Wall,
            16_000,
            || world.many(&picks, true),
            || ring.run(&bare.file, &picks, true),
        );
        row(
            &name("write, neighbours joined (bare: pwrite of 256 KiB)"),
            Count::Wall,
            16_384,
            || world.stream(16_384),
            || bare.stream(),
        );
    }
}

/// A file like the swap file, written once from end to end.
struct Bare {
    file: File,
    chunk: Buffers,
}

impl Bare {
    fn new(dir: &Path) -> Self {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::DIRECT;
        let file = File::from(rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR).unwrap());
        let mut chunk = Buffers::new(65536, 4).unwrap();
        (0..4).for_each(|_| {
            let part = chunk.take().unwrap();
            chunk.bytes_mut(part).fill(0xC3);
        });
        let bare = Bare { file, chunk };
        let quarter = bare.chunk.bytes(BufferNo(0));
        (0..u64::from(BLOCKS) / 16).for_each(|at| bare.file.write_all_at(quarter, at * 65536).unwrap());
        bare
    }

    fn preads(&self, picks: &[u32]) {
        let mut buffers = Buffers::new(4096, 1).unwrap();
        let buffer = buffers.take().unwrap();
        for &block in picks {
            self.file.read_exact_at(buffers.bytes_mut(buffer), u64::from(block) * 4096).unwrap();
        }
    }

    /// 64 MiB in pieces of 256 KiB.
    fn stream(&self) {
        let parts: Vec<_> = (0..4).map(|no| self.chunk.bytes(BufferNo(no))).collect();
        for piece in 0..256u64 {
            let parts = [parts[0], parts[1], parts[2], parts[3]].map(std::io::IoSlice::new);
            let written = rustix::io::pwritev(&self.file, &parts, piece << 18).unwrap();
            assert_eq!(written, 1 << 18);
        }
    }
}

struct World {
    backing: Backing,
    buffers: Buffers,
    /// Which block each buffer's job is for.
    busy: Vec<bool>,
    blocks: Vec<u32>,
}

impl World {
    fn new(dir: &Path, engine: EngineKind) -> Self {
        let swap = Some(SwapOptions { place: SwapPlace::Unnamed(dir.to_owned()), blocks: BLOCKS });
        let backing = Backing::new(Options { swap, engine, ..Options::new(4096) }).unwrap();
        let mut buffers = Buffers::new(4096, 128).unwrap();
        let mut random = Random(3);
        for _ in 0..128 {
            let buffer = buffers.take().unwrap();
            buffers
                .bytes_mut(buffer)
                .chunks_mut(8)
                .for_each(|it| it.copy_from_slice(&random.next().to_le_bytes()));
        }
        let mut world = World { backing, buffers, busy: vec![false; BLOCKS as usize], blocks: vec![0; 128] };
        world.stream(BLOCKS);
        world
    }

    fn begin(&mut self, buffer: BufferNo, block: u32, write: bool) {
        self.busy[block as usize] = true;
        self.blocks[buffer.0 as usize] = block;
        if write {
            self.backing.write(buffer.0, Home::Swap(block), buffer, &mut self.buffers);
        } else {
            self.backing.read(buffer.0, Home::Swap(block), buffer, &mut self.buffers);
        }
    }

    /// The next answer, waiting for it as a pager does.
    fn answer(&mut self) -> BufferNo {
        loop {
            if let Some(done) = self.backing.finished() {
                Self::fine(done.result);
                self.busy[self.blocks[done.tag as usize] as usize] = false;
                return BufferNo(done.tag);
            }
            let fd = self.backing.wait_fd().unwrap();
            poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
        }
    }

    fn fine(result: Result<(), StoreError>) {
        result.unwrap();
    }

    fn one_by_one(&mut self, picks: &[u32]) {
        for &block in picks {
            self.begin(BufferNo(0), block, false);
            self.backing.submit(&mut self.buffers);
            self.answer();
        }
    }

    /// Always 32 on their way; even blocks only, so that nothing is joined.
    fn many(&mut self, picks: &[u32], write: bool) {
        let mut free: Vec<BufferNo> = (0..32).map(BufferNo).collect();
        for &block in picks {
            while free.is_empty() || self.busy[block as usize] {
                self.backing.submit(&mut self.buffers);
                free.push(self.answer());
                // Whatever else is there already is taken too, and the next submit serves several.
                while let Some(done) = self.backing.finished() {
                    Self::fine(done.result);
                    self.busy[self.blocks[done.tag as usize] as usize] = false;
                    free.push(BufferNo(done.tag));
                }
            }
            let buffer = free.pop().unwrap();
            self.begin(buffer, block, write);
        }
        self.drain();
    }

    /// Blocks in order, 64 at a time, as a pager evicts.
    fn stream(&mut self, blocks: u32) {
        for start in (0..blocks).step_by(64) {
            (0..64).for_each(|n| self.begin(BufferNo(n), start + n, true));
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.backing.submit(&mut self.buffers);
        while self.backing.in_flight() > 0 {
            self.answer();
        }
    }
}
