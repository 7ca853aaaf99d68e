//! What is right after a kill. A status other than 0 says that something went wrong, whatever the output is by then;
//! with 0 the output must be that of a run without a limit.

use super::family::End;
use super::plan::Victim;
use super::run::Facts;

/// What a run shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The kill ended what it should.
    Ended,
    /// It was over before, or did not need who was killed, and is right.
    Through,
    Defect(String),
}

/// Signals of a program that went astray, such as one that read what was not its own: SIGILL, SIGTRAP, SIGABRT, SIGBUS,
/// SIGFPE, SIGSEGV.
const ASTRAY: [i32; 6] = [4, 5, 6, 7, 8, 11];
const KILL: i32 = 9;
/// Of a program that has lost its pager.
const PAGER_DIED: i32 = 70;

/// Judges a run whose output should have this hash.
pub fn judge(victim: Victim, facts: &Facts, right: u64) -> Verdict {
    let defect = |what: String| Verdict::Defect(what);
    if let Some(who) = &facts.hung {
        return defect(format!("hangs: {who}"));
    }
    if !facts.left.is_empty() {
        return defect(format!("left behind: {}", facts.left.join(", ")));
    }
    let same = facts.output == right;
    match (victim, facts.command) {
        (_, None) => defect("nobody heard how the command ended".into()),
        (_, Some(End::With(0))) if same => Verdict::Through,
        (_, Some(End::With(0))) => defect("exit status 0 with wrong output".into()),
        (_, Some(end)) if facts.killed.is_none() => {
            defect(format!("nobody was killed, and it ended with {}", end.told()))
        }
        (Victim::Command, Some(End::By(KILL))) => orphaned(facts, same),
        (Victim::Program | Victim::Both, Some(End::By(KILL))) => Verdict::Ended,
        // Of the two it heard first of the pager's end.
        (Victim::Both, Some(End::With(PAGER_DIED))) => Verdict::Ended,
        (Victim::Program | Victim::Command | Victim::Both, Some(end)) => {
            defect(format!("it was killed, and the command ended with {}", end.told()))
        }
        (_, Some(End::By(signal))) if ASTRAY.contains(&signal) => {
            defect(format!("it ended by signal {signal}"))
        }
        (Victim::Pager | Victim::Process, Some(_)) => Verdict::Ended,
    }
}

/// A program whose command was killed goes on to its end.
fn orphaned(facts: &Facts, same: bool) -> Verdict {
    match facts.program {
        Some(End::With(0)) | None if same => Verdict::Ended,
        // It had not begun.
        None if facts.silent => Verdict::Ended,
        None => Verdict::Defect("the program that went on has wrong output".into()),
        Some(end) => Verdict::Defect(format!(
            "the program that went on ended with {}, its output {}",
            end.told(),
            if same { "right" } else { "wrong" }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn facts(command: End, output: u64) -> Facts {
        let killed = Some(Duration::from_millis(5));
        Facts { command: Some(command), output, killed, ..Facts::default() }
    }

    fn is_defect(victim: Victim, facts: &Facts) -> bool {
        matches!(judge(victim, facts, 7), Verdict::Defect(_))
    }

    #[test]
    fn a_good_status_needs_the_right_output() {
        for victim in super::super::plan::VICTIMS {
            assert_eq!(judge(victim, &facts(End::With(0), 7), 7), Verdict::Through);
            assert!(is_defect(victim, &facts(End::With(0), 8)));
        }
    }

    #[test]
    fn a_status_that_tells_of_the_kill_may_come_with_any_output() {
        for (victim, end) in [
            (Victim::Pager, End::With(70)),
            (Victim::Program, End::By(9)),
            (Victim::Both, End::By(9)),
            (Victim::Both, End::With(70)),
            (Victim::Process, End::With(137)),
            (Victim::Process, End::By(9)),
        ] {
            assert_eq!(judge(victim, &facts(end, 8), 7), Verdict::Ended, "{victim:?}");
            let nobody = Facts { killed: None, ..facts(end, 8) };
            assert!(is_defect(victim, &nobody), "{victim:?}");
        }
    }

    #[test]
    fn a_program_that_went_astray_or_another_status_than_its_own_is_a_defect() {
        assert!(is_defect(Victim::Pager, &facts(End::By(11), 8)));
        assert!(is_defect(Victim::Program, &facts(End::With(1), 8)));
        assert!(is_defect(Victim::Both, &facts(End::With(1), 8)));
        assert!(is_defect(Victim::Command, &facts(End::With(70), 8)));
    }

    #[test]
    fn a_program_that_has_lost_its_command_goes_on_to_the_right_end() {
        let orphan = |program, output, silent| Facts { program, silent, ..facts(End::By(9), output) };
        assert!(!is_defect(Victim::Command, &orphan(Some(End::With(0)), 7, false)));
        assert!(!is_defect(Victim::Command, &orphan(None, 8, true)));
        for (program, output) in [(Some(End::With(70)), 8), (Some(End::With(0)), 8), (None, 8)] {
            assert!(is_defect(Victim::Command, &orphan(program, output, false)), "{program:?}");
        }
    }

    #[test]
    fn who_hangs_and_what_stays_is_a_defect_whatever_else_is_right() {
        let hung = Facts { hung: Some("12 S sort".into()), ..facts(End::With(0), 7) };
        let left = Facts { left: vec!["swap/file".into()], ..facts(End::With(0), 7) };
        assert!(is_defect(Victim::Process, &hung) && is_defect(Victim::Process, &left));
    }
}
