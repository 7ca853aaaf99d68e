//! Runs the test programs with a mutant switched on, the quickest program first, until one notices.

use super::Fate;
use crate::mutants::Workshop;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Address space a test program may use, in KiB.
const MEMORY_KIB: u32 = 4 << 20;
/// A program hangs when it has taken this many times the processor time it takes without a mutant, and a little more:
/// other work on the machine must not make it look slow.
const PATIENCE: u32 = 3;
const GRACE: Duration = Duration::from_secs(1);
/// However busy the machine is.
const AT_MOST: Duration = Duration::from_secs(600);

/// What is said of a program that ends otherwise than by a failed test, or not at all.
const ABORTS: &str = "aborts";
const HANGS: &str = "hangs";

struct Program {
    path: PathBuf,
    folder: PathBuf,
    usual: Duration,
}

/// The test programs, and the test that failed last: mutants that are neighbours fail the same ones.
pub struct Programs {
    all: Vec<Program>,
    last: Option<Last>,
}

struct Last {
    index: usize,
    test: String,
    usual: Duration,
}

/// What came of a run: the first test that failed, and the processor time.
struct Ran {
    how: Option<String>,
    took: Duration,
}

impl Programs {
    /// Builds the tests of `packages`; measures each without a mutant, where it must succeed.
    pub fn build(shop: &Workshop, packages: &[String]) -> Result<Self, String> {
        let mut programs = Vec::new();
        for package in packages {
            for path in shop.programs(&["test", "--no-run", "-p", package])? {
                let folder = shop.folder(package);
                programs.push(Program { path, folder, usual: Duration::from_secs(5) });
            }
        }
        Ok(Programs { all: programs, last: None })
    }

    /// Measures each program without a mutant, where it must succeed.
    pub fn measured(mut self) -> Result<Self, String> {
        for program in &mut self.all {
            let ran = program.run(0, None, AT_MOST)?;
            if let Some(how) = ran.how {
                return Err(format!("{} fails without a mutant: {how}", program.path.display()));
            }
            program.usual = ran.took;
            eprintln!("{} takes {:.2} s", program.name(), ran.took.as_secs_f64());
        }
        self.all.sort_by_key(|program| program.usual);
        Ok(self)
    }

    /// Whether any program notices that mutant `number` is on.
    pub fn try_one(&mut self, number: u32) -> Result<Fate, String> {
        if let Some(Last { index, test, usual }) = &self.last {
            let program = &self.all[*index];
            if let Some(how) = program.run(number, Some(test), *usual)?.how {
                return Ok(Fate::Caught(format!("{}: {how}", program.name())));
            }
        }
        for index in 0..self.all.len() {
            let program = &self.all[index];
            if let Some(how) = program.run(number, None, program.usual)?.how {
                let caught = Fate::Caught(format!("{}: {how}", program.name()));
                self.remember(index, how)?;
                return Ok(caught);
            }
        }
        Ok(Fate::Missed)
    }

    fn remember(&mut self, index: usize, test: String) -> Result<(), String> {
        if test != ABORTS && test != HANGS {
            let usual = self.all[index].run(0, Some(&test), AT_MOST)?.took;
            self.last = Some(Last { index, test, usual });
        }
        Ok(())
    }
}

impl Program {
    fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.rsplit_once('-').map_or(name.clone(), |(name, _)| name.to_owned())
    }

    /// Runs all tests, or just one, until one fails.
    fn run(&self, number: u32, test: Option<&str>, usual: Duration) -> Result<Ran, String> {
        let log = self.path.with_extension("out");
        let file = fs::File::create(&log).map_err(|why| why.to_string())?;
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$@\""), "sh"]).arg(&self.path);
        shell.arg("--test-threads=2").env("MAGER_SWITCH", number.to_string()).env("RUST_BACKTRACE", "0");
        shell.args(test.into_iter().flat_map(|name| ["--exact", name]));
        shell.current_dir(&self.folder).stdout(file).stderr(Stdio::null()).stdin(Stdio::null());
        let mut child = shell.spawn().map_err(|why| why.to_string())?;
        watch(&mut child, &log, usual * PATIENCE + GRACE).map_err(|why| why.to_string())
    }
}

fn watch(child: &mut Child, log: &Path, limit: Duration) -> io::Result<Ran> {
    let start = Instant::now();
    let (mut took, mut pause) = (Duration::ZERO, Duration::from_millis(2));
    loop {
        took = processor_time(child.id()).unwrap_or(took).max(took);
        let status = child.try_wait()?;
        let failed = failed(&fs::read_to_string(log).unwrap_or_default());
        if let (Some(status), None) = (status, &failed) {
            return Ok(Ran { how: (!status.success()).then(|| ABORTS.to_owned()), took });
        }
        if failed.is_some() || took > limit || start.elapsed() > AT_MOST {
            child.kill()?;
            child.wait()?;
            return Ok(Ran { how: Some(failed.unwrap_or_else(|| HANGS.to_owned())), took });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// What a process has used of the processors; `None` where the system does not tell.
fn processor_time(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    // A hundred ticks a second, on every Linux.
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

fn failed(output: &str) -> Option<String> {
    let names = output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    names.map(str::to_owned).next()
}
