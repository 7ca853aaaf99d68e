//! A line for a run; the table at the end.

use super::family::End;
use super::plan::{Plan, VICTIMS, Victim};
use super::run::Facts;
use super::verdict::Verdict;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All that happened.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<(Victim, &'static str), Count>);

#[derive(Clone, Debug, Default)]
struct Count {
    runs: u32,
    ended: u32,
    through: u32,
    defects: u32,
    statuses: BTreeMap<Option<End>, u32>,
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.runs += other.runs;
        self.ended += other.ended;
        self.through += other.through;
        self.defects += other.defects;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
    }

    fn statuses(&self) -> String {
        let told = |(status, count): (&Option<End>, &u32)| {
            format!("{} x{count}", status.map_or("none".into(), End::told))
        };
        self.statuses.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

impl Tally {
    pub fn add(&mut self, plan: &Plan, facts: &Facts, verdict: &Verdict) {
        let one = Count {
            runs: 1,
            ended: u32::from(*verdict == Verdict::Ended),
            through: u32::from(*verdict == Verdict::Through),
            defects: u32::from(matches!(verdict, Verdict::Defect(_))),
            statuses: [(facts.command, 1)].into(),
        };
        self.0.entry((plan.victim, plan.program.name)).or_default().add(&one);
    }

    /// The table: for each kind of victim and program, and for each kind.
    pub fn tell(&self) -> String {
        let mut text = String::from(
            "| killed | program | runs | ended by it | went through | defects | status of the command |\n",
        );
        text.push_str("|---|---|---|---|---|---|---|\n");
        for ((victim, program), count) in &self.0 {
            line(&mut text, victim.name(), program, count);
        }
        let mut all = Count::default();
        for victim in VICTIMS {
            let of = self.0.iter().filter(|((other, _), _)| *other == victim);
            let sum = of.fold(Count::default(), |mut sum, (_, count)| {
                sum.add(count);
                sum
            });
            line(&mut text, victim.name(), "all", &sum);
            all.add(&sum);
        }
        line(&mut text, "any", "all", &all);
        text
    }
}

fn line(text: &mut String, victim: &str, program: &str, count: &Count) {
    let Count { runs, ended, through, defects, .. } = count;
    let statuses = count.statuses();
    let _ =
        writeln!(text, "| {victim} | {program} | {runs} | {ended} | {through} | {defects} | {statuses} |");
}

/// A run in a line.
pub fn told(plan: &Plan, facts: &Facts, verdict: &Verdict) -> String {
    let killed =
        facts.killed.map_or("not killed".into(), |at| format!("killed at {:.3} s", at.as_secs_f64()));
    let (program, way, victim) = (plan.program.name, plan.way.name(), plan.victim.name());
    let swap = if plan.named { "named swap" } else { "swap" };
    let end = facts.command.map_or("none".into(), End::told);
    let mut line = format!("run {}: {program}, {way}, {swap}: {victim} {killed}, ", plan.number);
    let _ = write!(line, "{:.2} s in all, status {end}: ", facts.seconds);
    line.push_str(match verdict {
        Verdict::Ended => "ended by it",
        Verdict::Through => "went through",
        Verdict::Defect(what) => what,
    });
    if !facts.said.is_empty() {
        let _ = write!(line, " ({})", facts.said);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::programs::all;
    use super::*;

    #[test]
    fn the_table_counts_by_victim_and_program() {
        let mut tally = Tally::default();
        let facts = Facts { command: Some(End::With(70)), ..Facts::default() };
        // Runs 10 and 20 kill the pager, 12 the program.
        for (number, verdict) in
            [(10, Verdict::Ended), (20, Verdict::Defect("hangs".into())), (12, Verdict::Through)]
        {
            tally.add(&Plan::of(1, number, &all()[..1]), &facts, &verdict);
        }
        let text = tally.tell();
        assert!(text.contains("| pager | sort | 2 | 1 | 0 | 1 | 70 x2 |"), "{text}");
        assert!(text.contains("| any | all | 3 | 1 | 1 | 1 | 70 x3 |"), "{text}");
    }
}
