//! What all commands that read a trace are told about it.

use crate::{LabError, interrupt, progress::Progress};
use clap::Args;
use mager_lab::Trace;
use mager_policies::Any;
use mager_trace::{Format, Options, Pages};
use std::path::Path;

/// How to read the trace.
#[derive(Args, Debug, Clone)]
pub struct Input {
    /// Format of the trace: lackey, oracle-general, csv, plain, drcachesim, pinatrace, perf, msr or vscsi [default:
    /// told from its first bytes].
    #[arg(long)]
    format: Option<Format>,
    /// Page size in bytes, a power of two; addresses become pages by it.
    #[arg(long, default_value = "4096", value_parser = page_size)]
    page_size: u64,
    /// Count bad lines and go on, instead of stopping at the first.
    #[arg(long)]
    skip_bad: bool,
    /// Leave instruction fetches out.
    #[arg(long)]
    data_only: bool,
}

fn page_size(text: &str) -> Result<u64, String> {
    let bytes: Option<u64> = text.parse().ok();
    bytes
        .filter(|&bytes| Pages::of(bytes).is_some())
        .ok_or_else(|| "expected a power of two, such as 4096".into())
}

impl Input {
    /// As the reader wants it.
    pub(crate) fn options(&self) -> Options {
        let pages = Pages::of(self.page_size).unwrap_or_default();
        Options { format: self.format, pages, skip_bad: self.skip_bad, data_only: self.data_only }
    }

    pub(crate) fn page_size(&self) -> u64 {
        self.page_size
    }

    /// The whole trace, or what was read of it when the user stopped it.
    pub(crate) fn load(&self, path: &Path) -> Result<Trace, LabError> {
        let mut progress = Progress::new("reading");
        let trace = Trace::load(path, &self.options(), |accesses| {
            progress.count(accesses);
            !interrupt::stopped()
        })?;
        drop(progress);
        self.check(path, trace.accesses.len() as u64, trace.bad)?;
        Ok(trace)
    }

    /// Complains of an empty trace, and says how many bad lines were left out.
    pub(crate) fn check(&self, path: &Path, accesses: u64, bad: u64) -> Result<(), LabError> {
        if bad > 0 {
            eprintln!("{}: {bad} bad lines or records left out", path.display());
        }
        if accesses == 0 { Err(LabError::Empty(path.to_owned())) } else { Ok(()) }
    }
}

/// The policies of a comma-separated list; `all` is every one of them.
pub(crate) fn policies(list: &[String]) -> Result<Vec<String>, LabError> {
    let mut policies = Vec::new();
    for spec in list {
        if spec == "all" {
            policies.extend(Any::NAMES.iter().map(|&name| name.to_owned()));
            continue;
        }
        Any::from_spec(spec, 1).map_err(|source| LabError::Policy { spec: spec.clone(), source })?;
        policies.push(spec.clone());
    }
    let mut seen = std::collections::HashSet::new();
    policies.retain(|policy| seen.insert(policy.clone()));
    Ok(policies)
}

/// Threads to use: what was asked for, else one for each CPU.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
