//! Kills at random moments of `mager run`: whoever is killed, no output is wrong without a status that says so, nothing
//! hangs, and nothing is left behind.
//!
//! | file | owns |
//! |---|---|
//! | `programs` | which programs of the matrix, and one more |
//! | `plan` | who is killed when, from a seed |
//! | `family` | the processes of a run, and which is which |
//! | `run`, `leftovers` | one run; what is looked for after it |
//! | `verdict`, `report` | what is right; the table |

mod family;
mod leftovers;
mod plan;
mod programs;
mod report;
mod run;
mod verdict;

use crate::matrix::place::{Input, Place, Stand};
use crate::matrix::programs::Program;
use crate::matrix::way::Way;
use crate::matrix::{Scale, build};
use clap::Args;
use mager_linux_stage::{At, Error, stop, sweep};
use plan::Plan;
use report::Tally;
use run::{Blow, Facts, Limits};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use verdict::{Verdict, judge};

/// Per cent of the budget that may be compressed, where that is tried.
const SHARE: u32 = 50;
/// A run that is not killed, or goes on without its command, may take so many times what it took before.
const SLOWER: f64 = 3.0;
/// Runs between two signs of life.
const SIGN: u64 = 20;

const EXAMPLES: &str = "\
Examples:
  cargo xtask kills                             200 runs, some ten minutes
  cargo xtask kills --seed 7 --runs 1000        Other moments
  cargo xtask kills --seed 7 --from 31 --runs 1 --verbose
                                                Run 31 of that once more
  cargo xtask kills --only sort,bash --runs 50  Two programs

Each run starts a program of the matrix (small) under `mager run`, every other one with --compressed, half of them \
with a named swap file, and at a random moment kills with SIGKILL the pager, the program, any process of the program, \
`mager run` itself, or program and pager together. Then all must end; a status of 0 must come with the output of a run \
without a limit; and neither process nor swap file, socket, shared memory or mount may stay. A program whose command \
was killed must go on to its right end. Seed, number and --only say what a run does; the moment is a part of what the \
program takes here, so that it falls on the same place only roughly. Defects end this with status 1, each with what \
repeats it.";

/// Options of `cargo xtask kills`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KillArgs {
    /// How many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// What all chance comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first run
    #[arg(long, default_value_t = 1, value_name = "K")]
    from: u64,
    /// Only programs with these names
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// What has lost pager or program must end within this; the rest in this and three times as long as usual
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    limit: u64,
    /// Where input, output and swap go
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The command to test; built if it is not given
    #[arg(long, value_name = "PATH")]
    mager: Option<PathBuf>,
    /// Tell of each run
    #[arg(long)]
    verbose: bool,
}

/// A program that is ready to be run.
struct Subject {
    input: Input,
    /// The hash of its output.
    right: u64,
    /// How long it takes if nobody is killed, by whether part of its memory is compressed.
    typical: [Duration; 2],
}

/// What all runs share.
struct Ground<'a> {
    args: &'a KillArgs,
    mager: PathBuf,
    place: Place,
    subjects: BTreeMap<&'static str, Subject>,
}

/// Kills; complains about each defect.
pub fn check(root: &Path, args: &KillArgs) -> io::Result<Vec<String>> {
    match programs::wanted(&args.only) {
        Ok(wanted) => kills(root, args, &wanted).map_err(|why| io::Error::other(why.to_string())),
        Err(complaint) => Ok(vec![complaint]),
    }
}

fn kills(root: &Path, args: &KillArgs, wanted: &[&'static Program]) -> Result<Vec<String>, Error> {
    stop::catch()?;
    let dir = args.dir.clone().unwrap_or_else(|| root.join("target/kills"));
    std::fs::create_dir_all(&dir).at(&dir)?;
    sweep(&dir)?;
    let mager = args.mager.clone().map_or_else(|| build(root), |path| path.canonicalize().at(path))?;
    let place = Place::make(root, &dir, None)?;
    let mut ground = Ground { args, mager, place, subjects: BTreeMap::new() };
    let (mut tally, mut defects) = (Tally::default(), Vec::new());
    let done = ground.all(wanted, &mut tally, &mut defects);
    print!("{}", tally.tell());
    done.map(|()| defects)
}

impl Ground<'_> {
    fn all(
        &mut self,
        wanted: &[&'static Program],
        tally: &mut Tally,
        defects: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (from, runs) = (self.args.from, self.args.runs);
        for number in from..from.saturating_add(runs) {
            let plan = Plan::of(self.args.seed, number, wanted);
            let (facts, verdict) = self.once(&plan)?;
            tally.add(&plan, &facts, &verdict);
            let line = report::told(&plan, &facts, &verdict);
            if matches!(verdict, Verdict::Defect(_)) {
                eprintln!("DEFECT: {line}");
                defects.push(format!("{line}\n  again: {}", self.again(&plan)));
            } else if self.args.verbose {
                eprintln!("{line}");
            }
            if (number + 1 - from).is_multiple_of(SIGN) {
                eprintln!("{} of {runs} runs, {} defects", number + 1 - from, defects.len());
            }
        }
        Ok(())
    }

    /// The command line that repeats a run.
    fn again(&self, plan: &Plan) -> String {
        let only = &self.args.only;
        let only = if only.is_empty() { String::new() } else { format!(" --only {}", only.join(",")) };
        format!("cargo xtask kills --seed {} --from {} --runs 1{only}", self.args.seed, plan.number)
    }

    fn once(&mut self, plan: &Plan) -> Result<(Facts, Verdict), Error> {
        if !self.subjects.contains_key(plan.program.name) {
            let subject = self.prepare(plan.program)?;
            self.subjects.insert(plan.program.name, subject);
        }
        let subject = &self.subjects[plan.program.name];
        let typical = subject.typical[usize::from(plan.way == Way::Compressed)];
        let blow = Blow { victim: plan.victim, pick: plan.pick, moment: plan.moment(typical) };
        let facts = self.run(&subject.input, plan.way, plan.named, Some(blow), typical)?;
        let verdict = judge(plan.victim, &facts, subject.right);
        Ok((facts, verdict))
    }

    /// Its output without a limit, and how long it takes under Mager, where it must come to the same.
    fn prepare(&mut self, program: &'static Program) -> Result<Subject, Error> {
        let input = self.place.prepare(program, program.size(Scale::Small))?;
        let whole = |way| self.run(&input, way, false, None, Duration::from_secs(60));
        let right = whole(Way::Unlimited)?;
        let ways = [whole(Way::Mager)?, whole(Way::Compressed)?];
        let good = |facts: &&Facts| facts.command == Some(family::End::With(0)) && facts.hung.is_none();
        let same = ways.iter().all(|facts| good(&facts) && facts.output == right.output);
        if !good(&&right) || !same {
            let said = [&right, &ways[0], &ways[1]].map(|facts| facts.said.as_str()).join("; ");
            return Err(Error::Unavailable(format!(
                "{} fails though nobody is killed: {said}",
                program.name
            )));
        }
        let typical = ways.map(|facts| Duration::from_secs_f64(facts.seconds));
        Ok(Subject { input, right: right.output, typical })
    }

    fn run(
        &self,
        input: &Input,
        way: Way,
        named: bool,
        blow: Option<Blow>,
        typical: Duration,
    ) -> Result<Facts, Error> {
        let stand = Stand::set(&self.place, input, way)?;
        let command = self.command(&stand, input, way, named)?;
        let least = Duration::from_secs(self.args.limit);
        let limits = Limits { command: least, all: least + typical.mul_f64(SLOWER) };
        run::run(command, &stand, blow, limits)
    }

    fn command(&self, stand: &Stand, input: &Input, way: Way, named: bool) -> Result<Command, Error> {
        let dir = leftovers::swap(&stand.dir);
        let swap: [OsString; 2] = match named {
            true => ["--swap-file".into(), dir.join("file").into()],
            false => ["--swap-dir".into(), dir.into()],
        };
        stand.command(input, way.before(&self.mager, input.size, SHARE, swap))
    }
}
