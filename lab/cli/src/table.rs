//! Results as a table for people, as CSV or as JSON.

use serde::Serialize;
use std::fmt::Write;

/// One policy with one amount of memory over one trace.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) trace: String,
    pub(crate) policy: String,
    pub(crate) memory: String,
    pub(crate) frames: u32,
    pub(crate) accesses: u64,
    pub(crate) pages: u32,
    pub(crate) faults: u64,
    pub(crate) miss_ratio: f64,
    pub(crate) page_ins: u64,
    pub(crate) write_backs: u64,
    /// Faults more than the optimum has, for each of the optimum's; none if that is not known.
    pub(crate) over_opt: Option<f64>,
    /// What the page-ins and write-backs take on the device asked about.
    pub(crate) device_seconds: Option<f64>,
}

/// How results are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Table,
    Csv,
    Json,
}

/// All rows in the shape asked for.
pub(crate) fn shown(rows: &[Row], shape: Shape) -> String {
    match shape {
        Shape::Table => table(rows),
        Shape::Csv => csv(rows),
        Shape::Json => serde_json::to_string_pretty(rows).unwrap_or_default() + "\n",
    }
}

fn optional(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or(String::new(), text)
}

fn csv(rows: &[Row]) -> String {
    let mut out =
        "trace,policy,memory,frames,accesses,pages,faults,miss_ratio,page_ins,write_backs,over_opt,\
                   device_seconds\n"
            .to_owned();
    for row in rows {
        let quoted = row.trace.replace('"', "\"\"");
        let (over, seconds) =
            (optional(row.over_opt, |v| v.to_string()), optional(row.device_seconds, |v| v.to_string()));
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "\"{quoted}\",{},{},{},{},{},{},{},{},{},{over},{seconds}",
            row.policy,
            row.memory,
            row.frames,
            row.accesses,
            row.pages,
            row.faults,
            row.miss_ratio,
            row.page_ins,
            row.write_backs
        );
    }
    out
}

/// Rows grouped by trace and memory.
fn table(rows: &[Row]) -> String {
    let mut out = String::new();
    let (mut trace, mut memory) = ("", "");
    let seconds = rows.iter().any(|row| row.device_seconds.is_some());
    for row in rows {
        if row.trace != trace {
            let _ = writeln!(out, "{}: {} accesses to {} pages", row.trace, row.accesses, row.pages);
            (trace, memory) = (&row.trace, "");
        }
        if row.memory != memory {
            let head = if seconds { "  device s" } else { "" };
            let _ = writeln!(out, "\n  memory {} = {} frames", row.memory, row.frames);
            let _ = writeln!(
                out,
                "  {:24}{:>12}{:>12}{:>12}{:>13}{:>11}{head}",
                "policy", "faults", "miss ratio", "page-ins", "write-backs", "over OPT"
            );
            memory = &row.memory;
        }
        let over = row.over_opt.map_or("-".to_owned(), |over| format!("{:+.1}%", over * 100.0));
        let _ = writeln!(
            out,
            "  {:24}{:>12}{:>12.6}{:>12}{:>13}{:>11}{}",
            row.policy,
            row.faults,
            row.miss_ratio,
            row.page_ins,
            row.write_backs,
            over,
            optional(row.device_seconds, |seconds| format!("{seconds:>10.3}"))
        );
    }
    out
}
