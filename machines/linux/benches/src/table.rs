//! Printing: medians, ratios, and what was seen besides; for people or for programs.

use crate::args::Args;
use crate::child::Figures;
use crate::error::{At, Failure};
use crate::floors::Floor;
use crate::kind::Kind;
use crate::measures::{Measure, Measured};
use crate::quoted::umap;
use crate::rounds::{FloorRow, Results, Row};
use crate::workload::Workload;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

impl Row {
    fn each(&self, what: impl Fn(&Figures) -> f64) -> Vec<f64> {
        self.runs.iter().map(what).collect()
    }

    fn rate(&self) -> Option<f64> {
        median(self.each(Figures::rate))
    }
}

impl Results {
    fn rate(&self, workload: Workload, kind: Kind) -> Option<f64> {
        self.rows.iter().find(|row| row.workload == workload && row.kind == kind)?.rate()
    }

    fn floor(&self, floor: Floor) -> Option<f64> {
        median(self.floors.iter().find(|row| row.floor == floor)?.us.clone())
    }
}

/// Prints everything to standard output.
pub(crate) fn print(args: &Args, results: &Results) -> Result<(), Failure> {
    let text = if args.json { format!("{:#}\n", values(args, results)) } else { tell(args, results) };
    std::io::stdout().lock().write_all(text.as_bytes()).of("printing")
}

fn machine() -> String {
    let name = rustix::system::uname();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Linux {}, CPUs: {cpus}, load at the end: {load}", name.release().to_string_lossy())
}

fn tell(args: &Args, results: &Results) -> String {
    let mut text = format!("{}; medians of {}\n", machine(), args.runs);
    if !results.floors.is_empty() {
        text.push_str("\nFloors, microseconds each (least to most)\n");
        results.floors.iter().for_each(|row| tell_floor(row, results, &mut text));
    }
    results.measures.iter().for_each(|measured| tell_measured(measured, &mut text));
    if !results.rows.is_empty() {
        let sizes = format!("{} MiB touched, {} MiB allowed", args.touched, args.allowed);
        let _ = write!(text, "\nOperations a second (least to most), page-ins and faults each; {sizes}\n");
        tell_rows(results, &mut text);
    }
    let lines = results.remarks.iter().map(|remark| format!("{remark}\n"));
    text.push('\n');
    text.extend(lines);
    text
}

fn range(values: Vec<f64>) -> (f64, f64) {
    values.iter().fold((f64::MAX, 0.0), |(least, most), &value| (least.min(value), most.max(value)))
}

fn tell_floor(row: &FloorRow, results: &Results, text: &mut String) {
    let Some(us) = median(row.us.clone()) else { return };
    let (least, most) = range(row.us.clone());
    let _ = write!(text, "  {:50} {us:8.2}  ({least:.2} to {most:.2})", row.floor.about());
    if let Some((bare, ratio)) = to_bare(row.floor, us, results) {
        let _ = write!(text, "  {ratio:.2} of {}", bare.name());
    }
    text.push('\n');
}

/// A floor of Mager's so many times its bare round trip.
fn to_bare(floor: Floor, us: f64, results: &Results) -> Option<(Floor, f64)> {
    let bare = floor.bare()?;
    Some((bare, us / results.floor(bare)?))
}

fn tell_measured(measured: &Measured, text: &mut String) {
    let _ = write!(text, "\n{}\n", measured.measure.about());
    for (name, values) in by_name(measured) {
        let (least, most) = range(values.clone());
        if let Some(value) = median(values) {
            let places = if value < 100.0 { 3 } else { 0 };
            let _ = writeln!(text, "  {name:50} {value:10.places$}  ({least:.places$} to {most:.places$})");
        }
    }
}

fn by_name(measured: &Measured) -> BTreeMap<&str, Vec<f64>> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, &value) in measured.runs.iter().flatten() {
        values.entry(name).or_default().push(value);
    }
    values
}

fn tell_rows(results: &Results, text: &mut String) {
    let mut last = None;
    for row in &results.rows {
        if last != Some(row.workload) {
            let _ = writeln!(text, "{}", row.workload.name());
            tell_quoted(row.workload, text);
            last = Some(row.workload);
        }
        tell_row(row, results, text);
    }
}

fn tell_quoted(workload: Workload, text: &mut String) {
    if let Some((least, most)) = umap(workload) {
        let _ = writeln!(text, "  {:44} {:>10}  ({least:.0} to {most:.0})", "LLNL umap, 4 KiB", "quoted");
    }
}

fn tell_row(row: &Row, results: &Results, text: &mut String) {
    let Some(rate) = row.rate() else { return };
    let (least, most) = range(row.each(Figures::rate));
    let page_ins = median(row.each(Figures::page_ins_each)).unwrap_or(0.0);
    let faults = median(row.each(|run| run.faults as f64 / run.operations as f64)).unwrap_or(0.0);
    let _ = write!(text, "  {:44} {rate:>10.0}  ({least:.0} to {most:.0})", row.kind.about());
    let _ = write!(text, "  {page_ins:.3} {faults:.3}");
    for (name, ratio) in ratios(row, rate, results) {
        let _ = write!(text, "  {ratio:.2} of {name}");
    }
    text.push('\n');
}

/// What a row is so many times of.
fn ratios(row: &Row, rate: f64, results: &Results) -> Vec<(&'static str, f64)> {
    let mut found = Vec::new();
    if let Some(alternative) = row.kind.alternative() {
        found.extend(results.rate(row.workload, alternative).map(|other| (alternative.name(), rate / other)));
        found.extend(umap(row.workload).map(|(_, most)| ("umap (quoted)", rate / most)));
    }
    if row.workload == Workload::Random8 && row.kind != Kind::Zram {
        found.extend(results.floor(Floor::Readers8).map(|us| (Floor::Readers8.name(), rate * us / 1e6)));
    }
    found
}

fn values(args: &Args, results: &Results) -> Value {
    let floors: Vec<Value> = results.floors.iter().map(|row| floor_value(row, results)).collect();
    let measures: Vec<Value> = results.measures.iter().map(measured_value).collect();
    let rows: Vec<Value> = results.rows.iter().map(|row| row_value(row, results)).collect();
    let sizes = json!({ "touched_mib": args.touched, "allowed_mib": args.allowed, "compressed_mib": args.compressed });
    json!({
        "machine": machine(), "sizes": sizes, "floors": floors, "measures": measures, "rows": rows,
        "remarks": results.remarks,
    })
}

fn floor_value(row: &FloorRow, results: &Results) -> Value {
    let us = median(row.us.clone());
    let ratio = us.and_then(|us| to_bare(row.floor, us, results)).map(|(_, ratio)| ratio);
    json!({ "floor": row.floor.name(), "median_us": us, "of_bare": ratio, "runs_us": row.us })
}

fn measured_value(measured: &Measured) -> Value {
    let Measure { what, threads, work_us } = measured.measure;
    let medians: BTreeMap<_, _> =
        by_name(measured).into_iter().map(|(name, of)| (name, median(of))).collect();
    json!({
        "measure": what.name(), "threads": threads, "work_us": work_us, "medians": medians,
        "runs": measured.runs,
    })
}

fn row_value(row: &Row, results: &Results) -> Value {
    let rate = row.rate();
    let ratios: serde_json::Map<String, Value> = rate
        .map(|rate| ratios(row, rate, results))
        .unwrap_or_default()
        .into_iter()
        .map(|(n, r)| (n.into(), json!(r)))
        .collect();
    json!({
        "workload": row.workload.name(), "kind": row.kind.name(), "median_operations_s": rate,
        "ratios": ratios, "runs": row.runs, "umap_quoted_operations_s": umap(row.workload),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
