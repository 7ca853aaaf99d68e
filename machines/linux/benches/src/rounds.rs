//! The rounds: each kind and workload once a round, turn by turn; then the medians.

use crate::args::Args;
use crate::child::Figures;
use crate::error::Failure;
use crate::floors::{self, FLOORS, Floor};
use crate::kind::{KINDS, Kind};
use crate::measures::{self, Measure, Measured, WHAT};
use crate::stage::{Place, Stage};
use crate::workload::{WORKLOADS, Workload};
use crate::{room, run, table};
use mager_linux_stage::{Ledger, alone, stop, sweep};
use std::collections::{BTreeMap, BTreeSet};

/// All runs of one workload on one kind.
pub(crate) struct Row {
    pub(crate) workload: Workload,
    pub(crate) kind: Kind,
    pub(crate) runs: Vec<Figures>,
}

/// All runs of a floor, in microseconds.
pub(crate) struct FloorRow {
    pub(crate) floor: Floor,
    pub(crate) us: Vec<f64>,
}

/// Everything measured.
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    pub(crate) floors: Vec<FloorRow>,
    pub(crate) measures: Vec<Measured>,
    /// What was seen besides, each thing once.
    pub(crate) remarks: BTreeSet<String>,
}

/// Does all that is asked for and prints it. What was measured before a failure or Ctrl-C is printed too.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    known(args)?;
    room::check(args)?;
    let _alone = alone()?;
    stop::catch()?;
    let swept = sweep(&args.dir)?;
    if swept > 0 {
        eprintln!("cleaned up after {swept} killed runs");
    }
    let mut results = plan(args);
    let outcome = Place::make(args).and_then(|place| all(args, &place, &mut results));
    table::print(args, &results)?;
    outcome?;
    match results.remarks.iter().any(|remark| remark.starts_with(FAILED)) {
        true => Err(Failure::Child("failed, as told above".into())),
        false => Ok(()),
    }
}

/// Is there a workload, kind, floor or measure for each word of `--only`?
fn known(args: &Args) -> Result<(), Failure> {
    let groups = vec!["floors", "workloads"];
    let names = [workload_names(), kind_names(), floor_names(), measure_names(), groups].concat();
    match args.only.iter().find(|only| !names.contains(&only.as_str())) {
        None => Ok(()),
        Some(word) => Err(Failure::Unavailable(format!("`{word}` is none of: {}", names.join(" ")))),
    }
}

fn workload_names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|workload| workload.name()).collect()
}

fn kind_names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name()).collect()
}

fn floor_names() -> Vec<&'static str> {
    FLOORS.iter().map(|floor| floor.name()).collect()
}

fn measure_names() -> Vec<&'static str> {
    WHAT.iter().map(|what| what.name()).collect()
}

fn plan(args: &Args) -> Results {
    let only_floors = args.only.iter().any(|word| word == "floors" || floor_names().contains(&word.as_str()));
    let some = |names: &[&str]| names.iter().any(|name| args.only.iter().any(|only| only == name));
    let workloads = some(&workload_names()) || some(&kind_names()) || some(&["workloads"]);
    let measures = some(&measure_names());
    let mut results =
        Results { rows: Vec::new(), floors: Vec::new(), measures: Vec::new(), remarks: BTreeSet::new() };
    if workloads || !only_floors && !measures {
        for workload in WORKLOADS.into_iter().filter(|w| args.wants(w.name(), &workload_names())) {
            let kinds = KINDS.into_iter().filter(|kind| args.wants(kind.name(), &kind_names()));
            results.rows.extend(kinds.map(|kind| Row { workload, kind, runs: Vec::new() }));
        }
    }
    if measures || !only_floors && !workloads {
        let wanted = WHAT.into_iter().filter(|what| args.wants(what.name(), &measure_names()));
        results.measures.extend(wanted.flat_map(measures::plan));
    }
    if only_floors || !workloads && !measures {
        let floors = FLOORS.into_iter().filter(|floor| args.wants(floor.name(), &floor_names()));
        results.floors.extend(floors.map(|floor| FloorRow { floor, us: Vec::new() }));
    }
    results
}

fn all(args: &Args, place: &Place, results: &mut Results) -> Result<(), Failure> {
    for round in 0..args.runs {
        for row in &mut results.floors {
            let mut ledger = Ledger::open(&args.dir)?;
            match floors::measure(row.floor, &place.file, &ledger.file("socket")?) {
                Ok(us) => row.us.push(us),
                other => remark(row.floor.about(), other.map(drop), &mut results.remarks)?,
            }
        }
        for measured in &mut results.measures {
            match measure_once(measured.measure, args) {
                Ok(figures) => measured.runs.push(figures),
                other => remark(&measured.measure.about(), other.map(drop), &mut results.remarks)?,
            }
        }
        for row in &mut results.rows {
            match once(row, args, place, u64::from(round), &mut results.remarks) {
                Ok(figures) => row.runs.push(figures),
                other => remark(row.kind.about(), other.map(drop), &mut results.remarks)?,
            }
        }
    }
    Ok(())
}

fn measure_once(measure: Measure, args: &Args) -> Result<BTreeMap<String, f64>, Failure> {
    stop::check()?;
    let mut ledger = Ledger::open(&args.dir)?;
    let (socket, swap_file) = (ledger.file("socket")?, ledger.file("own-swap")?);
    let figures = measures::measure(measure, args, &socket, &swap_file)?;
    let told: Vec<String> = figures.iter().map(|(name, value)| format!("{name} {value:.2}")).collect();
    eprintln!("{}: {}", measure.about(), told.join(", "));
    Ok(figures)
}

/// What cannot be had is remarked, and so is a process that failed; anything else ends the rounds.
fn remark(about: &str, outcome: Result<(), Failure>, remarks: &mut BTreeSet<String>) -> Result<(), Failure> {
    let remark = match outcome {
        Err(Failure::Unavailable(why)) => format!("NOT MEASURED: {about}: {why}"),
        Err(Failure::Child(why)) => format!("{FAILED}{about}: the measured process {why}"),
        other => return other,
    };
    remarks.insert(remark);
    Ok(())
}

/// How the remark on a process begins that did not tell its figures.
const FAILED: &str = "FAILED: ";

fn once(
    row: &Row,
    args: &Args,
    place: &Place,
    seed: u64,
    remarks: &mut BTreeSet<String>,
) -> Result<Figures, Failure> {
    stop::check()?;
    let stage = Stage::set(row.kind, place, args)?;
    let figures = run::measure((row.kind, row.workload), &stage, args, seed)?;
    if row.workload == Workload::Random {
        remarks.extend(stage.remark());
    }
    eprintln!(
        "{:14} {:20} {:>10.0} operations/s, {:.3} page-ins each",
        row.workload.name(),
        row.kind.name(),
        figures.rate(),
        figures.page_ins_each()
    );
    Ok(figures)
}
