//! `mager lab generate`: synthetic traces.

use crate::{LabError, convert::with_future, interrupt};
use clap::{Args, ValueEnum};
use mager_lab::Interner;
use mager_trace::{Batch, Load, Output, Writer, generate};
use std::path::{Path, PathBuf};

/// Kinds of load.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Kind {
    /// Some pages much hotter than others.
    Zipf,
    /// Every page in turn, again and again.
    Scan,
    /// Rounds over a part of the pages, now and then over all of them.
    Loop,
    /// Uniform within a window that jumps.
    Phases,
    /// Zipf with a scan among it.
    Mix,
}

/// Arguments of `generate`.
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// The kind of load.
    kind: Kind,
    /// Where to; text if the name ends in .txt, else libCacheSim's oracleGeneral; .gz and .zst compress.
    #[arg(short, long)]
    output: PathBuf,
    /// Pages.
    #[arg(long, default_value_t = 100_000)]
    pages: u32,
    /// Accesses.
    #[arg(long, default_value_t = 1_000_000)]
    accesses: u64,
    /// The same seed makes the same trace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of accesses that write, from 0 to 1 (kept by text only: oracleGeneral has no place for it).
    #[arg(long, default_value_t = 0.0)]
    writes: f64,
    /// Exponent of the zipf distribution.
    #[arg(long, default_value_t = 1.0)]
    skew: f64,
    /// Share of the pages in the inner loop or the window.
    #[arg(long, default_value_t = 0.1)]
    part: f64,
    /// Inner rounds for each outer one (loop).
    #[arg(long, default_value_t = 10)]
    rounds: u64,
    /// Accesses until the window jumps (phases).
    #[arg(long, default_value_t = 100_000)]
    length: u64,
    /// Share of accesses that belong to the scan (mix).
    #[arg(long, default_value_t = 0.2)]
    scan: f64,
}

/// Carries it out. A trace that was begun and is not whole is of no use to anybody: it goes.
pub(crate) fn run(args: &GenerateArgs) -> Result<(), LabError> {
    interrupt::flag();
    let written = write(args);
    if let Err(LabError::NotWritten(path)) = &written {
        remove(path)?;
    }
    written
}

/// Not a device or a pipe, where part of it has been read already.
fn remove(path: &Path) -> Result<(), LabError> {
    // A link to a file stays, the file goes.
    let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if !file.is_file() {
        return Ok(());
    }
    std::fs::remove_file(&file).map_err(|source| LabError::Write { path: file, source })
}

fn write(args: &GenerateArgs) -> Result<(), LabError> {
    let go_on = || {
        if interrupt::stopped() { Err(LabError::NotWritten(args.output.clone())) } else { Ok(()) }
    };
    let load = match args.kind {
        Kind::Zipf => Load::Zipf { skew: args.skew },
        Kind::Scan => Load::Scan,
        Kind::Loop => Load::Loop { part: args.part, rounds: args.rounds },
        Kind::Phases => Load::Phases { part: args.part, length: args.length },
        Kind::Mix => Load::Mix { skew: args.skew, scan: args.scan },
    };
    let format = Output::by_name(&args.output);
    let mut writer = Writer::create(&args.output, format)?;
    let (mut interner, mut all) = (Interner::new(), Vec::new());
    generate(&load, args.pages, args.accesses, args.writes, args.seed, |batch: &Batch| {
        go_on()?;
        if format == Output::OracleGeneral {
            interner.intern(&batch.pages, &batch.writes, &mut all);
            return Ok::<(), LabError>(());
        }
        let mut pairs = batch.pages.iter().zip(&batch.writes);
        Ok(pairs.try_for_each(|(&page, &write)| writer.push(page, write, None))?)
    })?;
    with_future(&interner, &all, &mut writer, go_on)?;
    Ok(writer.finish()?)
}
