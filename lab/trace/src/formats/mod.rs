//! The formats: their names, how they are told apart, and their parsers.

mod blocks;
mod lackey;
mod oracle;
mod text;

use crate::{Lines, Options, Parse};
use std::{path::Path, str::FromStr};

/// A format of traces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `valgrind --tool=lackey --trace-mem=yes`.
    Lackey,
    /// libCacheSim's binary records of 24 bytes.
    OracleGeneral,
    /// libCacheSim's comma-separated text.
    Csv,
    /// One page number, or `0x` address, a line.
    Plain,
    /// The text view of DynamoRIO's drcachesim.
    Drcachesim,
    /// The output of Pin's pinatrace.
    Pinatrace,
    /// `perf script` over page-fault or memory samples.
    Perf,
    /// The block traces of MSR Cambridge.
    Msr,
    /// VMware's binary block traces.
    Vscsi,
}

const NAMES: [(&str, Format); 9] = [
    ("lackey", Format::Lackey),
    ("oracle-general", Format::OracleGeneral),
    ("csv", Format::Csv),
    ("plain", Format::Plain),
    ("drcachesim", Format::Drcachesim),
    ("pinatrace", Format::Pinatrace),
    ("perf", Format::Perf),
    ("msr", Format::Msr),
    ("vscsi", Format::Vscsi),
];

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|&(_, format)| format).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|&(name, _)| name).collect();
            format!("unknown trace format; expected one of: {}", names.join(", "))
        })
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = NAMES.iter().find(|(_, format)| format == self).map_or("", |&(name, _)| name);
        f.write_str(name)
    }
}

impl Format {
    /// Tells the format from the file's name and first bytes.
    #[must_use]
    pub fn detect(path: &Path, start: &[u8]) -> Option<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("oracleGeneral") {
            return Some(Format::OracleGeneral);
        }
        if name.contains("vscsi") {
            return Some(Format::Vscsi);
        }
        let text =
            !start.is_empty() && start.iter().take(4096).all(|&byte| (9..127).contains(&byte) || byte >= 128);
        if text {
            return start.split(|&byte| byte == b'\n').take(200).find_map(by_line);
        }
        blocks::is_vscsi(start)
            .then_some(Format::Vscsi)
            .or(oracle::is_oracle(start).then_some(Format::OracleGeneral))
    }

    /// A parser of this format; `start` is how the trace begins.
    pub(crate) fn parser(self, start: &[u8], options: &Options) -> Box<dyn Parse + Send> {
        let (pages, skip) = (options.pages, options.skip_bad);
        match self {
            Format::Lackey => {
                Box::new(Lines::new(lackey::Lackey { pages, data_only: options.data_only }, skip))
            }
            Format::OracleGeneral => Box::new(oracle::Oracle::new(skip)),
            Format::Csv => Box::new(Lines::new(text::Csv::new(start), skip)),
            Format::Plain => Box::new(Lines::new(text::Plain { pages }, skip)),
            Format::Drcachesim => {
                Box::new(Lines::new(text::Drcachesim { pages, data_only: options.data_only }, skip))
            }
            Format::Pinatrace => Box::new(Lines::new(text::Pinatrace { pages }, skip)),
            Format::Perf => Box::new(Lines::new(text::Perf { pages }, skip)),
            Format::Msr => Box::new(Lines::new(blocks::Msr { pages }, skip)),
            Format::Vscsi => Box::new(blocks::Vscsi::new(start, pages, skip)),
        }
    }
}

/// The format a line belongs to; none if it says nothing.
fn by_line(line: &[u8]) -> Option<Format> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = str::from_utf8(line).ok()?;
    if lackey::is_lackey(line) || (text.starts_with("==") && text.contains("Lackey")) {
        Some(Format::Lackey)
    } else if text.contains(" byte(s) @ 0x") || text.starts_with("Output format:") {
        Some(Format::Drcachesim)
    } else if text.starts_with("0x") && (text.contains(": R ") || text.contains(": W ")) {
        Some(Format::Pinatrace)
    } else if text::perf_sample(text).is_some() {
        Some(Format::Perf)
    } else if blocks::is_msr(text) {
        Some(Format::Msr)
    } else if text.split(',').count() >= 3 {
        Some(Format::Csv)
    } else if text::is_plain(line) {
        Some(Format::Plain)
    } else {
        None
    }
}

/// Whether this is a log of a pager's faults.
pub(crate) fn is_fault_log(start: &[u8]) -> bool {
    let lines = start.split(|&byte| byte == b'\n').take(200);
    lines.into_iter().any(|line| {
        let line = line.trim_ascii_start();
        [&b"vm_fault\t"[..], b"vm_create\t", b"vm_switch\t"].iter().any(|call| line.starts_with(call))
    })
}
