//! The table, as a page of the documentation; and a line for each run while it goes.

use super::Scale;
use super::results::{Results, Row};
use super::run::Outcome;
use super::way::{WAYS, Way};
use std::fmt::Write as _;

const HEAD: &str = "\
# Real programs under `mager run`

Written by `cargo xtask matrix --report docs/matrix.md` (`--install` installs the programs by Debian's names; root for
control groups and swap). Each program is unmodified; *needs* beside *budget* says how
much is missing, if anything. It is run
- *unlimited*;
- in a *cgroup* that bounds its memory to the budget (and 8 MiB), with the kernel's swap in a file on the same disk; the
  group pays for page tables and cached files, too;
- under *mager*: `mager run --memory BUDGET`, swap in a file on the same disk. The budget bounds what the programs'
  arenas hold; code, stacks, small mappings and the pager's own memory are beside it;
- *compressed*: part of the budget may hold compressed pages, when there are any; the rest is frames.

Output is compared with that of the unlimited run: standard output, the files written, the exit status. What was *held*
is sampled every 25 ms: the most that arenas held, as the kernel counts it for the run's control group (their pages are
shared memory to it; what a program itself shares is taken off), and the most private memory beside them. *Needs* is what
the unlimited run had.
";

const SMALL: &str = "
Read these small rows as a test of compatibility more than of speed: the group's 8 MiB more than the budget are the
difference between paging and none for some programs. Programs that did not end within the limit are left out of the
means.
";

const OUTSIDE: &str = "more memory beside the budget than the budget is: not in the means";

/// The page.
pub fn tell(results: &Results) -> String {
    let mut text = String::from(HEAD);
    let scale = if results.scale == Scale::Small { "small" } else { "full" };
    let (runs, share) = (results.runs, results.share);
    let _ = write!(
        text,
        "\n{}. `--scale {scale} --runs {runs} --share {share}`: medians; compressed: {share}% of the budget.\n",
        machine()
    );
    if results.scale == Scale::Small {
        text.push_str(SMALL);
    }
    text.push_str("\n| program | needs | budget | unlimited s | cgroup s | mager s | compressed s | mager / cgroup | compressed / cgroup | same output | arenas held MiB | beside MiB | note |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    results.rows.iter().for_each(|row| tell_row(row, &mut text));
    text.push('\n');
    tell_means(results, &mut text);
    text.push_str("\n| program | shows |\n|---|---|\n");
    for row in &results.rows {
        let _ = writeln!(text, "| {} | {} |", row.program.name, row.program.shows);
    }
    text
}

fn machine() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = load.split(' ').next().unwrap_or("?");
    format!("Linux {}, {cpus} CPUs, load at the end {load}", release.trim())
}

fn tell_row(row: &Row, text: &mut String) {
    let name = row.program.name;
    if let Some(packages) = &row.missing {
        let _ = writeln!(
            text,
            "| {name} | | {}M | | | | | | | | | | not run: needs {packages} |",
            row.size.budget
        );
        return;
    }
    let times = WAYS.map(|way| time(row, way));
    let ratios = [Way::Mager, Way::Compressed].map(|way| number(row.ratio(way, Way::Cgroup)));
    let pair = |what: &dyn Fn(Way) -> Option<u64>| {
        [Way::Mager, Way::Compressed]
            .map(|way| what(way).map_or("-".into(), |bytes| (bytes >> 20).to_string()))
            .join(", ")
    };
    let (held, beside) = (pair(&|way| row.held(way)), pair(&|way| row.private(way)));
    let _ = writeln!(
        text,
        "| {name} | {} | {}M | {} | {} | {} | {held} | {beside} | {} |",
        row.needs().map_or("-".into(), |bytes| format!("{}M", bytes >> 20)),
        row.size.budget,
        times.join(" | "),
        ratios.join(" | "),
        same(row),
        note(row)
    );
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.2}"))
}

fn time(row: &Row, way: Way) -> String {
    let failed = row.of(way).any(|outcome| outcome.failed.is_some());
    if failed { "fails".into() } else { number(row.seconds(way)) }
}

fn same(row: &Row) -> &'static str {
    let all = WAYS.map(|way| row.same(way));
    match (all[1..].iter().flatten().count(), all.contains(&Some(false))) {
        (_, true) => "NO",
        (0, false) => "-",
        (_, false) => "yes",
    }
}

fn note(row: &Row) -> String {
    let wrong = |way: Way| Some(format!("{}: {}", way.name(), row.wrong(way)?));
    let outside = (!row.is_bounded()).then(|| String::from(OUTSIDE));
    WAYS.into_iter().filter_map(wrong).chain(outside).collect::<Vec<_>>().join("; ").replace('|', "/")
}

fn tell_means(results: &Results, text: &mut String) {
    for (way, beside) in [
        (Way::Mager, Way::Cgroup),
        (Way::Compressed, Way::Cgroup),
        (Way::Mager, Way::Unlimited),
        (Way::Compressed, Way::Unlimited),
        (Way::Cgroup, Way::Unlimited),
    ] {
        if let Some((mean, rows)) = results.mean(way, beside) {
            let (way, beside) = (way.name(), beside.name());
            let _ = writeln!(text, "- {way} / {beside}: geometric mean {mean:.2} over {rows} programs");
        }
    }
}

/// A line on one run.
pub fn progress(row: &Row, way: Way, outcome: &Outcome) -> String {
    let mib = |bytes: Option<u64>| bytes.map_or("-".into(), |bytes| (bytes >> 20).to_string());
    let mut line = format!("{:14} {:10} {:8.2} s", row.program.name, way.name(), outcome.seconds);
    let _ = write!(line, "  shared {:>5} MiB, private {:>5} MiB", mib(outcome.shared), mib(outcome.private));
    if let Some(how) = &outcome.failed {
        let _ = write!(line, "  FAILED: {how}");
    }
    if outcome.left > 0 {
        let _ = write!(line, "  LEFT BEHIND: {} processes", outcome.left);
    }
    line
}
