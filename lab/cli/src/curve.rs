//! `mager lab curve`: miss-ratio curves, drawn or listed.

use crate::{
    LabError,
    input::{Input, policies, threads},
    interrupt,
    progress::Progress,
};
use clap::Args;
use mager_lab::{Chart, Curves, Line, Plan, Scale, bytes_text, curves, is_steep, page};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// Traces of at most this many accesses are simulated whole even for sampled policies: it takes no time.
const SMALL: usize = 2_000_000;
/// Pages in a sample.
const SAMPLE: u32 = 1 << 15;

/// Arguments of `curve`.
#[derive(Args, Debug)]
pub struct CurveArgs {
    /// The trace.
    trace: PathBuf,
    /// Policies with their parameters, or all.
    #[arg(long, value_delimiter = ',', default_value = "lru,clock,sieve,s3-fifo,arc,lirs,opt")]
    policy: Vec<String>,
    /// Points on each curve.
    #[arg(long, default_value_t = 40)]
    points: u32,
    /// Simulate every policy over the whole trace instead of a sample of its pages (LRU is always exact).
    #[arg(long)]
    exact: bool,
    /// Memory in equal steps along the axis, instead of doubling.
    #[arg(long)]
    linear: bool,
    /// Where to: a picture (.svg), a page with values under the pointer (.html), numbers (.csv) [default: numbers
    /// to standard output].
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Threads [default: one for each CPU].
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    input: Input,
}

/// Carries it out.
pub(crate) fn run(args: &CurveArgs) -> Result<(), LabError> {
    let policies = policies(&args.policy)?;
    let kind = args.output.as_deref().map(picture).transpose()?.unwrap_or(Picture::Csv);
    let trace = args.input.load(&args.trace)?;
    let whole = args.exact || trace.accesses.len() <= SMALL;
    let sample = if whole { None } else { Some(SAMPLE) };
    let plan = Plan { policies, points: args.points, sample, threads: threads(args.threads) };
    let mut progress = Progress::new("simulating");
    let found = curves(&trace, &plan, interrupt::flag(), |done, all| progress.step(done, all));
    drop(progress);
    let found = found.map_err(|source| LabError::Policy { spec: args.policy.join(","), source })?;
    let text = match kind {
        Picture::Csv => csv(&found, args.input.page_size()),
        Picture::Svg => chart(args, &found).svg(),
        Picture::Html => page(&chart(args, &found)),
    };
    match &args.output {
        Some(path) => write(path, &text)?,
        None => print!("{text}"),
    }
    if found.curves.len() < plan.policies.len() {
        return Err(LabError::Interrupted { finished: found.curves.len(), all: plan.policies.len() });
    }
    Ok(())
}

/// What a result is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picture {
    Csv,
    Svg,
    Html,
}

/// By the name of the file.
pub(crate) fn picture(path: &Path) -> Result<Picture, LabError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Picture::Csv),
        Some("svg") => Ok(Picture::Svg),
        Some("html" | "htm") => Ok(Picture::Html),
        _ => Err(LabError::PictureName(path.to_owned())),
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).map_err(|source| LabError::Write { path: path.to_owned(), source })
}

fn csv(found: &Curves, page_size: u64) -> String {
    let mut out = "policy,frames,bytes,miss_ratio,error,exact\n".to_owned();
    for curve in &found.curves {
        for point in &curve.points {
            let bytes = u64::from(point.frames) * page_size;
            let (ratio, error) = (point.ratio, point.error);
            // Writing to a string does not fail.
            let _ =
                writeln!(out, "{},{},{bytes},{ratio},{error},{}", curve.policy, point.frames, curve.exact);
        }
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

/// A ratio in percent, two digits of it.
fn percent(value: f64) -> String {
    let percent = value * 100.0;
    if percent >= 10.0 || percent == 0.0 {
        return format!("{percent:.0}%");
    }
    let digits = (1..9).find(|&digits| percent * 10f64.powi(digits) >= 9.95).unwrap_or(9);
    let text = format!("{percent:.*}", usize::try_from(digits).unwrap_or(1));
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn steep(found: &Curves) -> bool {
    let ratios = || found.curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.ratio));
    is_steep(ratios().fold(0.0, f64::max), ratios().fold(1.0, f64::min))
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn chart(args: &CurveArgs, found: &Curves) -> Chart {
    let size = args.input.page_size() as f64;
    let line = |curve: &mager_lab::Curve| Line {
        name: curve.policy.clone(),
        points: curve.points.iter().map(|point| (f64::from(point.frames) * size, point.ratio)).collect(),
        errors: curve.points.iter().map(|point| point.error).collect(),
    };
    let name = args.trace.file_name().unwrap_or_default().to_string_lossy();
    Chart {
        title: format!("Misses against memory: {name}"),
        subtitle: subtitle(found, size),
        x_label: "memory".to_owned(),
        y_label: "accesses that fault".to_owned(),
        x_scale: if args.linear { Scale::Linear } else { Scale::Log },
        y_scale: if steep(found) { Scale::Log } else { Scale::Linear },
        y_binary: false,
        x_text: bytes,
        y_text: percent,
        lines: found.curves.iter().map(line).collect(),
        mark: found.knee.map(|knee| {
            let at = f64::from(knee.frames) * size;
            (at, format!("working set: {} ({} misses with LRU)", bytes(at), percent(knee.ratio)))
        }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn subtitle(found: &Curves, size: f64) -> String {
    let what = format!(
        "{:.1} million accesses to {} of memory",
        found.accesses as f64 / 1e6,
        bytes(f64::from(found.pages) * size)
    );
    if found.rate >= 1.0 {
        return format!("{what}; every point exact");
    }
    let errors = found.curves.iter().filter(|curve| !curve.exact).flat_map(|curve| &curve.points);
    let most = errors.map(|point| point.error).fold(0.0, f64::max);
    format!(
        "{what}; LRU exact, others from {} of the pages (bands: how far LRU is off in the same sample, at most {:.2}%)",
        percent(found.rate),
        most * 100.0
    )
}
