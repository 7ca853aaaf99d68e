//! `mager replay`: runs a recorded run again, and shows its states.

mod life;
mod verdict;

use crate::events::EventLog;
use crate::failure::{Failure, Finished};
use crate::say;
use life::{Life, Place};
use mager_driver::{Header, Line, Replay};
use mager_view::{Names, Snapshot};
use std::path::PathBuf;
use verdict::Verdict;

const EXAMPLES: &str = "\
Examples:
  mager replay run.events              Every effect is compared; the first difference is shown
  mager replay run.events --at 0       The state before the first step
  mager replay run.events --at 120     Page tables, core map, clock, swap and files after step 120
  mager replay run.events --page 0:3   What became of page 3 of the first arena, step by step
  mager replay - < run.events          From the standard input

Steps are counted from 1; each control call and each event is one. An arena is SLOT or
SLOT.GENERATION; the first in a slot is generation 0. docs/event-log.md describes the file.

Exit code 0: every effect is equal. 1: one is not, or the log was cut off.
2: it is no event log, or cannot be read.";

/// Replay a recorded run through the core, and report whether every effect is equal.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The event log, as `--events` writes it; `-` is the standard input
    events: PathBuf,
    /// Show the whole state after this step, and stop there
    #[arg(long, value_name = "STEP", conflicts_with = "page")]
    at: Option<u64>,
    /// Tell the life of one virtual page
    #[arg(long, value_name = "ARENA:PAGE")]
    page: Option<Place>,
    /// Print for programs
    #[arg(long)]
    json: bool,
}

/// Replays.
pub fn run(args: &Args) -> Result<Finished, Failure> {
    let mut log = EventLog::open(&args.events)?;
    let (header, mut names) = read_header(&mut log)?;
    let mut replay = Replay::new(&header).map_err(|bad| Failure::file(log.path(), bad))?;
    let mut life = args.page.map(Life::new);
    let verdict = replay_all(&mut log, &mut replay, &mut names, args.at, life.as_mut())?;
    if let Some(step) = args.at
        && !matches!(verdict, Verdict::Different { .. })
    {
        return state(step, &replay, &header, &names, args);
    }
    let verdict = verdict.with(&replay, &header);
    match (life, args.json) {
        (Some(life), true) => say::json(&serde_json::json!({ "verdict": verdict, "life": life.changes() }))?,
        (None, true) => say::json(&verdict)?,
        (life, false) => {
            life.map_or(Ok(()), say::line)?;
            say::line(&verdict)?;
        }
    }
    Ok(if verdict.equal() { Finished::Well } else { Finished::Badly })
}

/// Everything up to the header.
fn read_header(log: &mut EventLog) -> Result<(Header, Names), Failure> {
    let mut names = Names::default();
    loop {
        match log.next_line()? {
            Some(Line::Header(header)) => return Ok((header, names)),
            Some(Line::Note(note)) => names.learn(note),
            Some(_) => {}
            None => return Err(Failure::file(log.path(), "the log ends within its header")),
        }
    }
}

/// Replays to the end, to the first difference, or until all of step `stop` is done.
fn replay_all(
    log: &mut EventLog,
    replay: &mut Replay,
    names: &mut Names,
    stop: Option<u64>,
    mut life: Option<&mut Life>,
) -> Result<Verdict, Failure> {
    let mut cause = None;
    loop {
        let number = log.number() + 1;
        let line = log.next_line()?;
        if let (None | Some(Line::Step(_) | Line::End(_)), Some(life)) = (&line, life.as_deref_mut()) {
            life.look(replay, names, cause.take());
        }
        let Some(line) = line else { return Ok(Verdict::CutOff) };
        match line {
            Line::Step(_) if stop == Some(replay.steps()) => return Ok(Verdict::Stopped),
            Line::Note(note) => names.learn(note),
            _ => {}
        }
        let compared = replay.line(number, &line);
        if let Line::Step(step) = line {
            cause = Some((number, step));
        }
        if let Err(how) = compared {
            let step = cause.map(|(_, step)| Line::Step(step).to_string());
            return Ok(Verdict::Different { how, step });
        }
        if matches!(line, Line::End(_)) {
            return Ok(Verdict::Equal);
        }
    }
}

fn state(
    step: u64,
    replay: &Replay,
    header: &Header,
    names: &Names,
    args: &Args,
) -> Result<Finished, Failure> {
    let steps = replay.steps();
    if step > steps {
        return Err(Failure::file(&args.events, format!("there is no step {step}: the log has {steps}")));
    }
    let snapshot = Snapshot::of(&replay.view(), &header.policy, |object| names.get(object));
    if args.json {
        say::json(&snapshot)?;
    } else {
        say::line(format_args!("state after step {step}\n\n{snapshot}"))?;
    }
    Ok(Finished::Well)
}
