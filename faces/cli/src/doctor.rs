//! `mager doctor`: what of the Linux machine works here, and what would make the rest work.
//!
//! Owns how the findings are printed. Probing is the machine's business.

use crate::failure::{Failure, Finished};
use crate::say;
use crate::size::size;
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
