//! The compatibility matrix of `mager run`: real programs, unmodified, whose data is larger than their memory.
//!
//! Each is run without a limit, in a control group of its budget over the kernel's swap, under `mager run` over a swap
//! file, and with part of the budget for compressed pages. The output must be the same each time, and the arenas must
//! hold no more than the budget, as the kernel counts it for the run's control group.
//!
//! | file | owns |
//! |---|---|
//! | `programs`, and the scripts in `xtask/matrix` | the programs |
//! | `text`, `place` | their input; what a run stands on |
//! | `way` | the ways of bounding memory |
//! | `run`, `output` | one run, and what it put out |
//! | `results`, `report` | medians, verdicts; the table |

pub mod output;
pub mod place;
pub mod programs;
mod report;
mod results;
mod run;
mod text;
pub mod way;

use clap::Args;
use mager_linux_stage::{At, Error, alone, stop, sweep};
use place::{Input, Place, Stand};
use programs::{PROGRAMS, Program};
use results::{Results, Row};
use run::{Outcome, Watch};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use way::{WAYS, Way};

/// Options of `cargo xtask matrix`.
#[derive(Args, Debug)]
pub struct MatrixArgs {
    /// Only programs with these names
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Only these ways; `unlimited` always runs, for the output
    #[arg(long, value_delimiter = ',', value_name = "WAY")]
    ways: Vec<Way>,
    /// `small`: seconds and some MiB; `full`: minutes and up to a GiB each
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// How often each is run; the table has medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Per cent of the budget that is for compressed pages, where there are any
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..90))]
    share: u32,
    /// A run that takes longer hangs
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    limit: u64,
    /// Where input, output and swap go: a directory on the disk to be measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The command to test; built if it is not given
    #[arg(long, value_name = "PATH")]
    mager: Option<PathBuf>,
    /// Write the table to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Install the programs (Debian's packages), and do nothing else
    #[arg(long)]
    install: bool,
}

/// How large the programs are.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Small,
    Full,
}

/// Runs the matrix; complains about each program that Mager runs otherwise than it runs without.
pub fn check(root: &Path, args: &MatrixArgs) -> io::Result<Vec<String>> {
    let wanted = match wanted(args) {
        Ok(wanted) => wanted,
        Err(complaint) => return Ok(vec![complaint]),
    };
    let done = if args.install { install(&wanted) } else { matrix(root, args, &wanted) };
    done.map_err(|why| io::Error::other(why.to_string()))
}

fn wanted(args: &MatrixArgs) -> Result<Vec<&'static Program>, String> {
    let names = || PROGRAMS.iter().map(|program| program.name);
    if let Some(name) = args.only.iter().find(|only| !names().any(|name| name == **only)) {
        let all: Vec<_> = names().collect();
        return Err(format!("--only: no program {name}; expected some of: {}", all.join(" ")));
    }
    let only = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    Ok(PROGRAMS.iter().filter(|program| only(program.name)).collect())
}

fn install(wanted: &[&'static Program]) -> Result<Vec<String>, Error> {
    let mut packages: Vec<&str> = wanted.iter().flat_map(|program| program.packages).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--yes", "--no-install-recommends"]).args(&packages);
    let done = apt.env("DEBIAN_FRONTEND", "noninteractive").status().at("apt-get")?;
    Ok(if done.success() { Vec::new() } else { vec![format!("apt-get: {done}")] })
}

fn matrix(root: &Path, args: &MatrixArgs, wanted: &[&'static Program]) -> Result<Vec<String>, Error> {
    stop::catch()?;
    let ways: Vec<Way> = WAYS
        .into_iter()
        .filter(|way| *way == Way::Unlimited || args.ways.is_empty() || args.ways.contains(way))
        .collect();
    let dir = args.dir.clone().unwrap_or_else(|| root.join("target/matrix"));
    std::fs::create_dir_all(&dir).at(&dir)?;
    let _alone = ways.contains(&Way::Cgroup).then(alone).transpose()?;
    if sweep(&dir)? > 0 {
        eprintln!("cleaned up after a run that was killed");
    }
    let mager = match ways.iter().any(|way| way.is_mager()) {
        true => args.mager.clone().map_or_else(|| build(root), |path| path.canonicalize().at(path))?,
        false => PathBuf::new(),
    };
    let mut results = Results::new(wanted, &ways, args);
    let outcome = all(root, &dir, args, &mager, &mut results);
    let text = report::tell(&results);
    print!("{text}");
    outcome?;
    if let Some(path) = &args.report {
        std::fs::write(path, text).at(path)?;
    }
    Ok(results.complaints())
}

/// Builds the command and its library, and finds the command.
pub fn build(root: &Path) -> Result<PathBuf, Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--message-format=json", "-p", "mager-cli", "-p", "mager-preload"]);
    let built = cargo.current_dir(root).stderr(Stdio::inherit()).output().at("cargo")?;
    let text = String::from_utf8_lossy(&built.stdout);
    let paths = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    let command = paths.into_iter().find(|path| path.file_name().is_some_and(|name| name == "mager"));
    let why = || Error::Unavailable("the command does not build; --mager names one that is built".into());
    command.filter(|_| built.status.success()).ok_or_else(why)
}

fn all(root: &Path, dir: &Path, args: &MatrixArgs, mager: &Path, results: &mut Results) -> Result<(), Error> {
    let swap = results.ways.contains(&Way::Cgroup).then(|| results.swap_mib());
    let mut place = Place::make(root, dir, swap)?;
    let ways = results.ways.clone();
    for row in &mut results.rows {
        if row.missing.is_some() {
            eprintln!("{:14} not run: needs {}", row.program.name, row.program.packages.join(" "));
            continue;
        }
        let input = place.prepare(row.program, row.size)?;
        for _ in 0..args.runs {
            ways.iter().try_for_each(|way| once(&place, &input, *way, args, mager, row))?;
        }
        std::fs::remove_dir_all(&input.dir).at(&input.dir)?;
    }
    Ok(())
}

fn once(
    place: &Place,
    input: &Input,
    way: Way,
    args: &MatrixArgs,
    mager: &Path,
    row: &mut Row,
) -> Result<(), Error> {
    let stand = match Stand::set(place, input, way) {
        Err(Error::Unavailable(why)) => {
            row.add(
                way,
                Outcome { failed: Some(format!("cannot be had here: {why}")), ..Outcome::default() },
            );
            return Ok(());
        }
        stand => stand?,
    };
    let swap = ["--swap-dir".into(), place.dir.clone().into()];
    let command = stand.command(input, way.before(mager, input.size, args.share, swap))?;
    let watch = Watch { mager: way.is_mager().then_some(mager), limit: Duration::from_secs(args.limit) };
    let outcome = run::run(command, &stand, &watch)?;
    eprintln!("{}", report::progress(row, way, &outcome));
    row.add(way, outcome);
    Ok(())
}
