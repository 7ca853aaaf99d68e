//! One run: started, hit at its moment, waited for; and what came of it.

use super::family::{End, Family};
use super::leftovers::{Before, swap};
use super::plan::Victim;
use crate::matrix::output;
use crate::matrix::place::Stand;
use mager_linux_stage::{At, Error, stop};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// What is done to a run.
#[derive(Clone, Copy, Debug)]
pub struct Blow {
    pub victim: Victim,
    pub pick: u64,
    pub moment: Duration,
}

/// How long is waited, from the kill on; from the start, if nobody is killed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the command, if it has lost pager or program.
    pub command: Duration,
    /// For all: what was not killed may go on to its end.
    pub all: Duration,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How `mager run` ended.
    pub command: Option<End>,
    /// How the program ended, if the command did not live to hear of it.
    pub program: Option<End>,
    /// When somebody was killed.
    pub killed: Option<Duration>,
    pub seconds: f64,
    /// Who was still there after the time.
    pub hung: Option<String>,
    /// Files and mounts that are still there.
    pub left: Vec<String>,
    pub output: u64,
    /// Nothing was put out at all.
    pub silent: bool,
    /// The telling line of standard error.
    pub said: String,
}

/// Runs it to the end of its last process.
pub fn run(command: Command, stand: &Stand, blow: Option<Blow>, limits: Limits) -> Result<Facts, Error> {
    std::fs::create_dir(swap(&stand.dir)).at(swap(&stand.dir))?;
    let before = Before::look(&stand.dir);
    let start = Instant::now();
    let mut family = Family::start(command)?;
    let killed = blow.map(|blow| strike(&mut family, blow, start)).transpose()?.flatten();
    let hung = outlive(&mut family, blow, limits)?;
    let seconds = start.elapsed().as_secs_f64();
    let (command, program, number) = (family.command(), family.program(), family.number());
    drop(family);
    let left = if hung.is_none() { before.left(number) } else { Vec::new() };
    Ok(Facts {
        command,
        program,
        killed,
        seconds,
        hung,
        left,
        output: output::hash(&stand.dir)?,
        silent: silent(&stand.dir),
        said: said(&stand.dir),
    })
}

/// Kills at the moment, or as soon as there is whom to kill; `None`: all was over before.
fn strike(family: &mut Family, blow: Blow, start: Instant) -> Result<Option<Duration>, Error> {
    while !family.reap()? {
        stop::check()?;
        if start.elapsed() >= blow.moment && family.kill(blow.victim, blow.pick) {
            return Ok(Some(start.elapsed()));
        }
        sleep(LOOK.min(blow.moment.saturating_sub(start.elapsed()).max(Duration::from_micros(200))));
    }
    Ok(None)
}

/// Waits until nobody is left; who is there after the time.
fn outlive(family: &mut Family, blow: Option<Blow>, limits: Limits) -> Result<Option<String>, Error> {
    let start = Instant::now();
    let ends_command =
        blow.is_some_and(|blow| matches!(blow.victim, Victim::Pager | Victim::Program | Victim::Both));
    while !family.reap()? {
        stop::check()?;
        let late = start.elapsed() > limits.all
            || ends_command && family.command().is_none() && start.elapsed() > limits.command;
        if late {
            return Ok(Some(family.told()));
        }
        sleep(LOOK);
    }
    Ok(None)
}

fn silent(dir: &Path) -> bool {
    let empty = std::fs::metadata(dir.join("stdout")).is_ok_and(|file| file.len() == 0);
    empty && std::fs::read_dir(dir.join("out")).is_ok_and(|mut files| files.next().is_none())
}

/// What Mager said, or else the last that anybody did.
fn said(dir: &Path) -> String {
    let said = std::fs::read(dir.join("stderr")).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let telling = lines.iter().find(|line| line.starts_with("mager: ")).or(lines.last());
    telling.map_or(String::new(), |line| line.trim().to_owned())
}
