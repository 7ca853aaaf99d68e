//! What happens in a run: which program, what is killed, and when; all from the seed and the run's number.

use super::programs::minds;
use crate::matrix::programs::Program;
use crate::matrix::way::Way;
use crate::random::Random;
use std::time::Duration;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// The pager's process.
    Pager,
    /// The program itself.
    Program,
    /// Any process of the program: itself, a child, a child's child.
    Process,
    /// `mager run`.
    Command,
    /// The program itself and the pager, at one moment.
    Both,
}

pub const VICTIMS: [Victim; 5] =
    [Victim::Pager, Victim::Program, Victim::Process, Victim::Command, Victim::Both];

impl Victim {
    pub fn name(self) -> &'static str {
        match self {
            Victim::Pager => "pager",
            Victim::Program => "program",
            Victim::Process => "process",
            Victim::Command => "command",
            Victim::Both => "program and pager",
        }
    }
}

/// While pager, program and agent begin. One run in four is killed in this time.
const BEGIN: Duration = Duration::from_millis(100);
/// A few runs are through before they are killed, so that some are killed at their very end.
const MOST: f64 = 1.05;
/// Keeps runs of one seed apart.
const STRIDE: u64 = 0x2545_f491_4f6c_dd1d;

/// A run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub number: u64,
    pub program: &'static Program,
    pub way: Way,
    /// The swap file has a name.
    pub named: bool,
    pub victim: Victim,
    /// Which of the processes that could be meant.
    pub pick: u64,
    early: bool,
    part: f64,
}

impl Plan {
    pub fn of(seed: u64, number: u64, programs: &[&'static Program]) -> Self {
        let mut random = Random(seed ^ number.wrapping_mul(STRIDE));
        let program = programs[random.below(programs.len())];
        let victim = match VICTIMS[usize::try_from(number / 2 % 5).unwrap_or(0)] {
            Victim::Program | Victim::Process | Victim::Both if !minds(program) => Victim::Pager,
            victim => victim,
        };
        Plan {
            number,
            program,
            way: if number.is_multiple_of(2) { Way::Mager } else { Way::Compressed },
            named: random.below(2) == 0,
            victim,
            pick: random.next(),
            early: random.below(4) == 0,
            part: random.next() as f64 / u64::MAX as f64,
        }
    }

    /// When it is killed, in a run that takes so long if it is not.
    pub fn moment(&self, typical: Duration) -> Duration {
        if self.early { BEGIN.min(typical).mul_f64(self.part) } else { typical.mul_f64(self.part * MOST) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs::all;
    use super::*;

    #[test]
    fn a_run_is_the_same_each_time_and_another_for_another_seed() {
        let told = |seed| {
            let plans = (1..50).map(|number| Plan::of(seed, number, &all()));
            plans.map(|plan| format!("{plan:?}")).collect::<Vec<_>>()
        };
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }

    #[test]
    fn half_are_compressed_and_moments_lie_within_the_run() {
        let plans: Vec<_> = (1..=400).map(|number| Plan::of(1, number, &all())).collect();
        assert_eq!(plans.iter().filter(|plan| plan.way == Way::Compressed).count(), 200);
        let typical = Duration::from_secs(2);
        assert!(plans.iter().all(|plan| plan.moment(typical) <= typical.mul_f64(MOST)));
        let early = plans.iter().filter(|plan| plan.moment(typical) <= BEGIN).count();
        assert!((70..170).contains(&early), "{early}");
        assert!(
            plans.iter().all(|plan| {
                matches!(plan.victim, Victim::Pager | Victim::Command) || minds(plan.program)
            })
        );
    }
}
