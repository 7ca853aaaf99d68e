//! `mager lab stats`: what a trace is like.

use crate::{
    LabError,
    curve::{Picture, picture, write},
    input::Input,
    interrupt,
    progress::Progress,
};
use clap::Args;
use mager_lab::{Chart, Line, Observer, Scale, Stats, bytes_text, page, stream};
use std::{fmt::Write, path::PathBuf};

/// Arguments of `stats`.
#[derive(Args, Debug)]
pub struct StatsArgs {
    /// The trace.
    trace: PathBuf,
    /// Accesses in a window of the working set [default: a 256th of the trace].
    #[arg(long)]
    window: Option<u64>,
    /// Draw the working set over time (.svg, .html, .csv).
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    input: Input,
}

/// Carries it out.
pub(crate) fn run(args: &StatsArgs) -> Result<(), LabError> {
    let kind = args.output.as_deref().map(picture).transpose()?;
    let stats = observe(args)?;
    print!("{}", text(&stats, args.input.page_size()));
    if let (Some(kind), Some(path)) = (kind, &args.output) {
        let drawn = match kind {
            Picture::Csv => csv(&stats),
            Picture::Svg => chart(args, &stats).svg(),
            Picture::Html => page(&chart(args, &stats)),
        };
        write(path, &drawn)?;
    }
    Ok(())
}

/// Windows of a given length need one pass; a part of the trace needs its length first.
fn observe(args: &StatsArgs) -> Result<Stats, LabError> {
    if let Some(window) = args.window {
        let mut observer = Observer::new(window.max(1).saturating_mul(256));
        let mut progress = Progress::new("reading");
        let mut accesses = 0;
        let (_, bad) = stream(&args.trace, &args.input.options(), |batch| {
            observer.run(batch);
            accesses += batch.len() as u64;
            progress.count(accesses);
            !interrupt::stopped()
        })?;
        drop(progress);
        args.input.check(&args.trace, accesses, bad)?;
        return Ok(observer.finish());
    }
    let trace = args.input.load(&args.trace)?;
    let mut observer = Observer::new(trace.accesses.len() as u64);
    observer.run(&trace.accesses);
    Ok(observer.finish())
}

#[expect(clippy::cast_precision_loss, reason = "shares for people")]
fn text(stats: &Stats, page_size: u64) -> String {
    let accesses = stats.distances.accesses;
    let share = |part: u64| 100.0 * part as f64 / accesses.max(1) as f64;
    let memory = |pages: u64| bytes_text(pages * page_size);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "accesses        {accesses}, of which {:.1}% write", share(stats.writes));
    let _ = writeln!(out, "footprint       {} pages = {}", stats.pages, memory(u64::from(stats.pages)));
    let _ = writeln!(out, "written         {} pages = {}", stats.written, memory(u64::from(stats.written)));
    let _ = writeln!(out, "first accesses  {:.4}% of all", share(stats.distances.cold));
    let most = stats.windows.iter().map(|window| window.pages).max().unwrap_or(0);
    let mean: u64 = stats.windows.iter().map(|window| u64::from(window.pages)).sum::<u64>()
        / stats.windows.len().max(1) as u64;
    let _ = writeln!(
        out,
        "working set     {} on average, {} at most, in windows of {} accesses",
        memory(mean),
        memory(u64::from(most)),
        stats.window
    );
    let _ = writeln!(
        out,
        "\nreuse distance: memory that LRU needs for a hit, and the share of accesses it then serves"
    );
    let mut served = 0;
    for (from, to, hits) in by_doubling(&stats.distances.hits) {
        served += hits;
        let bar = "#".repeat(usize::try_from(hits * 40 / accesses.max(1)).unwrap_or(40));
        let _ = writeln!(
            out,
            "  {:>9} .. {:>9}  {:8.4}%  {:8.4}%  {bar}",
            memory(from + 1),
            memory(to),
            share(hits),
            share(served)
        );
    }
    out
}

/// Distances by doubling: from, to (one beyond), how many.
fn by_doubling(hits: &[u64]) -> Vec<(u64, u64, u64)> {
    let mut found = Vec::new();
    let (mut from, mut to) = (0, 1);
    while from < hits.len() {
        let end = to.min(hits.len());
        let sum: u64 = hits[from..end].iter().sum();
        found.push((from as u64, end as u64, sum));
        (from, to) = (to, to * 2);
    }
    found
}

fn csv(stats: &Stats) -> String {
    let mut out = "access,pages,fresh_pages\n".to_owned();
    for (number, window) in (0u64..).zip(&stats.windows) {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{},{},{}", number * stats.window, window.pages, window.fresh);
    }
    out
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes on an axis are whole and positive"
)]
fn bytes(value: f64) -> String {
    bytes_text(value.round() as u64)
}

fn millions(value: f64) -> String {
    if value >= 1e6 { format!("{:.1}M", value / 1e6) } else { format!("{:.0}k", value / 1e3) }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn chart(args: &StatsArgs, stats: &Stats) -> Chart {
    let size = args.input.page_size() as f64;
    let line = |name: &str, of: fn(&mager_lab::Window) -> u32| {
        let ends = stats.windows.iter().zip(0u32..);
        let at = |i: u32| (f64::from(i) + 0.5) * stats.window as f64;
        let points = ends.map(|(window, i)| (at(i), f64::from(of(window)) * size));
        Line { name: name.to_owned(), points: points.collect(), errors: Vec::new() }
    };
    let name = args.trace.file_name().unwrap_or_default().to_string_lossy();
    let footprint = bytes_text(u64::from(stats.pages) * args.input.page_size());
    Chart {
        title: format!("Working set over time: {name}"),
        subtitle: format!("memory touched in windows of {} accesses; {footprint} in all", stats.window),
        x_label: "accesses".to_owned(),
        y_label: "memory".to_owned(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        y_binary: true,
        x_text: millions,
        y_text: bytes,
        lines: vec![line("touched", |window| window.pages), line("first touched", |window| window.fresh)],
        mark: None,
    }
}
