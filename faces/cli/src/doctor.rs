//! `mager doctor`: what of the Linux machine works here, and what would make the rest work.
//!
//! Owns how the findings are printed. Probing is the machine's business.

use crate::failure::{Failure, Finished};
use crate::say;
use mager_linux_doctor::{Finding, Need, Options, Report, State, examine};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

/// What the user asks.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Exit codes: 0 all that `mager serve` needs is there; 1 something it needs is missing; 2 wrong use.")]
pub struct Args {
    /// The directory meant for the swap file
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The memory wanted for frames
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    memory: u64,
    /// The swap wanted
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    swap: u64,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// `64M` and the like, in bytes.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        unit => return Err(format!("`{unit}` is no unit; K, M, G and T are")),
    };
    let number: u64 = digits.parse().map_err(|_| "it begins with a number, such as in 64M".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "it is too large".to_owned())
}

/// Tries everything and tells.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    if !args.dir.is_dir() {
        return Err(Failure::file(&args.dir, "it is no directory"));
    }
    let dir = args.dir.canonicalize().unwrap_or_else(|_| args.dir.clone());
    let report = examine(&Options { dir, memory: args.memory, swap: args.swap });
    if args.json {
        let (system, findings) = (&report.system, &report.findings);
        say::json(&json!({ "system": system, "serves": report.serves(), "findings": findings }))?;
    } else {
        say::line(text(&report))?;
    }
    Ok(if report.serves() { Finished::Well } else { Finished::Badly })
}

fn text(report: &Report) -> String {
    let mut text = format!("{}\n", report.system);
    for (need, title) in [(Need::Needed, "Needed"), (Need::Better, "Better with it")] {
        let _ = write!(text, "\n{title}\n");
        for finding in report.findings.iter().filter(|finding| finding.need == need) {
            tell(finding, &mut text);
        }
    }
    let _ = write!(text, "\n{}", verdict(report));
    text
}

fn tell(finding: &Finding, text: &mut String) {
    let word = match finding.state {
        State::Works => "ok",
        State::Missing => "MISSING",
        State::Untried => "untried",
    };
    let _ = writeln!(text, "  {word:8} {:24} {}", finding.name, finding.detail);
    if let (State::Missing, Some(loses)) = (finding.state, finding.loses) {
        let _ = writeln!(text, "  {:8} {:24} without it: {loses}", "", "");
    }
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(text, "  {:8} {:24} to get it: {remedy}", "", "");
    }
}

fn verdict(report: &Report) -> String {
    let better = match report.lacking(Need::Better) {
        0 => String::new(),
        1 => " One thing more would make it better.".into(),
        n => format!(" {n} things more would make it better."),
    };
    match report.lacking(Need::Needed) {
        0 => format!("All that `mager serve` needs is there.{better}"),
        1 => format!("One thing that `mager serve` needs is missing.{better}"),
        n => format!("{n} things that `mager serve` needs are missing.{better}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!((size("4096"), size("64M"), size("2g")), (Ok(4096), Ok(64 << 20), Ok(2 << 30)));
        for wrong in ["", "M", "1X", "-1", "1.5G", "99999999T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
