//! What a random direct read of 4 KiB costs: alone, many in flight, by blocking readers.

use super::Floor;
use crate::args::FloorJob;
use crate::error::{At, Failure};
use crate::sys::{self, Page};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::Instant;

const DEPTH: u32 = 32;
pub(crate) const READERS: u64 = 8;
/// Reads of each reader that waits for each read, and of the one that does not.
const FEW: usize = 10_000;
const MANY: usize = 100_000;

/// Microseconds for a read.
pub(super) fn measure(job: &FloorJob) -> Result<f64, Failure> {
    let path = &job.file;
    let (file, blocks) = open(path)?;
    let start = Instant::now();
    let reads = match job.floor {
        Floor::Read32 => sys::read_deep(&file, &mut random(1, blocks).take(MANY), DEPTH).map(|()| MANY),
        Floor::Readers8 => together(&file, blocks, FEW),
        _ => one_by_one(&file, 1, blocks, FEW),
    };
    Ok(start.elapsed().as_secs_f64() * 1e6 / reads.at(path)? as f64)
}

/// With how many blocks it has.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let file = File::options().read(true).custom_flags(libc::O_DIRECT).open(path).at(path)?;
    let blocks = file.metadata().at(path)?.len() / 4096;
    Ok((file, blocks))
}

/// Random blocks of a file.
pub(super) struct Blocks<'a> {
    path: &'a Path,
    file: File,
    count: u64,
    random: SmallRng,
}

impl<'a> Blocks<'a> {
    pub(super) fn of(path: &'a Path) -> Result<Self, Failure> {
        let (file, count) = open(path)?;
        Ok(Blocks { path, file, count, random: SmallRng::seed_from_u64(1) })
    }

    pub(super) fn read(&mut self, into: &mut Page) -> Result<(), Failure> {
        let block = self.random.random_range(0..self.count);
        self.file.read_exact_at(&mut into.0, block * 4096).at(self.path)
    }
}

fn random(seed: u64, blocks: u64) -> impl Iterator<Item = u64> {
    let mut random = SmallRng::seed_from_u64(seed);
    std::iter::repeat_with(move || random.random_range(0..blocks))
}

fn one_by_one(file: &File, seed: u64, blocks: u64, reads: usize) -> io::Result<usize> {
    let mut page = Page([0; 4096]);
    for block in random(seed, blocks).take(reads) {
        file.read_exact_at(&mut page.0, block * 4096)?;
    }
    Ok(reads)
}

/// Readers that block, `reads` of each, over the first `blocks` of a file open for direct reading. How many reads.
pub(crate) fn together(file: &File, blocks: u64, reads: usize) -> io::Result<usize> {
    thread::scope(|scope| {
        let readers: Vec<_> =
            (0..READERS).map(|seed| scope.spawn(move || one_by_one(file, seed, blocks, reads))).collect();
        readers.into_iter().try_fold(0, |all, reader| match reader.join() {
            Ok(reads) => Ok(all + reads?),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
