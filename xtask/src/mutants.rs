//! Wrong pagers, one by one: each must be noticed by a layer of tests.
//!
//! A mutant is a patch in `xtask/mutants`, applied to a copy of the tree under `target/mutants`; nothing of it is in
//! the source. Tests run with a limit on time and memory, for a wrong pager may loop for ever.

use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Options of `cargo xtask mutants`.
#[derive(Args, Debug)]
pub struct MutantArgs {
    /// Only mutants whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Run every layer, not just the first one that notices
    #[arg(long)]
    all_layers: bool,
    /// Write the table to this file
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Seconds of CPU time a test program has before it counts as hanging.
const CPU_SECONDS: u32 = 120;
/// Time by the clock before one that only waits counts as hanging; long, for other programs may keep the CPUs busy.
const LIMIT: Duration = Duration::from_secs(600);
/// Address space it may use, in KiB.
const MEMORY_KIB: u32 = 4 << 20;

/// The signal of whoever has used up its CPU time; see signal(7).
const SIGXCPU: i32 = 24;

/// One wrong pager.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mutant {
    name: String,
    why: String,
    file: PathBuf,
    /// What is replaced by what.
    hunks: Vec<(String, String)>,
}

fn parse(text: &str) -> Result<Vec<Mutant>, String> {
    text.split("\n\n").filter(|block| !block.trim().is_empty()).map(parse_one).collect()
}

fn parse_one(block: &str) -> Result<Mutant, String> {
    let mut mutant = Mutant::default();
    let mut adding = true;
    for line in block.lines().filter(|line| !line.is_empty()) {
        if let Some(old) = line.strip_prefix('-') {
            if adding {
                mutant.hunks.push((String::new(), String::new()));
            }
            adding = false;
            let (from, _) = mutant.hunks.last_mut().ok_or("a hunk begins with -")?;
            from.extend([old, "\n"]);
        } else if let Some(new) = line.strip_prefix('+') {
            adding = true;
            let (_, to) = mutant.hunks.last_mut().ok_or("a hunk begins with -")?;
            to.extend([new, "\n"]);
        } else {
            match line.split_once(char::is_whitespace) {
                Some(("mutant", name)) => name.trim().clone_into(&mut mutant.name),
                Some(("why", why)) => why.trim().clone_into(&mut mutant.why),
                Some(("file", file)) => mutant.file = file.trim().into(),
                _ => return Err(format!("mutant {}: cannot read \"{line}\"", mutant.name)),
            }
        }
    }
    Ok(mutant)
}

impl Mutant {
    /// The file as it is with this mistake in it.
    fn applied(&self, source: &str) -> Result<String, String> {
        let mut source = source.to_owned();
        for (from, to) in &self.hunks {
            let (from, to) = (from.trim_end(), to.trim_end());
            match source.matches(from).count() {
                1 => source = source.replacen(from, to, 1),
                times => {
                    let file = self.file.display();
                    return Err(format!("mutant {}: {times} places in {file} for\n{from}", self.name));
                }
            }
        }
        Ok(source)
    }
}

/// What a layer said of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Killed(String),
    Survived,
    NotRun,
}

impl Verdict {
    fn words(&self) -> &str {
        match self {
            Verdict::Killed(how) => how,
            Verdict::Survived => "survives",
            Verdict::NotRun => "",
        }
    }
}

/// A layer of tests: its name, and the packages whose tests it runs; the simulated worlds are a program of their own.
const LAYERS: [(&str, &[&str]); 3] = [
    ("worlds", &[]),
    ("meetings", &["mager-sim"]),
    ("core", &["mager-pager", "mager-policies", "mager-driver"]),
];

/// Where the copy of the tree is, and how it is built.
pub struct Workshop {
    pub tree: PathBuf,
    build: PathBuf,
}

impl Workshop {
    pub fn new(root: &Path) -> io::Result<Self> {
        let top = root.join("target/mutants");
        let shop = Workshop { tree: top.join("tree"), build: top.join("build") };
        if shop.tree.exists() {
            fs::remove_dir_all(&shop.tree)?;
        }
        copy_tree(root, &shop.tree)?;
        Ok(shop)
    }

    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(args).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.build);
        cargo.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo
    }

    /// Builds with `args` and returns the programs that came out; `None`: the mutant is no program.
    pub fn programs(&self, args: &[&str]) -> Result<Vec<PathBuf>, String> {
        let mut build = self.cargo(args);
        let output = build.arg("--message-format=json").output().map_err(|why| why.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let programs = text.lines().filter_map(|line| {
            let (_, rest) = line.split_once("\"executable\":\"")?;
            rest.split_once('"').map(|(path, _)| PathBuf::from(path))
        });
        Ok(programs.collect())
    }

    fn layer(&self, packages: &[&str]) -> Result<Verdict, String> {
        if packages.is_empty() {
            return self.worlds();
        }
        for package in packages {
            let programs = self.programs(&["test", "--no-run", "-p", package])?;
            for program in programs {
                if let Some(how) = self.test(&program, package)? {
                    return Ok(Verdict::Killed(how));
                }
            }
        }
        Ok(Verdict::Survived)
    }

    /// Runs one test program. How it failed, if it did: the first test that does.
    fn test(&self, program: &Path, package: &str) -> Result<Option<String>, String> {
        let folder = self.folder(package);
        let (status, output) = limited(program, &["--test-threads=2"], &folder)?;
        if status.is_some_and(|status| status.success()) {
            return Ok(None);
        }
        let failed = output.lines().find_map(|line| {
            line.strip_prefix("test ")
                .and_then(|line| line.split_once(" ... FAILED"))
                .map(|(name, _)| name.to_owned())
        });
        let hangs = || if status.is_none() { "hangs".to_owned() } else { "aborts".to_owned() };
        Ok(Some(failed.unwrap_or_else(hangs)))
    }

    pub fn folder(&self, package: &str) -> PathBuf {
        let folder = match package {
            "mager-sim" => "machines/sim".to_owned(),
            core => core.replace("mager-", "core/"),
        };
        self.tree.join(folder)
    }

    /// Random worlds, from seed 1 on.
    fn worlds(&self) -> Result<Verdict, String> {
        let programs = self.programs(&["build", "-p", "mager-sim-cli", "--example", "sim"])?;
        let program = programs.first().ok_or("the simulation was not built")?;
        let args =
            ["--json", "--no-shrink", "--seed", "1", "--seeds", "400", "--steps", "3000", "--check", "1"];
        let (status, output) = limited(program, &args, &self.tree)?;
        let number = |name: &str| {
            let (_, rest) = output.split_once(&format!("\"{name}\":"))?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        Ok(match status {
            Some(status) if status.success() => Verdict::Survived,
            Some(_) => match (number("worlds"), number("operations")) {
                (Some(worlds), Some(operations)) => {
                    Verdict::Killed(format!("world {}, operation {operations}", worlds + 1))
                }
                _ => Verdict::Killed("aborts".into()),
            },
            None => Verdict::Killed("hangs".into()),
        })
    }
}

/// Runs a program with limits. Its status (`None`: it had to be ended) and what it said.
fn limited(program: &Path, args: &[&str], folder: &Path) -> Result<(Option<ExitStatus>, String), String> {
    let log = program.with_extension("out");
    let file = fs::File::create(&log).map_err(|why| why.to_string())?;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit -v {MEMORY_KIB}; ulimit -t {CPU_SECONDS}; exec \"$@\""), "sh"])
        .arg(program)
        .args(args);
    shell.current_dir(folder).stdout(file).stderr(Stdio::null()).stdin(Stdio::null());
    let mut child = shell.spawn().map_err(|why| why.to_string())?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|why| why.to_string())? {
            Some(status) => break Some(status),
            None if start.elapsed() > LIMIT => {
                child.kill().and_then(|()| child.wait()).map_err(|why| why.to_string())?;
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let status = status.filter(|status| status.signal() != Some(SIGXCPU));
    let bytes = fs::read(&log).map_err(|why| why.to_string())?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// Copies what a build needs: not the targets, not the history.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() && name != "target" && name != ".git" {
            copy_tree(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

/// All mutants, in the order of their files.
fn all(root: &Path) -> Result<Vec<Mutant>, String> {
    let folder = fs::read_dir(root.join("xtask/mutants")).map_err(|why| why.to_string())?;
    let mut files: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).map_err(|why| why.to_string()));
    let parsed: Result<Vec<_>, String> = texts.map(|text| parse(&text?)).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

/// Puts every mutant through the layers; complains about each that survives.
pub fn check(root: &Path, args: &MutantArgs) -> io::Result<Vec<String>> {
    run(root, args).map_err(io::Error::other)
}

fn run(root: &Path, args: &MutantArgs) -> Result<Vec<String>, String> {
    let mut mutants = all(root)?;
    mutants.retain(|mutant| args.only.as_ref().is_none_or(|only| mutant.name.contains(only)));
    let shop = Workshop::new(root).map_err(|why| why.to_string())?;
    let mut table =
        String::from("| mutant | what is wrong | worlds | meetings | core |\n|---|---|---|---|---|\n");
    let mut complaints = Vec::new();
    for mutant in &mutants {
        let verdicts = judge(&shop, mutant, args.all_layers)?;
        if !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Killed(_))) {
            complaints.push(format!("mutant {} survives", mutant.name));
        }
        let cells: Vec<&str> = verdicts.iter().map(Verdict::words).collect();
        eprintln!("{}: {}", mutant.name, cells.join(" | "));
        writeln!(table, "| {} | {} | {} |", mutant.name, mutant.why, cells.join(" | "))
            .map_err(|why| why.to_string())?;
    }
    println!("{} mutants, {} killed", mutants.len(), mutants.len() - complaints.len());
    if let Some(report) = &args.report {
        fs::write(report, table).map_err(|why| why.to_string())?;
    }
    Ok(complaints)
}

fn judge(shop: &Workshop, mutant: &Mutant, all_layers: bool) -> Result<Vec<Verdict>, String> {
    let file = shop.tree.join(&mutant.file);
    let source = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
    fs::write(&file, mutant.applied(&source)?).map_err(|why| why.to_string())?;
    let verdicts = put_through(shop, all_layers).map_err(|why| format!("mutant {}: {why}", mutant.name));
    fs::write(&file, source).map_err(|why| why.to_string())?;
    verdicts
}

fn put_through(shop: &Workshop, all_layers: bool) -> Result<Vec<Verdict>, String> {
    let mut verdicts = Vec::new();
    for (_, packages) in LAYERS {
        let killed = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Killed(_)));
        verdicts.push(if killed && !all_layers { Verdict::NotRun } else { shop.layer(packages)? });
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "mutant a\nwhy    it is wrong\nfile   x.rs\n-one\n-two\n+three\n-four\n\nmutant b\nfile   y.rs\n-x\n+y\n";

    #[test]
    fn hunks_begin_with_what_goes() {
        let mutants = parse(TEXT).unwrap();
        assert_eq!(mutants.len(), 2);
        assert_eq!(
            mutants[0].hunks,
            [("one\ntwo\n".into(), "three\n".into()), ("four\n".into(), String::new())]
        );
        assert_eq!(mutants[0].applied("zero\none\ntwo\nfour\n").unwrap(), "zero\nthree\n\n");
    }

    #[test]
    fn a_mutant_that_fits_nowhere_or_twice_is_told() {
        let mutants = parse(TEXT).unwrap();
        assert!(mutants[1].applied("z\n").is_err());
        assert!(mutants[1].applied("x\nx\n").is_err());
    }

    #[test]
    fn every_mutant_fits_the_source() {
        let root = crate::root();
        for mutant in all(root).unwrap() {
            let source = fs::read_to_string(root.join(&mutant.file)).unwrap();
            mutant.applied(&source).unwrap();
            assert!(!mutant.why.is_empty(), "mutant {} says why", mutant.name);
        }
    }
}
