//! All outcomes, row by row: medians, and whether a way did what it must.

use super::programs::{Program, Size};
use super::run::Outcome;
use super::way::Way;
use super::{MatrixArgs, Scale};

/// What the kernel's count may be late by.
const LATE: u64 = 1 << 20;

/// The whole matrix.
pub struct Results {
    pub rows: Vec<Row>,
    pub ways: Vec<Way>,
    pub scale: Scale,
    pub runs: u16,
    pub share: u32,
}

/// One program.
pub struct Row {
    pub program: &'static Program,
    pub size: Size,
    /// Packages to install.
    pub missing: Option<String>,
    share: u32,
    outcomes: Vec<(Way, Outcome)>,
}

impl Results {
    pub fn new(wanted: &[&'static Program], ways: &[Way], args: &MatrixArgs) -> Self {
        let row = |program: &&'static Program| Row {
            program,
            size: program.size(args.scale),
            missing: program.missing(),
            share: args.share,
            outcomes: Vec::new(),
        };
        let rows = wanted.iter().map(row).collect();
        Results { rows, ways: ways.to_vec(), scale: args.scale, runs: args.runs, share: args.share }
    }

    /// Swap for the program that needs most.
    pub fn swap_mib(&self) -> u32 {
        self.rows.iter().map(|row| row.size.swap).max().unwrap_or(0)
    }

    /// What Mager did wrong, and programs that fail by themselves.
    pub fn complaints(&self) -> Vec<String> {
        let all = self.rows.iter().flat_map(|row| self.ways.iter().map(move |way| (row, *way)));
        all.filter(|(_, way)| *way != Way::Cgroup)
            .filter_map(|(row, way)| {
                Some(format!("{}, {}: {}", row.program.name, way.name(), row.wrong(way)?))
            })
            .collect()
    }

    /// The geometric mean of a way's times, each as a multiple of another way's; and of how many programs. One that has
    /// its memory beside its budget proves nothing there.
    pub fn mean(&self, way: Way, beside: Way) -> Option<(f64, usize)> {
        let bounded = self.rows.iter().filter(|row| row.is_bounded());
        let ratios: Vec<f64> = bounded.filter_map(|row| row.ratio(way, beside)).collect();
        let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
        (!ratios.is_empty()).then(|| ((sum / ratios.len() as f64).exp(), ratios.len()))
    }
}

impl Row {
    pub fn add(&mut self, way: Way, outcome: Outcome) {
        self.outcomes.push((way, outcome));
    }

    pub fn of(&self, way: Way) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(move |(other, _)| *other == way).map(|(_, outcome)| outcome)
    }

    /// The median time of the runs that ended well; `None` if one did not.
    pub fn seconds(&self, way: Way) -> Option<f64> {
        let mut all: Vec<f64> = self.of(way).map(|outcome| outcome.seconds).collect();
        if all.is_empty() || self.of(way).any(|outcome| outcome.failed.is_some()) {
            return None;
        }
        all.sort_by(f64::total_cmp);
        Some((all[(all.len() - 1) / 2] + all[all.len() / 2]) / 2.0)
    }

    pub fn ratio(&self, way: Way, beside: Way) -> Option<f64> {
        Some(self.seconds(way)? / self.seconds(beside)?)
    }

    /// Did all runs of a way that ended well put out what the first one without a limit did?
    pub fn same(&self, way: Way) -> Option<bool> {
        let right = self.of(Way::Unlimited).find(|outcome| outcome.failed.is_none())?.output;
        let mut ended = self.of(way).filter(|outcome| outcome.failed.is_none()).peekable();
        ended.peek()?;
        Some(ended.all(|outcome| outcome.output == right))
    }

    fn shared(&self, way: Way) -> Option<u64> {
        self.of(way).filter_map(|outcome| outcome.shared).max()
    }

    /// The most bytes held by arenas in any run: shared memory, without what the program itself has of it.
    pub fn held(&self, way: Way) -> Option<u64> {
        Some(self.shared(way)?.saturating_sub(self.shared(Way::Unlimited).unwrap_or(0)))
    }

    /// The most bytes of private memory in any run.
    pub fn private(&self, way: Way) -> Option<u64> {
        self.of(way).filter_map(|outcome| outcome.private).max()
    }

    /// Under Mager it has no more memory beside the budget than the budget is, as far as that was seen.
    pub fn is_bounded(&self) -> bool {
        let outside = |way| self.private(way).is_some_and(|bytes| bytes > self.allowed(way));
        ![Way::Mager, Way::Compressed].into_iter().any(outside)
    }

    /// The most bytes that the program needs.
    pub fn needs(&self) -> Option<u64> {
        Some(self.shared(Way::Unlimited)? + self.private(Way::Unlimited)?)
    }

    /// Bytes that arenas may hold: what compressed pages do not need is frames.
    pub fn allowed(&self, way: Way) -> u64 {
        let (memory, compressed) = way.memory(self.size, self.share);
        u64::from(memory + compressed) << 20
    }

    pub fn within(&self, way: Way) -> Option<bool> {
        self.held(way).map(|held| held <= self.allowed(way) + LATE)
    }

    /// What is wrong with a way's runs, if anything is.
    pub fn wrong(&self, way: Way) -> Option<String> {
        if let Some(how) = self.of(way).find_map(|outcome| outcome.failed.clone()) {
            return Some(how);
        }
        if self.same(way) == Some(false) {
            return Some("the output differs from that of the unlimited run".into());
        }
        if way.is_mager() && self.within(way) == Some(false) {
            let (held, allowed) = (self.held(way).unwrap_or(0) >> 20, self.allowed(way) >> 20);
            return Some(format!("arenas held {held} MiB of {allowed}"));
        }
        let left = self.of(way).map(|outcome| outcome.left).max().unwrap_or(0);
        (left > 0).then(|| format!("{left} processes are left behind"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs::PROGRAMS;
    use super::*;

    const MIB: u64 = 1 << 20;

    fn row(outcomes: &[(Way, Outcome)]) -> Row {
        let size = Size { data: 1, budget: 10, swap: 100 };
        Row { program: &PROGRAMS[0], size, missing: None, share: 50, outcomes: outcomes.to_vec() }
    }

    fn ended(seconds: f64, output: u64, shared: u64) -> Outcome {
        Outcome { seconds, output, shared: Some(shared), ..Outcome::default() }
    }

    #[test]
    fn a_row_that_is_right_has_nothing_wrong() {
        let row = row(&[
            (Way::Unlimited, ended(1.0, 7, 2 * MIB)),
            (Way::Mager, ended(3.0, 7, 12 * MIB)),
            (Way::Compressed, ended(2.0, 7, 5 * MIB)),
        ]);
        let wrong: Vec<_> = [Way::Unlimited, Way::Mager, Way::Compressed].map(|way| row.wrong(way)).into();
        assert_eq!(wrong, [None, None, None]);
        assert_eq!(
            (row.ratio(Way::Mager, Way::Unlimited), row.ratio(Way::Mager, Way::Cgroup)),
            (Some(3.0), None)
        );
    }

    #[test]
    fn another_output_and_a_failure_and_too_much_memory_are_wrong() {
        let failed = Outcome { failed: Some("exit status 70".into()), ..Outcome::default() };
        let told =
            |way, outcome| row(&[(Way::Unlimited, ended(1.0, 7, 0)), (way, outcome)]).wrong(way).unwrap();
        assert!(told(Way::Mager, ended(1.0, 8, 0)).contains("the output differs"));
        assert_eq!(told(Way::Mager, failed), "exit status 70");
        assert_eq!(told(Way::Compressed, ended(1.0, 7, 13 * MIB)), "arenas held 13 MiB of 10");
        let left = Outcome { left: 2, ..ended(1.0, 7, 0) };
        assert_eq!(told(Way::Mager, left), "2 processes are left behind");
    }

    #[test]
    fn times_are_medians_and_means_are_geometric() {
        let runs = [3.0, 1.0, 2.0].map(|seconds| (Way::Unlimited, ended(seconds, 7, 0)));
        let half = [8.0, 0.5].map(|seconds| {
            let mut row = row(&runs);
            row.add(Way::Mager, ended(seconds, 7, 0));
            row
        });
        let results = Results { rows: half.into(), ways: vec![], scale: Scale::Small, runs: 3, share: 50 };
        let (mean, rows) = results.mean(Way::Mager, Way::Unlimited).unwrap();
        assert!((mean - 1.0).abs() < 1e-9 && rows == 2, "{mean}");
        assert_eq!(results.mean(Way::Mager, Way::Cgroup), None);
    }

    #[test]
    fn a_program_whose_memory_is_beside_the_budget_counts_for_no_mean() {
        let beside = Outcome { private: Some(11 * MIB), ..ended(1.0, 7, 0) };
        let row = row(&[(Way::Unlimited, ended(1.0, 7, 0)), (Way::Mager, beside)]);
        assert!(!row.is_bounded());
        let results = Results { rows: vec![row], ways: vec![], scale: Scale::Small, runs: 1, share: 50 };
        assert_eq!(results.mean(Way::Mager, Way::Unlimited), None);
    }
}
