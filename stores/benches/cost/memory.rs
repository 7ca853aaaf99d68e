//! Compressed memory beside the bare compressor and beside copying.

use crate::{Count, Random, row};
use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into};
use mager_stores::{Backing, BufferNo, Buffers, EngineKind, Home, Options, SwapOptions, SwapPlace};
use std::hint::black_box;

const PAGES: u32 = 512;

struct Side {
    name: &'static str,
    pages: Vec<Vec<u8>>,
}

fn sides() -> Vec<Side> {
    let mut random = Random(0x9E37_79B9);
    let mut make = |fill: &mut dyn FnMut(&mut Random, usize, &mut [u8])| {
        let page = |_| {
            let mut page = vec![0u8; 4096];
            page.chunks_mut(8).enumerate().for_each(|(at, it)| fill(&mut random, at, it));
            page
        };
        (0..PAGES).map(page).collect::<Vec<_>>()
    };
    let half = make(&mut |random, at, it| {
        if at < 256 {
            it.copy_from_slice(&random.next().to_le_bytes());
        }
    });
    let mixed = make(&mut |random, at, it| {
        it[..3].copy_from_slice(&random.next().to_le_bytes()[..3]);
        it[3] = u8::try_from(at % 200).unwrap();
    });
    let noise = make(&mut |random, _, it| it.copy_from_slice(&random.next().to_le_bytes()));
    let word = make(&mut |_, _, it| it.fill(7));
    let side = |name, pages| Side { name, pages };
    vec![side("half zeros", half), side("records", mixed), side("noise", noise), side("one word", word)]
}

pub fn rows() {
    for side in sides() {
        let mut world = World::new(&side.pages);
        let mut bare = Bare::new(&side.pages);
        let name = |what: &str| format!("{what}, {} (bare: lz4)", side.name);
        row(&name("write to compressed memory"), Count::Thread, PAGES, || world.write(), || bare.compress());
        row(
            &name("read from compressed memory"),
            Count::Thread,
            PAGES,
            || world.read(),
            || bare.decompress(),
        );
        let figures = world.backing.figures();
        if let (true, Some(ratio)) = (figures.packed_pages > 0, figures.ratio()) {
            println!("    ratio {ratio:.2}, all overhead counted; bytes of lz4 alone {:.2}", bare.ratio());
        }
    }
}

struct World {
    backing: Backing,
    buffers: Buffers,
    taken: Vec<BufferNo>,
    into: BufferNo,
}

impl World {
    fn new(pages: &[Vec<u8>]) -> Self {
        let swap = Some(SwapOptions { place: SwapPlace::Nowhere, blocks: PAGES });
        let options =
            Options { swap, compressed: Some(8 << 20), engine: EngineKind::Inline, ..Options::new(4096) };
        let backing = Backing::new(options).unwrap();
        let mut buffers = Buffers::new(4096, pages.len() + 1).unwrap();
        let into = buffers.take().unwrap();
        let mut taken = Vec::new();
        for page in pages {
            let buffer = buffers.take().unwrap();
            buffers.bytes_mut(buffer).copy_from_slice(page);
            taken.push(buffer);
        }
        World { backing, buffers, taken, into }
    }

    fn write(&mut self) {
        for (block, &buffer) in (0..).zip(&self.taken) {
            self.backing.write(block, Home::Swap(block), buffer, &mut self.buffers);
            self.backing.finished().unwrap().result.unwrap();
        }
    }

    fn read(&mut self) {
        for block in 0..PAGES {
            self.backing.read(block, Home::Swap(block), self.into, &mut self.buffers);
            self.backing.finished().unwrap().result.unwrap();
        }
    }
}

struct Bare<'a> {
    pages: &'a [Vec<u8>],
    packed: Vec<(Vec<u8>, usize)>,
    table: CompressTable,
    page: Vec<u8>,
}

impl<'a> Bare<'a> {
    fn new(pages: &'a [Vec<u8>]) -> Self {
        let packed = pages.iter().map(|_| (vec![0; 8192], 0)).collect();
        Bare { pages, packed, table: CompressTable::small(), page: vec![0; 4096] }
    }

    fn compress(&mut self) {
        for (page, (packed, length)) in self.pages.iter().zip(&mut self.packed) {
            *length = compress_into_with_table(page, packed, &mut self.table).unwrap();
        }
    }

    fn decompress(&mut self) {
        for (packed, length) in &self.packed {
            decompress_into(&packed[..*length], &mut self.page).unwrap();
            black_box(&self.page);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    fn ratio(&self) -> f64 {
        let packed: usize = self.packed.iter().map(|(_, length)| length).sum();
        (self.pages.len() * 4096) as f64 / packed as f64
    }
}
