//! How fast lackey traces are read: plain, zstd, gzip.

use crate::{Outcome, timed};
use mager_trace::{Batch, Options, Random, Reader};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

const LINES: u64 = 100_000_000;

/// A trace like a program's: instructions in a row with jumps, loads and stores over a heap and a stack.
fn make(path: &Path) -> Outcome<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut random = Random::new(1);
    let mut pc = 0x0049_9870_u64;
    for _ in 0..LINES {
        match random.below(10) {
            0..2 => writeln!(out, " L {:08x},8", 0x0520_0000 + random.below(1 << 20) * 8)?,
            2 => writeln!(out, " S {:08x},8", 0x1f_fefe_0000 + random.below(1 << 12) * 8)?,
            3 => {
                pc = 0x0040_0000 + random.below(1 << 16) * 16;
                writeln!(out, "I  {pc:08x},5")?;
            }
            _ => {
                pc += 3;
                writeln!(out, "I  {pc:08x},3")?;
            }
        }
    }
    Ok(out.flush()?)
}

fn compressed(path: &Path, program: &str, extension: &str) -> Outcome<PathBuf> {
    let to = PathBuf::from(format!("{}.{extension}", path.display()));
    if !to.exists() && !Command::new(program).arg("-k").arg(path).status()?.success() {
        return Err(format!("{program} failed").into());
    }
    Ok(to)
}

/// Times all three.
pub(crate) fn measure(dir: &Path) -> Outcome<()> {
    let plain = dir.join("bench.lackey");
    if !plain.exists() {
        make(&plain)?;
    }
    let zstd = compressed(&plain, "zstd", "zst")?;
    let gzip = compressed(&plain, "gzip", "gz")?;
    for (name, path) in [("plain", plain), ("zstd", zstd), ("gzip", gzip)] {
        let (_, seconds) = timed(|| {
            let mut reader = Reader::open(&path, &Options::default())?;
            let (mut batch, mut accesses) = (Batch::default(), 0);
            while reader.next_batch(&mut batch)? {
                accesses += batch.len() as u64;
            }
            Ok(accesses)
        })?;
        println!("lackey {name:6} {:8.1} million lines/s", LINES as f64 / 1e6 / seconds);
    }
    Ok(())
}
