//! What the user reads: rates and shares, and a failure as a scenario with its story.

use crate::hunt::Hunt;
use mager_sim::Stats;
use std::fmt::Write as _;

/// `part` in a hundred of `whole`.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(0.001)
}

/// One line while it runs.
#[must_use]
pub fn progress(hunt: &Hunt) -> String {
    let seconds = hunt.took.as_secs_f64();
    let rate = rate(hunt.stats.accesses, seconds) / 1e6;
    format!("{seconds:.0} s: {} worlds, {} accesses, {rate:.2} M/s", hunt.worlds, hunt.stats.accesses)
}

fn shares(stats: &Stats) -> String {
    let of = |part| percent(part, stats.accesses);
    format!(
        "faulted {:.1} %, evicted {:.1} %, shared {:.1} % (sampled)",
        of(stats.faulted),
        of(stats.evictions),
        percent(stats.shared, stats.sampled)
    )
}

/// The end of a hunt, in words.
#[must_use]
pub fn summary(hunt: &Hunt) -> String {
    let (stats, seconds) = (&hunt.stats, hunt.took.as_secs_f64());
    let mut text = String::new();
    let mut line = |words: String| text.extend([words.as_str(), "\n"]);
    if hunt.interrupted {
        line("interrupted: this is what was finished".to_owned());
    }
    line(format!("seeds      {} worlds from seed {}", hunt.worlds, hunt.first));
    let per_second = rate(stats.accesses, seconds) / 1e6;
    line(format!(
        "accesses   {} in {seconds:.1} s, {per_second:.2} M/s, each held against the oracle",
        stats.accesses
    ));
    line(format!("shares     {}", shares(stats)));
    line(format!("steps      {} of the core, every invariant checked {} times", stats.steps, stats.checks));
    line(format!(
        "I/O        {}, of which {} failed; {} accesses denied",
        stats.ios, stats.failures, stats.denied
    ));
    line(format!("copies     {} after a fork; each run replayed with equal effects", stats.copies));
    text
}

/// The end of a hunt, as one JSON object.
#[must_use]
pub fn json(hunt: &Hunt, scenario: Option<&str>) -> String {
    let stats = &hunt.stats;
    let failure = match &hunt.failure {
        None => "null".to_owned(),
        Some((seed, failure)) => format!(
            "{{\"seed\":{seed},\"operations\":{},\"message\":{},\"scenario\":{}}}",
            failure.operations,
            quoted(&failure.message),
            scenario.map_or_else(|| "null".to_owned(), quoted)
        ),
    };
    format!(
        "{{\"first_seed\":{},\"worlds\":{},\"seconds\":{:.3},\"accesses\":{},\"faulted\":{},\"evictions\":{},\
         \"steps\":{},\"checks\":{},\"ios\":{},\"io_failures\":{},\"denied\":{},\"copies\":{},\"interrupted\":{},\"failure\":{failure}}}",
        hunt.first,
        hunt.worlds,
        hunt.took.as_secs_f64(),
        stats.accesses,
        stats.faulted,
        stats.evictions,
        stats.steps,
        stats.checks,
        stats.ios,
        stats.failures,
        stats.denied,
        stats.copies,
        hunt.interrupted
    )
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A story, its middle left out where it is long.
#[must_use]
pub fn story(lines: &[String]) -> String {
    const ENDS: usize = 150;
    if lines.len() <= 2 * ENDS {
        return lines.join("\n");
    }
    let (first, last) = (&lines[..ENDS], &lines[lines.len() - ENDS..]);
    let left_out = lines.len() - 2 * ENDS;
    format!("{}\n... {left_out} lines left out ...\n{}", first.join("\n"), last.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_ends_are_escaped_in_json() {
        assert_eq!(quoted("a \"b\"\\\n\u{1}"), "\"a \\\"b\\\"\\\\\\n\\u0001\"");
    }
}
