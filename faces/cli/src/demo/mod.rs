//! `mager demo`: several real processes on a few frames, told line by line, every byte checked.
//!
//! This binary plays both sides: here it is the pager and its host, and it starts itself again as the application
//! (`application`). Processes take turns, so the application's headings and the pager's story come out in order.

mod application;
mod summary;

use crate::failure::{Failure, Finished};
use crate::say;
use application::{BLOCKS, CHECKED, FILE};
use mager_course_abi::PAGE_SIZE;
use mager_course_host::{Host, Options, Report};
use mager_course_pager::CoursePager;
use mager_view::{Story, Tally};
use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Instant;
use summary::Summary;

pub use application::application;

const SWAP_BLOCKS: u32 = 16;

const EXAMPLES: &str = "\
Examples:
  mager demo                The story with 4 frames, 3 of them usable
  mager demo --frames 2     As few as there can be
  mager demo --frames 64    Enough for everything: nothing is ever evicted
  mager demo --json         Figures for a script

Exit code 0: every byte was right. 1: one was not, or a process failed.";

/// Watch several real processes fault, share, fork, copy on write, get evicted and written back.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Physical pages of 64 KiB, the zero page included
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=65536))]
    frames: u32,
    /// Only the summary
    #[arg(long, short)]
    quiet: bool,
    /// Only the summary, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let dir = tempfile::tempdir().map_err(|error| Failure::file(std::env::temp_dir(), error))?;
    let file = dir.path().join(FILE);
    fs::write(&file, application::file_at_first()).map_err(|error| Failure::file(&file, error))?;
    let quiet = args.quiet || args.json;
    if !quiet {
        say::line(introduction(args.frames))?;
    }
    let started = Instant::now();
    let (report, tally) = play(args.frames, dir.path(), quiet)?;
    let elapsed = started.elapsed();
    if report.stopped {
        return Err(Failure::Run(String::from("the demo was stopped before its end")));
    }
    let checked = checked_bytes(dir.path()) + check_file(&file)?;
    let well = report.exit.is_some_and(|status| status.success()) && report.flushed.failures.is_empty();
    let summary = Summary::new(args.frames, &tally, &report, checked.0, elapsed, well && checked.1);
    if args.json {
        say::json(&summary)?
    } else {
        say::line(&summary)?
    }
    Ok(if summary.every_byte_right { Finished::Well } else { Finished::Badly })
}

fn introduction(frames: u32) -> String {
    format!(
        "Real processes on {frames} frames of 64 KiB (frame 0 is the zero page, {} can be used) and {SWAP_BLOCKS} swap \
         blocks.\nEach process has an arena of 256 pages, paged by this program: what is not in a frame traps.",
        frames - 1
    )
}

/// Runs pager and application to the end.
fn play(frames: u32, dir: &Path, quiet: bool) -> Result<(Report, Tally), Failure> {
    let story = Rc::new(RefCell::new(Story::new(Screen { quiet })));
    let pager = CoursePager::new("clock", Rc::clone(&story)).map_err(|why| Failure::Use(why.to_string()))?;
    // The story tells what is refused.
    let options = Options {
        frames,
        swap_blocks: SWAP_BLOCKS,
        dir: dir.to_owned(),
        tell_refusals: false,
        ..Options::default()
    };
    let host = Host::new(options, Box::new(pager)).map_err(|why| Failure::Use(why.to_string()))?;
    let myself = std::env::current_exe().map_err(|error| Failure::file("/proc/self/exe", error))?;
    let mut command = Command::new(myself);
    command.arg("demo-application").current_dir(dir);
    if quiet {
        command.arg("--quiet");
    }
    let report = host.run_with(command).map_err(|why| Failure::Run(why.to_string()))?;
    let tally = story.borrow().tally.clone();
    Ok((report, tally))
}

/// How many bytes were compared, and whether all were right.
#[derive(Clone, Copy)]
struct Checked(u64, bool);

impl std::ops::Add for Checked {
    type Output = Checked;
    fn add(self, other: Checked) -> Checked {
        Checked(self.0 + other.0, self.1 && other.1)
    }
}

/// What the processes say they compared: a line each, written when a process has found every byte right.
fn checked_bytes(dir: &Path) -> Checked {
    let lines = fs::read_to_string(dir.join(CHECKED)).unwrap_or_default();
    let counts: Vec<Option<u64>> = lines.lines().map(|line| line.parse().ok()).collect();
    let all = counts.len() == application::PROCESSES && counts.iter().all(Option::is_some);
    Checked(counts.iter().flatten().sum(), all)
}

/// The file on disk, after the flush, byte for byte.
fn check_file(file: &Path) -> Result<Checked, Failure> {
    let found = fs::read(file).map_err(|error| Failure::file(file, error))?;
    let right = found == application::file_at_last();
    if !right {
        eprintln!("mager: {FILE} does not hold what the processes wrote to it");
    }
    Ok(Checked((PAGE_SIZE * BLOCKS) as u64, right))
}

/// Standard output, or silence.
#[derive(Debug)]
struct Screen {
    quiet: bool,
}

impl fmt::Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.quiet {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| fmt::Error)
    }
}

/// Says something between the pager's lines, in a process of the application.
fn heading(quiet: bool, text: fmt::Arguments<'_>) {
    let mut screen = Screen { quiet };
    // Whoever closed the output wants to hear no more.
    let _ = screen.write_fmt(format_args!("\n{text}\n"));
}
