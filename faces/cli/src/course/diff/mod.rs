//! `mager course diff`: the first difference between two logs that means something, explained by a rule.

mod entry;
mod explain;
mod mask;
mod rules;
mod story;

use crate::failure::{Failure, Finished};
use crate::say;
use entry::Log;
use explain::Explained;
use mask::Masked;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use story::Story;

const EXAMPLES: &str = "\
Examples:
  mager course run --log mine.log -- ./app        Mager's own pager
  ./my_pager --log theirs.log -- ./app            Somebody else's
  mager course diff mine.log theirs.log

What may differ between right pagers is masked: pids are numbered as they appear, a physical
page counts only as page 0 or not and by who shares it, a swap block by what was last written
to it.

Exit code 0: no difference that means anything. 1: there is one. 2: a log cannot be read.";

/// The two logs.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A log as `--log` writes it
    left: PathBuf,
    /// The log to compare it with
    right: PathBuf,
    /// Print for programs
    #[arg(long)]
    json: bool,
}

/// One log at the place of the difference.
#[derive(Serialize, Debug)]
struct Side {
    log: String,
    line: Option<usize>,
    says: Option<String>,
}

/// The difference, ready to be printed.
#[derive(Serialize, Debug)]
struct Difference {
    equal: bool,
    during: String,
    left: Side,
    right: Side,
    explanation: String,
    rules: Vec<Rule>,
    #[serde(skip)]
    before: Vec<String>,
}

#[derive(Serialize, Debug)]
struct Rule {
    number: u8,
    text: String,
}

pub(super) fn run(args: &Args) -> Result<Finished, Failure> {
    let (left, right) = (read(&args.left)?, read(&args.right)?);
    let (masked_left, masked_right) = (mask::mask(&left), mask::mask(&right));
    let longest = masked_left.len().max(masked_right.len());
    let differs = (0..longest).find(|&at| masked_left.get(at) != masked_right.get(at));
    match differs {
        None if args.json => say::json(&serde_json::json!({ "equal": true, "entries": longest }))?,
        None => say::line(format_args!(
            "equal: {longest} calls, results and tables, with pids, physical pages and swap blocks masked"
        ))?,
        Some(at) => {
            let names = (shown(&args.left), shown(&args.right));
            let found = difference(at, (&left, &masked_left), (&right, &masked_right), names);
            if args.json { say::json(&found)? } else { say::line(&found)? }
        }
    }
    Ok(if differs.is_none() { Finished::Well } else { Finished::Badly })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a log. Lines that are none of its own, such as an application's output, are passed over, aloud.
fn read(path: &Path) -> Result<Log, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
    let log = Log::parse(&String::from_utf8_lossy(&bytes));
    if log.entries.is_empty() {
        let why = "no line of it is a line of a pager's log (such as \"vm_fault (0x600000000, read)\")";
        return Err(Failure::file(path, why));
    }
    if let Some((line, text)) = &log.passed_over {
        eprintln!(
            "mager: {}: some lines are no part of a log, the first is line {line}: {text:?}",
            path.display()
        );
    }
    Ok(log)
}

type Half<'a> = (&'a Log, &'a [Masked]);

fn difference(at: usize, left: Half<'_>, right: Half<'_>, names: (String, String)) -> Difference {
    let story = Story::of(&left.1[..at.min(left.1.len())]);
    let pair = (left.1.get(at), right.1.get(at));
    let Explained { sentence, rules } = explain::explain(&story, pair, (&names.0, &names.1));
    let side = |log: &Log, name| Side {
        log: name,
        line: log.entries.get(at).map(|placed| placed.line),
        says: log.entries.get(at).map(|placed| placed.entry.to_string()),
    };
    let before = left.0.entries[at.saturating_sub(4)..at].iter().map(|placed| placed.entry.to_string());
    Difference {
        equal: false,
        during: story.during(),
        left: side(left.0, names.0),
        right: side(right.0, names.1),
        explanation: sentence,
        rules: rules.iter().map(|&number| Rule { number, text: rules::text(number) }).collect(),
        before: before.collect(),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The logs differ {}:\n", self.during)?;
        self.before.iter().try_for_each(|line| writeln!(f, "    {}", line.replace('\n', "\n    ")))?;
        writeln!(f, "{}\n{}\n", self.left, self.right)?;
        f.write_str(&wrapped(&self.explanation))?;
        let rule = |rule: &Rule| wrapped(&format!("Rule {}: {}", rule.number, rule.text));
        self.rules.iter().try_for_each(|told| write!(f, "\n\n{}", rule(told)))
    }
}

/// The text in lines that fit every terminal.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 90;
    let (mut lines, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let gap = match column {
            0 => "",
            _ if column + 1 + length > WIDTH => "\n",
            _ => " ",
        };
        column = if gap == "\n" { length } else { column + gap.len() + length };
        lines.push_str(gap);
        lines.push_str(word);
    }
    lines
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.says) {
            (Some(line), Some(says)) => {
                write!(f, "  > {}:{line}: {}", self.log, says.replace('\n', "\n    "))
            }
            _ => write!(f, "  > {}: ends here", self.log),
        }
    }
}
