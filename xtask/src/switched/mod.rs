//! Every mutant that cargo-mutants makes of a package of the core, put through the tests.
//!
//! cargo-mutants builds anew for each mutant, hours for this core. Here its list is taken, and all mutants of a
//! package are built into one set of test programs, behind a switch (`text`) that an environment variable sets.
//! What cannot be built together (a `const fn`, an opaque return type) is built alone. All of it happens in a copy
//! of the tree under `target/mutants`.

mod list;
mod run;
mod text;

use crate::mutants::Workshop;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;
use text::{Mutation, Switched};

/// Options of `cargo xtask switched`.
#[derive(Args, Debug)]
pub struct SwitchedArgs {
    /// The package: mager-pager, mager-driver or mager-policies
    #[arg(long, short)]
    package: String,
    /// Only mutants whose name contains one of these
    #[arg(long)]
    only: Vec<String>,
    /// Only the mutants named in this file, one a line, such as those that were missed before
    #[arg(long)]
    from: Option<PathBuf>,
    /// Packages whose tests are run, by default those of the core
    #[arg(long, value_delimiter = ',', default_value = "mager-policies,mager-pager,mager-driver")]
    tests: Vec<String>,
    /// Leave out what has to be built alone
    #[arg(long)]
    no_alone: bool,
    /// Write one line for each mutant to this file
    #[arg(long)]
    report: Option<PathBuf>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A test failed, or it hung.
    Caught(String),
    /// Nothing noticed.
    Missed,
    /// It is no program.
    Unviable,
}

/// A package with its mutants, and where it is tried.
struct Bench {
    shop: Workshop,
    package: String,
    tests: Vec<String>,
    mutations: Vec<Mutation>,
    sources: BTreeMap<String, String>,
    fates: BTreeMap<u32, Fate>,
}

/// The function that says which mutant is on; it stands in the package that all others know.
const SWITCH: &str = "//! Which mutant is on.
extern crate std;
static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
/// The number of the mutant that is on; 0 for none.
#[inline]
pub fn on() -> u32 {
    *ON.get_or_init(|| std::env::var(\"MAGER_SWITCH\").ok().and_then(|it| it.parse().ok()).unwrap_or(0))
}
";

/// Puts the mutants of a package through the tests; complains about each that is missed.
pub fn check(root: &Path, args: &SwitchedArgs) -> io::Result<Vec<String>> {
    go(root, args).map_err(io::Error::other)
}

fn go(root: &Path, args: &SwitchedArgs) -> Result<Vec<String>, String> {
    let start = Instant::now();
    let shop = Workshop::new(root).map_err(|why| why.to_string())?;
    let mut mutations = list::mutations(&shop.tree, &args.package)?;
    if let Some(file) = &args.from {
        let names = fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
        let names: BTreeSet<&str> = names.lines().collect();
        mutations.retain(|it| names.contains(it.name.as_str()));
    }
    if !args.only.is_empty() {
        mutations.retain(|it| args.only.iter().any(|only| it.name.contains(only)));
    }
    let mut bench = Bench::new(shop, args, mutations)?;
    bench.together()?;
    if !args.no_alone {
        bench.alone()?;
    }
    bench.tell(start, args)
}

impl Bench {
    fn new(shop: Workshop, args: &SwitchedArgs, mutations: Vec<Mutation>) -> Result<Self, String> {
        let mut sources = BTreeMap::new();
        for mutation in &mutations {
            let text = fs::read_to_string(shop.tree.join(&mutation.file)).map_err(|why| why.to_string())?;
            sources.insert(mutation.file.clone(), text);
        }
        let (package, tests) = (args.package.clone(), args.tests.clone());
        Ok(Bench { shop, package, tests, mutations, sources, fates: BTreeMap::new() })
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        fs::write(self.shop.tree.join(file), text).map_err(|why| format!("{file}: {why}"))
    }

    fn append(&self, file: &str, text: &str) -> Result<(), String> {
        let old = fs::read_to_string(self.shop.tree.join(file)).map_err(|why| format!("{file}: {why}"))?;
        self.write(file, &(old + text))
    }

    /// All that can be switched, in one build.
    fn together(&mut self) -> Result<(), String> {
        self.write("core/policies/src/switch.rs", SWITCH)?;
        self.append("core/policies/src/lib.rs", "\npub mod switch;\n")?;
        if let Some(lib) = self.sources.get_mut("core/policies/src/lib.rs") {
            lib.push_str("\npub mod switch;\n");
        }
        let mut left: BTreeSet<u32> =
            self.mutations.iter().filter(|it| self.fits(it)).map(|it| it.number).collect();
        eprintln!("{} mutants, {} of them in one build", self.mutations.len(), left.len());
        loop {
            let files = self.switch_files(&left)?;
            let wrong = self.wrong_lines()?;
            let unviable: BTreeSet<u32> =
                wrong.iter().filter_map(|(file, lines)| Some(files.get(file)?.at(lines))).flatten().collect();
            if wrong.is_empty() {
                break;
            }
            if unviable.is_empty() {
                return Err(format!("the package does not build: {wrong:?}"));
            }
            eprintln!("{} are no programs", unviable.len());
            left.retain(|number| !unviable.contains(number));
            self.fates.extend(unviable.into_iter().map(|number| (number, Fate::Unviable)));
        }
        let mut programs = run::Programs::build(&self.shop, &self.tests)?.measured()?;
        for number in left {
            let fate = programs.try_one(number)?;
            self.note(number, fate);
        }
        self.sources.iter().try_for_each(|(file, text)| self.write(file, text))
    }

    fn fits(&self, mutation: &Mutation) -> bool {
        text::can_be_switched(&self.sources[&mutation.file], mutation)
    }

    fn note(&mut self, number: u32, fate: Fate) {
        let done = self.fates.len() + 1;
        if let Some(mutation) = self.mutations.iter().find(|it| it.number == number) {
            eprintln!("{done}/{} {}: {fate:?}", self.mutations.len(), mutation.name);
        }
        self.fates.insert(number, fate);
    }

    fn switch_files(&self, left: &BTreeSet<u32>) -> Result<BTreeMap<String, Switched>, String> {
        let crate_name = self.package.replace('-', "_");
        let policies = "mager_policies";
        let path =
            format!("{}::switch::on", if crate_name == policies { "crate" } else { "::mager_policies" });
        let mut files = BTreeMap::new();
        for (file, source) in &self.sources {
            let here: Vec<_> =
                self.mutations.iter().filter(|it| it.file == *file && left.contains(&it.number)).collect();
            let switched = text::switched(source, &here, &path);
            self.write(file, &switched.text)?;
            files.insert(file.clone(), switched);
        }
        Ok(files)
    }

    /// The lines of each file that the compiler complains about.
    fn wrong_lines(&self) -> Result<BTreeMap<String, BTreeSet<usize>>, String> {
        // Some complaints, as of sums that must overflow, come only when code is made.
        let mut build = self.shop.cargo(&["build", "-q", "--message-format=json", "-p", &self.package]);
        let output = build.output().map_err(|why| why.to_string())?;
        let wrong = list::errors(&String::from_utf8_lossy(&output.stdout));
        if wrong.is_empty() && !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(wrong)
    }

    /// One build for each of the others.
    fn alone(&mut self) -> Result<(), String> {
        let known = |it: &Mutation| self.fates.contains_key(&it.number);
        let others: Vec<Mutation> = self.mutations.iter().filter(|it| !known(it)).cloned().collect();
        for mutation in others {
            let source = self.sources[&mutation.file].clone();
            self.write(&mutation.file, &text::changed(&source, &mutation))?;
            let builds = self.wrong_lines().is_ok_and(|wrong| wrong.is_empty());
            let fate = match builds {
                true => run::Programs::build(&self.shop, &self.tests)?.try_one(mutation.number)?,
                false => Fate::Unviable,
            };
            self.write(&mutation.file, &source)?;
            self.note(mutation.number, fate);
        }
        Ok(())
    }

    fn tell(&self, start: Instant, args: &SwitchedArgs) -> Result<Vec<String>, String> {
        let names = self.mutations.iter().filter_map(|it| Some((it, self.fates.get(&it.number)?)));
        let all: Vec<_> = names.collect();
        if let Some(report) = &args.report {
            let lines: String = all.iter().map(|(it, fate)| format!("{fate:?}\t{}\n", it.name)).collect();
            fs::write(report, lines).map_err(|why| why.to_string())?;
        }
        let count = |is: fn(&Fate) -> bool| all.iter().filter(|(_, fate)| is(fate)).count();
        let (missed, unviable) = (count(|it| *it == Fate::Missed), count(|it| *it == Fate::Unviable));
        let caught = all.len() - missed - unviable;
        let seconds = start.elapsed().as_secs();
        println!("{} mutants: {caught} caught, {missed} missed, {unviable} unviable, {seconds} s", all.len());
        let missed = all.iter().filter(|(_, fate)| **fate == Fate::Missed);
        Ok(missed.map(|(it, _)| format!("missed: {}", it.name)).collect())
    }
}
