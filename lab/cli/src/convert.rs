//! `mager lab convert`: a trace in another format.

use crate::{LabError, input::Input, interrupt};
use clap::Args;
use mager_lab::{Access, Interner, next_accesses};
use mager_trace::{Batch, Output, Reader, Writer};
use std::path::PathBuf;

/// Arguments of `convert`.
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// The trace to read.
    from: PathBuf,
    /// The trace to write: libCacheSim's oracleGeneral, or text if the name ends in .txt; compressed if it ends in
    /// .gz or .zst.
    to: PathBuf,
    #[command(flatten)]
    input: Input,
}

/// Carries it out. Records hold the next access, so they need the whole trace first; text does not.
pub(crate) fn run(args: &ConvertArgs) -> Result<(), LabError> {
    let format = Output::by_name(&args.to);
    let mut reader = Reader::open(&args.from, &args.input.options())?;
    let mut writer = Writer::create(&args.to, format)?;
    let (mut batch, mut interner, mut all) = (Batch::default(), Interner::new(), Vec::new());
    let mut accesses = 0;
    while !interrupt::stopped() && reader.next_batch(&mut batch)? {
        accesses += batch.len() as u64;
        if format == Output::Plain {
            let pairs = batch.pages.iter().zip(&batch.writes);
            pairs.into_iter().try_for_each(|(&page, &write)| writer.push(page, write, None))?;
        } else {
            interner.intern(&batch.pages, &batch.writes, &mut all);
        }
    }
    with_future(&interner, &all, &mut writer, || Ok(()))?;
    writer.finish()?;
    args.input.check(&args.from, accesses, reader.bad())
}

/// Accesses between two looks whether to go on.
const LOT: usize = 1 << 16;

/// Writes accesses with the numbers of the next ones, as long as `go_on`.
pub(crate) fn with_future(
    interner: &Interner,
    all: &[Access],
    writer: &mut Writer,
    go_on: impl Fn() -> Result<(), LabError>,
) -> Result<(), LabError> {
    let next = next_accesses(all, interner.len());
    for (accesses, next) in all.chunks(LOT).zip(next.chunks(LOT)) {
        go_on()?;
        for (access, &next) in accesses.iter().zip(next) {
            let next = (next != u32::MAX).then_some(u64::from(next));
            writer.push(interner.key(access.page()), access.write(), next)?;
        }
    }
    Ok(())
}
